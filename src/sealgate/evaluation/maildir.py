"""A Maildir: one file a message, written in `tmp`, durable and whole when it appears in `new`."""

from __future__ import annotations

import os
from pathlib import Path


class Maildir:
    """Receives messages of any size into a folder that every mail reader knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for part in ("tmp", "new", "cur"):
            (path / part).mkdir(parents=True, exist_ok=True)
        self._count = 0

    def begin(self, now: float) -> MaildirFile:
        """A new file, not visible yet."""
        self._count += 1
        return MaildirFile(self.path, f"{now:.6f}.P{os.getpid()}Q{self._count}.sealgate")


class MaildirFile:
    """One message being written."""

    def __init__(self, folder: Path, name: str) -> None:
        self._temporary = folder / "tmp" / name
        self._final = folder / "new" / name
        self._file = self._temporary.open("wb")

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)

    def keep(self) -> None:
        """Make it durable and visible."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.rename(self._final)

    def discard(self) -> None:
        """As if it had never been."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)
