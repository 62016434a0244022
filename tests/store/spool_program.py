"""A process that uses a spool until it is killed, and says on its standard output what it was told.

`… accept FOLDER FIRST` accepts and settles messages from that MID on, `… adopt FOLDER OTHER` takes a spool over.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from sealgate.store.body import SMALL
from sealgate.store.spool import RecipientChange, Spool, SpoolFault
from tests.store.spool_house import LARGE, fill, message, text

SIZES = (100, 2_000, SMALL, SMALL + 1, LARGE)
CONCURRENT = 20
STAYS = 8  # one message in so many is not settled


def size(mid: int) -> int:
    """Bytes of that message's body."""
    return SIZES[mid % len(SIZES)]


def say(word: str, mid: int = 0) -> None:
    """One line, in one write: it is said whole or not at all."""
    os.write(1, b"%s %d\n" % (word.encode("ascii"), mid))


def accept_next(spool: Spool, mids: Iterator[int]) -> None:
    """Accept a message; once it is kept, settle it and go on with the next."""
    mid = next(mids)

    def kept(fault: SpoolFault | None) -> None:
        assert fault is None, fault
        say("kept", mid)
        if mid % STAYS:
            say("leaving", mid)
            spool.settle(mid, [RecipientChange.done(0, "250 ok")], True, done=lambda _: say("left", mid))
        accept_next(spool, mids)

    spool.accept(message(mid), fill(spool.body(), text(mid, size(mid))), kept)


async def main(act: str, folder: Path, argument: str) -> None:
    spool = Spool(folder)
    await spool.start()
    if act == "adopt":
        say("adopting")
        await spool.adopt(Path(argument))
        say("adopted")
    else:
        mids = itertools.count(int(argument))
        for _ in range(CONCURRENT):
            accept_next(spool, mids)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
