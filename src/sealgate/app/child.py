"""The entry of every child process: take over, serve, end."""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path

import uvloop

from sealgate.app.control import Control
from sealgate.app.logs import open_journal
from sealgate.app.worker import Worker
from sealgate.net.tls.library import measure_library
from sealgate.process.channel import ChannelClosed, ChannelError
from sealgate.process.child import connect

SWITCH = 0.0005
"""Seconds that one thread may keep the interpreter while another wants it: a finished sync must not wait long."""


def run_child(name: str, fd: int, home: Path) -> int:
    """Be the child of that name until the supervisor says stop (0) or is gone (1)."""
    try:
        uvloop.run(_run(fd, home))
    except ChannelClosed:
        return 1
    except ChannelError as error:
        print(f"sealgate {name}: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(fd: int, home: Path) -> None:
    connection = await connect(fd)
    name = connection.start.child
    journal = open_journal(home, name, connection.start.payload["configuration"])
    library = measure_library()
    sys.setswitchinterval(SWITCH)
    kind = Control if name == "control" else Worker
    child = kind(connection, home, journal, library)
    await child.start()
    try:
        await connection.serve(child)
    finally:
        journal.flush()


def utc_now() -> datetime.datetime:
    """The clock of the record."""
    return datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
