"""Whether one spool has room for new mail: free space on its disk, and messages in its queue.

Accepting stops before the disk is full, so that what becomes of the queue can still be written; it goes on once there
is clearly more room, so that it does not stop and start with every message.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from sealgate.event.facts import AcceptingResumed, AcceptingStopped, DiskLow, Event
from sealgate.store.message import SpoolFault

LOOK = 1.0
"""Seconds between two readings of the disk; between them what this spool writes is subtracted."""

MIB = 1 << 20


def free_space(folder: Path) -> int:
    """Bytes that may still be written to the file system of a folder."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _nobody(event: Event) -> None:
    """Nobody wants to know."""


class Room:
    """Counts what is there and what is coming. Every method belongs to the event loop, and costs no system call but
    `look`."""

    def __init__(
        self,
        folder: Path,
        worker: int = 0,
        emit: Callable[[Event], None] = _nobody,
        measure: Callable[[Path], int] = free_space,
    ) -> None:
        """Of the spool in `folder`, which belongs to that worker. Until `limit` is called there is always room."""
        self._folder = folder
        self._worker = worker
        self._emit = emit
        self._measure = measure
        self._reserve = 0
        self._most: int | None = None
        self._free = 0
        self._written = 0
        self._coming = 0
        self._spare = 0
        self._messages = 0
        self._disk_full = self._queue_full = self._low = self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def limit(self, reserve: int, messages: int) -> None:
        """From now on leave `reserve` bytes free for what is not new mail, and queue so many messages at most."""
        self._reserve, self._most = reserve, messages
        self._judge()

    def start(self, messages: int, survey: Callable[[], None] = lambda: None) -> None:
        """The spool is open and has so many messages; from now on the disk is read every second.

        `survey` is called as often, and may tell of `spare` room.
        """
        self._messages = messages
        self._survey = survey
        self._beat()

    def stop(self) -> None:
        """The disk need not be watched any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._beat)
        self.look()
        self._survey()

    def look(self) -> None:
        """Read the disk. One that cannot be read has no room."""
        try:
            self._free = self._measure(self._folder)
        except OSError:
            self._free = 0
        self._written = 0
        self._judge()

    # -- what the spool tells

    def coming(self, size: int) -> None:
        """So many bytes have been asked to be written."""
        self._coming += size
        self._judge()

    def came(self, size: int) -> None:
        """They have been, or will not be."""
        self._coming -= size
        self._written += size

    def spare(self, size: int) -> None:
        """The database has so many bytes for new mail without growing: it keeps the room of what has left it."""
        self._spare = size
        self._judge()

    def count(self, messages: int) -> None:
        """So many messages more, or fewer, are in the spool or on their way into it."""
        self._messages += messages
        self._judge()

    # -- what is asked of it

    @property
    def is_full(self) -> bool:
        """Whether new mail should wait."""
        return self._disk_full or self._queue_full

    @property
    def is_spent(self) -> bool:
        """Whether half of the reserve is gone as well: then not even a message under way may go on."""
        return self._reserve > 0 and self._left() < self._reserve // 2

    def fits(self, size: int) -> bool:
        """Whether a message that is announced with so many bytes could go on to its end."""
        return not self._reserve or self._left() - size >= self._reserve // 2

    def objection(self) -> SpoolFault | None:
        """Why a message that has come in meanwhile cannot be kept."""
        if self._most is not None and self._messages >= self._most:
            return SpoolFault("full", self._crowded())
        return SpoolFault("full", self.sentence()) if self.is_spent else None

    def _left(self) -> int:
        return self._free - self._written - self._coming

    def _judge(self) -> None:
        if self._timer is None:
            return  # nothing has been read yet
        left, reserve = self._left(), self._reserve
        clearly = reserve // 8
        # Spare room counts, or accepting would never go on after a queue of small messages has filled the disk.
        short = left + self._spare < reserve + (clearly if self._disk_full else 0)
        self._disk_full = short or self.is_spent
        if self._most is not None:
            few = max(1, self._most // 20)
            self._queue_full = self._messages > self._most - (few if self._queue_full else 1)
        low = left < 2 * reserve + (clearly if self._low else 0)
        self._tell(low)

    def _tell(self, low: bool) -> None:
        """State what is different from what was said last."""
        if low and not (self._low or self._disk_full):
            self._emit(DiskLow(self._worker, max(0, self._left()), self._reserve))
        self._low = low
        if self.is_full and not self._told:
            why = self.sentence() if self._disk_full else self._crowded()
            self._emit(AcceptingStopped(self._worker, why))
        elif self._told and not self.is_full:
            self._emit(AcceptingResumed(self._worker))
        self._told = self.is_full

    def sentence(self) -> str:
        """How the disk stands."""
        return (
            f"the disk of {self._folder} has {max(0, self._left()) // MIB} MB left, "
            f"and limits.disk_reserve keeps {self._reserve // MIB} MB free"
        )

    def _crowded(self) -> str:
        return f"the queue of worker {self._worker} has {self._messages} messages, its share of limits.queue_messages"
