"""Acts while mail is being delivered: each recipient ends once, whatever happens at the same moment."""

from __future__ import annotations

import asyncio
import random
import re
import time
from pathlib import Path

import pytest

from sealgate.delivery.operator import Operator
from sealgate.delivery.selection import EVERYTHING, Selection
from sealgate.event.facts import Bounced, MessageDeleted, MessageFinished
from tests.delivery.rig import Rig, delivering
from tests.peers.hop import Hop, hop

MESSAGES = 120
DOMAINS = ("one.example", "two.example", "three.example")


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_lost_and_nothing_ends_twice(tmp_path: Path, seed: int) -> None:
    with hop() as peer:
        peer.slowness = 0.003
        async with delivering(tmp_path, peer, delivery={"idle_timeout": 0.5}) as rig:
            operator = Operator(rig.schedule, rig.spool, rig.events.append, time.time)
            sending = asyncio.create_task(_send(rig, random.Random(seed)))
            await _act(rig, operator, random.Random(seed + 100), sending)
            addresses = await sending
            await operator.act("release", EVERYTHING, "root")
            await rig.until(lambda: not rig.schedule.waiting)
            await rig.schedule.ledger.written()
            assert sorted(_ended(rig, peer)) == sorted(addresses)
            assert len({each.mid for each in rig.of(MessageFinished)}) == len(rig.of(MessageFinished)) == MESSAGES
        async with delivering(tmp_path, peer) as again:
            assert again.schedule.waiting == 0  # nothing that was deleted or delivered comes back


async def _send(rig: Rig, chance: random.Random) -> list[str]:
    """Messages for one or several recipients, each with an address of its own."""
    addresses: list[str] = []
    for number in range(MESSAGES):
        named = [f"to-{number}-{index}@{chance.choice(DOMAINS)}" for index in range(chance.randint(1, 4))]
        await rig.send(*named, sender=None)  # no notices
        addresses += named
    return addresses


async def _act(rig: Rig, operator: Operator, chance: random.Random, sending: asyncio.Task[list[str]]) -> None:
    """One act after another while mail comes and goes; some met an attempt."""
    busy = 0
    while not sending.done() or (rig.schedule.waiting and not busy):
        act = chance.choice(("hold", "hold", "release", "retry", "bounce", "delete"))
        selection = Selection(recipient=f"to-*{chance.randint(0, 9)}-*@*", domain=chance.choice(("", *DOMAINS)))
        report = await operator.act(act, selection, "root")
        assert report.fault == ""
        busy += report.busy
        await asyncio.sleep(chance.random() * 0.01)
    assert busy


def _ended(rig: Rig, peer: Hop) -> list[str]:
    """The recipients that a server has taken, and those that were bounced or deleted."""
    taken = [
        re.sub(r"RCPT TO:<(.*?)>.*", r"\1", command)
        for visit in peer.visits
        for command in visit.commands
        if command.startswith("RCPT")
    ]
    gone = [(each.mid, rid) for kind in (Bounced, MessageDeleted) for each in rig.of(kind) for rid in each.rids]
    return taken + [rig.names[mid][rid] for mid, rid in gone]
