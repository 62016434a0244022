"""A file that is only ever appended to, whole lines at a time, by one process or by several.

It goes on after everything that happens to logs: a full disk, a line torn by a crash, a rename or removal by
whoever rotates logs. Each append is one write to a descriptor opened with O_APPEND, so lines of several
processes never mix.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_MODE = 0o640  # mail logs tell who writes to whom


class LogFile:
    """One log and its rotated predecessors, named `stem.STAMP.suffix` beside it."""

    def __init__(
        self,
        path: Path,
        *,
        size: int,
        keep: int,
        stamp: Callable[[], str],
        head: Callable[[], bytes],
        confess: Callable[[int, str], bytes],
        rotated: Callable[[], None],
    ) -> None:
        """The log is rotated at `size` bytes, the newest `keep` predecessors stay, `stamp` names them in order.

        A new file begins with `head()`. `confess(count, sentence)` is the line that tells of lost ones,
        `rotated` is called after a rotation.
        """
        self._path = path
        self.limit(size, keep)
        self._stamp = stamp
        self._head = head
        self._confess = confess
        self._rotated = rotated
        self._fd: int | None = None
        self._file: os.stat_result
        self._unsure = True  # whether the file ends with a whole line
        self._lost = 0
        self._why = ""

    def limit(self, size: int, keep: int) -> None:
        """From now on rotate at `size` bytes, and keep the newest `keep` predecessors."""
        self._size = size
        self._keep = keep

    def append(self, lines: bytes) -> None:
        """Write these lines; those that cannot be written are counted, never raised."""
        mend = b""
        written = 0
        try:
            fd = self._current()
            mend = _missing_end(fd) if self._unsure else b""
            data = mend + lines + (self._confess(self._lost, self._why) if self._lost else b"")
            while written < len(data):  # a disk that fills up takes a part first, and only then says so
                written += os.write(fd, data[written:])
            self._unsure = False
            self._lost = 0
        except OSError as error:
            self._unsure = True
            self._lost += lines.count(b"\n", max(0, written - len(mend)))
            self._why = f"{self._path.name} could not be written: {error.strerror or error}"

    def close(self) -> None:
        """Let go of the file; the next append opens it anew."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _current(self) -> int:
        """A descriptor of the file that has the name now, rotated first if it has grown too large."""
        if self._fd is not None:
            size = self._size_here()
            if (size >= self._size and self._rotate(self._fd)) or size < 0:
                self.close()
        if self._fd is None:
            self._fd = self._open()
            self._file = os.fstat(self._fd)
            self._unsure = True
        return self._fd

    def _size_here(self) -> int:
        """The size of our file if it still has the name; -1 if it has been renamed or removed."""
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return -1
        return there.st_size if os.path.samestat(there, self._file) else -1

    def _open(self) -> int:
        while True:  # another process may rotate the file away between its creation and its opening
            try:
                return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            except FileNotFoundError:
                self._create()

    def _create(self) -> None:
        """Several processes may do this at once: the file appears with its head, or not at all."""
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        try:
            head = self._head()
            if os.write(fd, head) < len(head):
                raise OSError("there is no room for the head of a new file")
            with suppress(FileExistsError):
                os.link(draft, self._path)
        finally:
            os.close(fd)
            os.unlink(draft)

    def _rotate(self, fd: int) -> bool:
        """Of several processes one renames the file; the others notice at their next append."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._size_here() >= 0:
                self._path.rename(self._path.with_name(f"{self._path.stem}.{self._stamp()}{self._path.suffix}"))
                self._prune()
                self._rotated()
        except OSError:
            return False  # another process is at it; and a log that cannot be rotated is still a log
        return True

    def _prune(self) -> None:
        for old in predecessors(self._path)[: -self._keep or None]:
            old.unlink(missing_ok=True)


def predecessors(path: Path) -> list[Path]:
    """The rotated files of a log, oldest first."""
    return sorted(path.parent.glob(f"{path.stem}.[0-9]*{path.suffix}"))


def _missing_end(fd: int) -> bytes:
    """What makes the last line whole."""
    size = os.fstat(fd).st_size
    return b"\n" if size and os.pread(fd, 1, size - 1) != b"\n" else b""
