"""Bodies of messages: in memory while they are small, in files of their own once they are large.

A large body is `bodies/<mid>` when it is whole and durable; until then its name ends in `.part`.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
from collections.abc import Callable, Collection
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from sealgate.store.message import SpoolFault
from sealgate.store.room import Room

SMALL = 64 * 1024
"""Bytes that a body may have and still need no file."""

PIECE = 128 * 1024
"""Bytes of a large body that go to the disk together."""

AHEAD = 2 * PIECE
"""Bytes of one body on their way to the disk; with more, the peer is asked to wait."""

WRITERS = 4
"""Threads that write large bodies: the sync of one does not hold up all the others."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; syncing a file makes only its content so."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class BodyWriter:
    """Takes one body as it comes in. It ends by `Spool.accept` or by `discard`, once."""

    def __init__(self, part: Path, disk: Executor, room: Room) -> None:
        """`disk` has one thread, which keeps the pieces in order."""
        self._part = part
        self._disk = disk
        self._room = room
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._under_way = 0
        self._resume: Callable[[], None] | None = None
        self.is_large = False
        # These two belong to the thread.
        self._file: int | None = None
        self._fault: SpoolFault | None = None

    def write(self, data: bytes, resume: Callable[[], None] | None = None) -> bool:
        """Append; False if the source should wait until `resume` is called. What goes wrong is said at the end."""
        self._pieces.append(data)
        self._gathered += len(data)
        if self._gathered > (PIECE if self.is_large else SMALL):
            self.is_large = True
            self._hand_over()
        if self._under_way <= AHEAD:
            return True
        self._resume = resume
        return False

    def whole(self) -> bytes:
        """A small body."""
        return b"".join(self._pieces)

    def keep(self, path: Path, told: Callable[[SpoolFault | None], None]) -> None:
        """A large body is complete: sync it, and call it `path`; `told` hears when that is done, or why it is not.

        The name is durable with its folder's next sync.
        """
        pieces, self._pieces = self._pieces, []
        future = asyncio.get_running_loop().run_in_executor(self._disk, self._finish, pieces, path)

        def finished(done: asyncio.Future[SpoolFault | None]) -> None:
            self._room.look()
            told(done.result())

        future.add_done_callback(finished)

    def discard(self) -> None:
        """Nothing of it stays."""
        self._pieces, self._resume = [], None
        if self.is_large:
            self._disk.submit(self._remove)

    def _hand_over(self) -> None:
        pieces, size = self._pieces, self._gathered
        self._pieces, self._gathered = [], 0
        self._under_way += size
        self._room.coming(size)
        if self._room.is_spent:
            self._disk.submit(self._give_up, self._room.sentence())
        future = asyncio.get_running_loop().run_in_executor(self._disk, self._append, pieces)
        future.add_done_callback(lambda _: self._written(size))

    def _written(self, size: int) -> None:
        self._under_way -= size
        self._room.came(size)
        if self._resume is not None and self._under_way <= AHEAD:
            resume, self._resume = self._resume, None
            resume()

    # -- in the thread

    def _append(self, pieces: list[bytes]) -> None:
        if self._fault is not None:
            return
        try:
            if self._file is None:
                self._file = os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            rest = memoryview(b"".join(pieces))
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self._fail(error)

    def _finish(self, pieces: list[bytes], path: Path) -> SpoolFault | None:
        self._append(pieces)
        if self._file is None:
            return self._fault
        try:
            os.fsync(self._file)
            if path.exists():  # a renaming would put this body in the place of another
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
            self._part.rename(path)
        except OSError as error:
            self._fail(error)
        else:
            os.close(self._file)
            self._file = None
        return self._fault

    def _fail(self, error: OSError) -> None:
        self._fault = SpoolFault.of(error, f"cannot write {error.filename or self._part}")
        self._remove()  # that makes room for others at once

    def _give_up(self, sentence: str) -> None:
        if self._fault is None:
            self._fault = SpoolFault("full", sentence)
        self._remove()

    def _remove(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._part.unlink(missing_ok=True)


class Bodies:
    """The folder of the large bodies of one spool."""

    def __init__(self, folder: Path, room: Room) -> None:
        self._folder = folder
        self._room = room
        self._numbers = itertools.count(1)
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix="spool-body") for _ in range(WRITERS)]
        self._disks = itertools.cycle(self._threads)
        self._kept: list[int] | None = None

    def path(self, mid: int) -> Path:
        """Where the body of that message is, once it is durable."""
        return self._folder / str(mid)

    def writer(self) -> BodyWriter:
        """For the next body."""
        return BodyWriter(self._folder / f"{next(self._numbers)}.part", next(self._disks), self._room)

    def remove(self, mid: int) -> None:
        """Its message has left; if the file cannot be removed now, the next start does it."""
        if self._kept is not None:
            self._kept.append(mid)
        else:
            next(self._disks).submit(self.path(mid).unlink, missing_ok=True)

    def keep_all(self) -> None:
        """Until `let_go` remove nothing: a copy is being made."""
        self._kept = []

    def let_go(self) -> None:
        """Remove what has left meanwhile."""
        kept, self._kept = self._kept or [], None
        for mid in kept:
            self.remove(mid)

    def sweep(self, kept: Collection[int]) -> None:
        """Remove what a crash left behind: every file that is not the body of one of these messages."""
        names = {str(mid) for mid in kept}
        for path in self._folder.iterdir():
            if path.name not in names:
                path.unlink()

    def take_over(self, folder: Path) -> None:
        """Give the bodies in another spool's folder a name here too, durably."""
        for path in folder.iterdir():
            if path.suffix != ".part" and not (self._folder / path.name).exists():
                os.link(path, self._folder / path.name)
        sync_folder(self._folder)

    async def drain(self) -> None:
        """Wait until the disk has done all that it was asked for until now."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(thread, lambda: None) for thread in self._threads))
