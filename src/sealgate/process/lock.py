"""The lock on a home directory: one gateway at a time, its children included.

The lock is flock(2) on a descriptor that every child inherits, so it lasts until the last of them is gone:
after a supervisor has been killed, the next one cannot start workers on spools that are still being written.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path


class HomeInUse(Exception):
    """Another gateway runs on this home; the text is a sentence."""


async def lock_home(home: Path, patience: float) -> int:
    """The descriptor that holds the lock. Waits `patience` seconds for an earlier gateway to end."""
    path = home / "gateway.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        async with asyncio.timeout(patience):
            while not _locked(fd):
                await asyncio.sleep(0.05)
    except TimeoutError:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise HomeInUse(
            f"another gateway runs on {home} (it was started as process {holder}): stop it, its children too"
        ) from None
    except BaseException:
        os.close(fd)
        raise
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode("ascii"), 0)
    return fd


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
