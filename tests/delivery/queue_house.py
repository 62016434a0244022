"""A schedule on a real spool whose destinations give no connection, so that a queue stands still to be worked on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sealgate.config.schema import Configuration
from sealgate.delivery.handling import Handlings
from sealgate.delivery.hosts import HostMemory
from sealgate.delivery.message import Message, Waiting
from sealgate.delivery.operator import Operator
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.tools import CarrierTools
from sealgate.event.facts import Event
from sealgate.mail.envelope import ORDINARY, Recipient
from sealgate.store.spool import NewMessage, Spool
from tests.config.samples import data

NOW = 1_700_000_000.0


def message(
    mid: int, *addresses: str, sender: str | None = "me@me.example", held: bool = False, attempts: int = 0
) -> Message:
    """One as it waits."""
    waiting = {rid: Waiting(rid, address, attempts) for rid, address in enumerate(addresses or ("a@b.example",))}
    return Message(mid, sender, 100, NOW + mid, ORDINARY, held=held, waiting=waiting)


async def _never(domain: str, limit: int) -> Callable[[], None] | None:
    await asyncio.Event().wait()
    return None


@dataclass
class House:
    """A worker's queue without a network."""

    spool: Spool
    schedule: Schedule
    operator: Operator
    events: list[Event] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)

    async def accept(self, mid: int, *addresses: str, sender: str | None = "me@me.example") -> Message:
        """Keep a message and take it over, as a session does."""
        new = NewMessage(mid, sender, tuple(map(Recipient, addresses)), 10, NOW - 60, {"icid": mid})
        durable: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        body = self.spool.body()
        body.write(b"Subject: %d\r\n\r\nHello.\r\n" % mid)
        self.spool.accept(new, body, durable.set_result)
        assert await durable is None
        self.schedule.add(new.queued())
        found = self.schedule.register.get(mid)
        assert found is not None
        return found

    def said(self, kind: type[Event]) -> list[Any]:
        """The facts of that kind."""
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """One that runs; its spool goes on where the last one in this folder ended."""
    events: list[Event] = []
    suspended: set[str] = set()
    spool = Spool(folder)
    queue = await spool.start()
    current = SimpleNamespace(revision=SimpleNamespace(configuration=Configuration.model_validate(data())))
    tools = CarrierTools(
        current=current,  # type: ignore[arg-type]
        handlings=Handlings(current),  # type: ignore[arg-type]
        hosts=HostMemory(lambda: NOW, events.append),
        router=None,  # type: ignore[arg-type]
        next_dcid=lambda: 1,
        emit=events.append,
        body=spool.load,
        slot=_never,
    )
    mids = iter(range(1_000_000, 2_000_000))
    chance = random.Random(1)
    schedule = Schedule(tools, spool, lambda: next(mids), lambda: NOW, chance, suspended.__contains__)
    for each in queue:
        schedule.add(each)
    running = House(spool, schedule, Operator(schedule, spool, events.append, lambda: NOW), events, suspended)
    try:
        yield running
    finally:
        await schedule.stop(0.01)
        await spool.stop()
