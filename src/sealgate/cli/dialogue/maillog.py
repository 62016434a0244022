"""`tail` and `grep` of the mail log, rotated ones included."""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Question, Refusal, Talk
from sealgate.journal.logfile import predecessors

LOG = "mail_logs"
"""What AsyncOS calls the mail log."""

LAST = 10
"""Lines that `tail` begins with."""

LOOK = 0.3
"""Seconds between two looks for new lines."""


async def tail(talk: Talk) -> None:
    """The last lines; on a terminal those that follow too, until Ctrl-C."""
    _drop_name(talk)
    number = LAST if talk.next_word() is None else _number(talk.drop_word())
    talk.expect_no_more()
    with closing(_Follow(_path(talk))) as follow:
        talk.say(*deque(_lines(_path(talk)), maxlen=number))
        if talk.interactive:
            talk.say("(Ctrl-C ends)")
            await _follow(talk, follow, lambda line: True)


def _number(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 7):
        raise Refusal(f"{typed!r} is no number of lines.")
    return int(typed)


async def grep(talk: Talk) -> None:
    """The lines that match, or those that do not."""
    flags = _flags(talk)
    pattern = await talk.ask(
        Question("Enter the regular expression to grep.", _pattern, help="Type a regular expression, as MID 17 .*TLS.")
    )
    _drop_name(talk)
    if not talk.one_line:
        asked = {
            "i": yes_or_no("Do you want this search to be case insensitive?", True),
            "v": yes_or_no("Do you want to search for non-matching lines?", False),
            "t": yes_or_no("Do you want to tail the logs?", False),
        }
        flags = {flag for flag, question in asked.items() if await talk.ask(question)}
    talk.expect_no_more()
    regex = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)

    def wanted(line: str) -> bool:
        return bool(regex.search(line)) != ("v" in flags)

    with closing(_Follow(_path(talk))) as follow:
        found = 0
        for line in filter(wanted, _lines(_path(talk))):
            talk.say(line)
            found += 1
        if not found:
            talk.say("No line matches.")
        if "t" in flags and talk.interactive:
            await _follow(talk, follow, wanted)


def _flags(talk: Talk) -> set[str]:
    """Of `grep -i -v -t -e PATTERN`."""
    flags: set[str] = set()
    while (word := talk.next_word()) is not None and re.fullmatch("-[ivte]+", word):
        flags.update(talk.drop_word()[1:])
        if word.endswith("e"):
            break
    return flags


def _pattern(typed: str) -> str:
    if not typed:
        raise ValueError("this cannot be left empty; type a regular expression")
    try:
        re.compile(typed)
    except re.error as error:
        raise ValueError(f"{typed!r} is no regular expression: {error}") from None
    return typed


def _drop_name(talk: Talk) -> None:
    """There is one log; AsyncOS wants to hear which."""
    if (talk.next_word() or "").lower() == LOG:
        talk.drop_word()


# -- the files


def _path(talk: Talk) -> Path:
    return talk.home / "logs" / "mail.log"


def _lines(path: Path) -> Iterator[str]:
    """All lines there are, oldest first."""
    for file in [*predecessors(path), path]:
        try:
            with file.open(encoding="utf-8", errors="backslashreplace") as opened:
                yield from (line.rstrip("\n") for line in opened)
        except FileNotFoundError:
            continue  # rotated away meanwhile, or nothing has happened yet
        except OSError as error:
            raise Refusal(f"The mail log cannot be read: {error}.") from error


class _Follow:
    """What is written behind this moment, over rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._rest = ""
        self._open(at_end=True)

    def _open(self, *, at_end: bool = False) -> None:
        try:
            self._file = self._path.open(encoding="utf-8", errors="backslashreplace")
        except OSError:
            self._file = None
            return
        if at_end:
            self._file.seek(0, 2)

    def new(self) -> Iterator[str]:
        """Whole lines."""
        if self._file is None:
            self._open()
        yield from self._read()
        if self._moved():
            yield from self._read()  # what came in between
            if self._file is not None:
                self._file.close()
            self._open()
            yield from self._read()

    def _moved(self) -> bool:
        try:
            here = self._path.stat()
        except OSError:
            return False
        if self._file is None:
            return True
        return os.fstat(self._file.fileno()).st_ino != here.st_ino

    def _read(self) -> Iterator[str]:
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        yield from lines

    def close(self) -> None:
        """No more."""
        if self._file is not None:
            self._file.close()


async def _follow(talk: Talk, follow: _Follow, wanted: Callable[[str], bool]) -> None:
    while True:
        for line in filter(wanted, follow.new()):
            talk.say(line)
        await asyncio.sleep(LOOK)


TAIL = Command(
    "tail", "Show the end of the mail log, and on a terminal what follows.", tail, more=f"tail [{LOG}] [LINES]"
)
GREP = Command(
    "grep",
    "Search the mail log.",
    grep,
    more=f"grep [-i] [-v] [-t] [-e] PATTERN [{LOG}]\n\n"
    "-i in any letter case, -v lines that do not match, -t on a terminal those that follow too.",
)
