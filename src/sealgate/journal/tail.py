"""Reading the record back: every fact of every process, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from operator import attrgetter
from pathlib import Path
from typing import IO

from sealgate.event.base import Event
from sealgate.event.codec import Record, RecordError, decode
from sealgate.journal.journal import record_name
from sealgate.journal.logfile import predecessors


def records(
    logs: Path, damaged: Callable[[str], None] = lambda sentence: None, only: Collection[type[Event]] = ()
) -> Iterator[Record]:
    """All that the record of this gateway holds now, rotated files included, oldest first.

    With `only`, the facts of these classes; other lines are not even read as JSON, which takes most of the time.
    `damaged` hears of each line that is no record: what a crash or a full disk has torn. A last line that is
    still being written is left for the next reading.
    """
    marks = tuple(f'"event":"{kind.__name__}"'.encode() for kind in only)
    with ExitStack() as opened:
        streams = []
        for current in _current_files(logs):
            paths = [path for path in (*predecessors(current), current) if path.exists()]
            streams.append(_read([opened.enter_context(path.open("rb")) for path in paths], damaged, marks))
        yield from heapq.merge(*streams, key=attrgetter("at"))


def _current_files(logs: Path) -> list[Path]:
    """One for each process that has ever stated a fact, whether or not it has a file at this moment."""
    sources = {path.name.split(".")[0].removeprefix("events-") for path in logs.glob("events-*.jsonl")}
    return [logs / record_name(source) for source in sorted(sources)]


def _read(files: Sequence[IO[bytes]], damaged: Callable[[str], None], marks: Collection[bytes]) -> Iterator[Record]:
    for file in files:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            if marks and not any(mark in line for mark in marks):
                continue
            try:
                yield decode(line)
            except RecordError as error:
                damaged(f"{file.name}, line {number}: {error}")
