"""The program of every child process, `python -m sealgate.app.child NAME FD HOME`: take over, serve, end.

Only the supervisor starts it. It is a program of its own so that a child loads what it works with and no more.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from sealgate.app.logs import open_journal
from sealgate.net.tls.library import measure_library
from sealgate.process.channel import ChannelClosed, ChannelError
from sealgate.process.child import connect
from sealgate.store.database import StoreError

if TYPE_CHECKING:
    from sealgate.app.control import Control
    from sealgate.app.worker import Worker

SWITCH = 0.0005
"""Seconds that one thread may keep the interpreter while another wants it: a finished sync must not wait long."""


COLLECT_AFTER = 10_000
"""New objects between two collections; sessions make few cycles, and the default of 700 costs a tenth of the time."""


def run_child(name: str, fd: int, home: Path) -> int:
    """Be the child of that name until the supervisor says stop (0) or is gone (1)."""
    try:
        uvloop.run(_run(fd, home))
    except ChannelClosed:
        return 1
    except (ChannelError, StoreError) as error:
        print(f"sealgate {name}: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(fd: int, home: Path) -> None:
    connection = await connect(fd)
    name = connection.start.child
    journal = open_journal(home, name, connection.start.payload["configuration"])
    library = measure_library()
    sys.setswitchinterval(SWITCH)
    child = _made(name)(connection, home, journal, library)
    await child.start()
    # What has been made by now stays for good: the collector need not walk through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        await connection.serve(child)
    finally:
        journal.flush()


def _made(name: str) -> type[Control] | type[Worker]:
    """What this child is; the other kind is not even loaded, which spares memory and half of the start."""
    if name == "control":
        from sealgate.app.control import Control

        return Control
    from sealgate.app.worker import Worker

    return Worker


if __name__ == "__main__":
    sys.exit(run_child(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
