"""The lock on a home directory: one gateway at a time, its children included.

The lock is flock(2) on a descriptor that every child inherits, so it lasts until the last of them is gone:
after a supervisor has been killed, the next one cannot start workers on spools that are still being written.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path


class HomeInUse(Exception):
    """Another gateway runs on this home; the text is a sentence."""


async def lock_home(home: Path, patience: float) -> int:
    """The descriptor that holds the lock. Waits `patience` seconds for an earlier gateway to end."""
    fd = _open(home)
    try:
        async with asyncio.timeout(patience):
            while not _locked(fd):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise _in_use(home, fd) from None
    except BaseException:
        os.close(fd)
        raise
    return _signed(fd)


def lock_home_now(home: Path) -> int:
    """The descriptor that holds the lock, for work on a home that is at rest."""
    fd = _open(home)
    if not _locked(fd):
        raise _in_use(home, fd)
    return _signed(fd)


def _open(home: Path) -> int:
    # Root gives this file away: it must be in the home, not where a link in the home leads.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(home / "gateway.lock", flags, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise HomeInUse(f"{home / 'gateway.lock'} is a link, and must be a file of the gateway's; remove it") from error


def _in_use(home: Path, fd: int) -> HomeInUse:
    holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    os.close(fd)
    return HomeInUse(f"another gateway runs on {home} (it was started as process {holder}): stop it, its children too")


def _signed(fd: int) -> int:
    """Who holds it stands in it, for the sentence that others get; on a full disk it does not."""
    os.ftruncate(fd, 0)
    with suppress(OSError):
        os.pwrite(fd, f"{os.getpid()}\n".encode("ascii"), 0)
    return fd


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
