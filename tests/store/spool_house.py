"""What the tests of the spool share: messages, and the callbacks of the spool as something to await."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sealgate.mail.envelope import Demands, Notify, Recipient
from sealgate.store.body import SMALL
from sealgate.store.room import Room
from sealgate.store.spool import BodyWriter, NewMessage, Queued, RecipientChange, Spool, SpoolFault

LARGE = SMALL * 5 + 1
"""Bytes of a body that lies in a file and comes in several pieces."""


def recipient(rid: int) -> Recipient:
    """One that asks for something else than its neighbours."""
    notify = (None, Notify.NEVER, Notify.SUCCESS | Notify.DELAY)[rid % 3]
    return Recipient(f"someone-{rid}@inside.example", notify, f"rfc822;original-{rid}@inside.example" if rid else "")


def message(mid: int, recipients: int = 1, size: int = 100) -> NewMessage:
    """A message that differs from others in every field that may."""
    return NewMessage(
        mid=mid,
        sender=f"sender-{mid}@load.example" if mid % 5 else None,
        recipients=tuple(recipient(rid) for rid in range(recipients)),
        size=size,
        demands=Demands(mid % 2 == 0, mid % 3 == 0, mid % 7 == 0, "FULL" if mid % 4 == 0 else "", f"id+2B{mid}"),
        received_at=1_700_000_000.123 + mid,
        origin={"icid": mid},
    )


def text(mid: int, size: int) -> bytes:
    """A body that can be told from all others, also in its middle."""
    line = b"%d says it again.\r\n" % mid
    return (line * (size // len(line) + 1))[:size]


def fill(body: BodyWriter, data: bytes, piece: int = 16384) -> BodyWriter:
    """Write it as a session would, without minding whether the disk keeps up."""
    for start in range(0, len(data), piece):
        body.write(data[start : start + piece])
    return body


def accept(spool: Spool, new: NewMessage, data: bytes) -> asyncio.Future[SpoolFault | None]:
    """`Spool.accept` as a future."""
    told: asyncio.Future[SpoolFault | None] = asyncio.get_running_loop().create_future()
    spool.accept(new, fill(spool.body(), data), told.set_result)
    return told


def settle(
    spool: Spool,
    mid: int,
    changes: Sequence[RecipientChange],
    finished: bool,
    notice: tuple[NewMessage, bytes] | None = None,
) -> asyncio.Future[SpoolFault | None]:
    """`Spool.settle` as a future."""
    told: asyncio.Future[SpoolFault | None] = asyncio.get_running_loop().create_future()
    spool.settle(mid, changes, finished, notice=notice, done=told.set_result)
    return told


async def mids(spool: Spool) -> list[int]:
    """Every message that the database holds, oldest first."""
    return await spool._read(
        lambda connection: [mid for (mid,) in connection.execute("SELECT mid FROM message ORDER BY mid")]
    )


async def load(spool: Spool, mid: int) -> bytes:
    """The whole body."""
    return b"".join([piece async for piece in spool.load(mid)])


@asynccontextmanager
async def running(folder: Path, room: Room | None = None) -> AsyncIterator[tuple[Spool, list[Queued]]]:
    """A started spool and what it found; stopped in the end."""
    spool = Spool(folder, room)
    queue = await spool.start()
    try:
        yield spool, queue
    finally:
        await spool.stop()
