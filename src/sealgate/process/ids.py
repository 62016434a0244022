"""Ids (MID, ICID, DCID, HCID): unique across processes and restarts, handed to the children in blocks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from sealgate.process.channel import Channel, ChannelError

KINDS = ("mid", "icid", "dcid", "hcid")
KINDS_OF_MAIL = ("mid", "icid", "dcid")
RESERVE = 10_000  # ids made durable at a time; the most that a crash skips
MOST = 100_000  # ids that one request may take
RAISE = 10_000_000  # ids that are skipped when the file comes from a backup
BLOCK = 2_000  # ids that a worker asks for; it asks again when half of them are left


class IdError(Exception):
    """Ids cannot be handed out; the text is a sentence."""


class IdBook:
    """The supervisor's side. `path` holds, per kind, a number that no id handed out has ever exceeded."""

    def __init__(self, path: Path) -> None:
        """Read the file, or begin at 1 when there is none. Raises IdError when it cannot be understood."""
        self._path = path
        self._reserved = dict.fromkeys(KINDS, 0) | _read(path)
        self._last = dict(self._reserved)

    def take(self, kind: str, count: int) -> tuple[int, int]:
        """`count` ids of `kind` that nobody had before: (first, last). Raises IdError; waits for the disk."""
        if kind not in self._last or not 1 <= count <= MOST:
            raise IdError(f"cannot hand out {count} ids of the kind {kind!r}")
        first, last = self._last[kind] + 1, self._last[kind] + count
        if last > self._reserved[kind]:
            self._reserve(self._reserved | {kind: last + RESERVE})
        self._last[kind] = last
        return first, last

    def close(self) -> None:
        """At an orderly end, give the unused rest back, so that the next start goes on without a gap."""
        with contextlib.suppress(IdError):  # a gap does no harm
            self._reserve(self._last)

    def _reserve(self, numbers: dict[str, int]) -> None:
        try:
            _write(self._path, numbers)
        except OSError as error:
            raise IdError(f"cannot store the last ids used in {self._path}: {error.strerror}") from error
        self._reserved = dict(numbers)


def highest(path: Path) -> dict[str, int]:
    """No id handed out so far is above these; empty where there is no file, or none that can be understood."""
    try:
        return _read(path)
    except IdError:
        return {}


def raise_ids(path: Path, *known: Mapping[str, int]) -> None:
    """Make the next ids higher than those in the file and all that are known, and than those given since, unknown.

    For numbers that come from a backup: the gateway has gone on after it was taken. Raises IdError.
    """
    numbers = _read(path)
    for each in known:
        numbers |= {kind: max(number, numbers.get(kind, 0)) for kind, number in each.items()}
    try:
        _write(path, {kind: numbers.get(kind, 0) + RAISE for kind in {*KINDS, *numbers}})
    except OSError as error:
        raise IdError(f"cannot store the last ids used in {path}: {error.strerror}") from error


def _read(path: Path) -> dict[str, int]:
    # A guess at damaged numbers could repeat an id, and with it overwrite a message: rather refuse.
    try:
        numbers = json.loads(path.read_text("ascii"))
        if not isinstance(numbers, dict) or not all(type(n) is int and n >= 0 for n in numbers.values()):
            raise ValueError("it does not hold one number per kind")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise IdError(
            f"cannot read the last ids used from {path}: {error}. "
            f'Write numbers above all that the mail log shows, such as {{"mid": 1000000, …}}.'
        ) from error
    return numbers


def _write(path: Path, numbers: dict[str, int]) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="ascii") as file:
        json.dump(numbers, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name is durable only with its folder
    finally:
        os.close(folder)


class Ids:
    """A child's side: `next` never waits, because ids are fetched ahead."""

    def __init__(self, channel: Channel, kinds: Sequence[str] = KINDS_OF_MAIL) -> None:
        self._channel = channel
        self._stock: dict[str, deque[int]] = {kind: deque() for kind in kinds}
        self._refills: dict[str, asyncio.Task[None]] = {}

    async def prepare(self) -> None:
        """Fetch the first block of every kind. Raises ChannelError with the supervisor's sentence."""
        for kind in self._stock:
            await self._fetch(kind)

    def next(self, kind: str) -> int:
        """The next id. Raises IdError when the supervisor gave no more; it has then been asked again."""
        stock = self._stock[kind]
        if len(stock) <= BLOCK // 2 and kind not in self._refills:
            self._refills[kind] = task = asyncio.ensure_future(self._refill(kind))
            task.add_done_callback(lambda _: self._refills.pop(kind))
        if not stock:
            raise IdError(f"no {kind} is left: the supervisor has handed out no more")
        return stock.popleft()

    async def _refill(self, kind: str) -> None:
        with contextlib.suppress(ChannelError, TimeoutError):  # next() asks again, and fails when it must
            await self._fetch(kind)

    async def _fetch(self, kind: str) -> None:
        block = await self._channel.request("ids", {"kind": kind, "count": BLOCK})
        self._stock[kind].extend(range(block["first"], block["last"] + 1))
