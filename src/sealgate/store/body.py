"""The body of a message on its way in: in memory while small, in a file once large. Memory does not grow with it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from sealgate.store.message import SpoolFault

SMALL = 64 * 1024
"""Bytes that a body may have to lie in its row."""

PENDING = 256 * 1024
"""Bytes waiting for the disk before the peer is asked to wait."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a synced file without its name is lost all the same."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fault_of(error: Exception, what: str) -> SpoolFault:
    """An error of the disk or of SQLite as a sentence."""
    number = error.errno if isinstance(error, OSError) else None
    full = number in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(error)
    return SpoolFault("full" if full else "error", f"{what}: {error}")


class BodyWriter:
    """Receives one body. Ends by `finish` or `discard`."""

    def __init__(self, path: Path, disk: Executor) -> None:
        self._path = path
        self._disk = disk
        self._loop = asyncio.get_running_loop()
        self._memory: list[bytes] = []
        self._size = 0
        self._file: int | None = None
        self._large = False
        self._writing = False
        self._pending = 0
        self._resume: Callable[[], None] | None = None
        self._fault: SpoolFault | None = None
        self._finished: Callable[[bytes | None, str | None, SpoolFault | None], None] | None = None
        self._discarded = False

    def write(self, data: bytes, resume: Callable[[], None] | None = None) -> bool:
        """Append; False if the source should wait until `resume` is called."""
        self._memory.append(data)
        self._size += len(data)
        self._pending += len(data)
        if not self._large and self._size <= SMALL:
            return True
        self._large = True
        self._next()
        if self._pending <= PENDING:
            return True
        self._resume = resume
        return False

    def finish(self, done: Callable[[bytes | None, str | None, SpoolFault | None], None]) -> None:
        """No more comes: `done` gets the bytes of a small body or the name of a file that is durable."""
        if not self._large:
            done(b"".join(self._memory), None, None)
            return
        self._finished = done
        self._next()

    def discard(self) -> None:
        """It is not wanted."""
        self._discarded = True
        self._memory = []
        if self._large:
            self._next()

    def _next(self) -> None:
        """One piece of work for the disk at a time, in order."""
        if self._writing:
            return
        if self._discarded:
            if self._file is not None:
                self._start(self._drop)
            return
        if self._memory and self._fault is None:
            data, self._memory = b"".join(self._memory), []
            self._start(lambda: self._append(data))
        elif self._finished is not None:
            self._start(self._sync)

    def _start(self, work: Callable[[], str | None]) -> None:
        self._writing = True
        self._loop.run_in_executor(self._disk, work).add_done_callback(self._worked)

    def _worked(self, future: asyncio.Future[str | None]) -> None:
        self._writing = False
        error = future.exception()
        if error is not None:
            self._fault = fault_of(error, f"cannot write {self._path}")  # type: ignore[arg-type]
            self._memory = []
        self._pending = sum(map(len, self._memory))
        resume, self._resume = self._resume, None
        if resume is not None:
            resume()
        name = None if error is not None else future.result()
        if self._finished is not None and not self._discarded and (name or self._fault):
            done, self._finished = self._finished, None
            if self._fault is not None:
                done(None, None, self._fault)
                self.discard()
            else:
                done(None, name, None)
            return
        self._next()

    # -- in a thread of the disk

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def _sync(self) -> str:
        assert self._file is not None
        os.fsync(self._file)
        os.close(self._file)
        self._file = None
        sync_folder(self._path.parent)
        return self._path.name

    def _drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._path.unlink(missing_ok=True)
