"""A journal whose clock and loop a test holds in its hand, and a program that writes one as fast as it can."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealgate import __version__
from sealgate.config.schema import LogSettings
from sealgate.event.codec import decode
from sealgate.event.facts import Event, MessageQueued
from sealgate.journal.journal import Journal

HEAD = ["Info: Begin Logfile", f"Info: Version: {__version__} SN: none", "Info: Time offset from UTC: 0 seconds"]
RECORD = "events-worker-1.jsonl"


def queued(*numbers: int) -> list[str]:
    """The lines of the mail log for these messages."""
    return [f"Info: MID {number} queued for delivery" for number in numbers]


def events(*numbers: int) -> list[Event]:
    """The facts that make them."""
    return [MessageQueued(number) for number in numbers]


PROGRAM = textwrap.dedent("""
    import datetime, itertools, pathlib, sys
    from sealgate.config.schema import LogSettings
    from sealgate.event.facts import MessageQueued
    from sealgate.journal.journal import Journal

    journal = Journal(
        pathlib.Path(sys.argv[1]), sys.argv[2], clock=lambda: datetime.datetime.now(datetime.UTC),
        schedule=lambda callback: None,
        settings=LogSettings(record_size=65536, record_keep=10000, mail_log_size=8192, mail_log_keep=10000),
    )
    for number in itertools.islice(itertools.count(1), int(sys.argv[3])):
        journal.emit(MessageQueued(number))
        journal.flush()
        if number % 50 == 0:
            print(number, flush=True)
""")


class Bench:
    """Journals in one folder; time goes on by a millisecond with every look at the clock."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.now = datetime(2024, 1, 17, 20, 11, 6, tzinfo=UTC)
        self.scheduled: list[Callable[[], None]] = []

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def journal(self, source: str = "worker-1", **settings: int) -> Journal:
        return Journal(
            self.logs,
            source,
            clock=self.clock,
            schedule=lambda callback: self.scheduled.append(callback),
            settings=LogSettings(**settings),
        )

    def turn(self) -> None:
        """The event loop's next turn."""
        scheduled, self.scheduled = self.scheduled, []
        for callback in scheduled:
            callback()

    def recorded(self, name: str = "events-worker-1.jsonl") -> list[Event]:
        return [decode(line).event for line in (self.logs / name).read_bytes().splitlines(keepends=True)]

    def lines(self, name: str = "mail.log") -> list[str]:
        """The texts of the mail log."""
        text = (self.logs / name).read_text(encoding="utf-8")
        assert text.endswith("\n")
        return [line.partition(" 2024 ")[2] for line in text.splitlines()]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone is one that the tests know."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
