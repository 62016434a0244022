"""The delivery of one worker as a gateway has it, with a spool on disk and next hops on loopback, but no process."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

from sealgate.config.schema import Configuration
from sealgate.delivery.handling import Handlings
from sealgate.delivery.hosts import HostMemory
from sealgate.delivery.route import Router
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.tools import CarrierTools
from sealgate.event.facts import BounceGenerated, DelayNoticeGenerated, Event, MessageFinished, RelayNoticeGenerated
from sealgate.live.gui import LiveGui
from sealgate.live.resolver import LiveResolver
from sealgate.live.revision import Current, LiveRevision
from sealgate.mail.envelope import ORDINARY, Demands, Recipient
from sealgate.process.ids import IdError
from sealgate.store.spool import NewMessage, Spool, SpoolFault
from tests.config.samples import configuration
from tests.peers.hop import Hop
from tests.peers.ports import HOST

E = TypeVar("E", bound=Event)


NOTICES = (BounceGenerated, DelayNoticeGenerated, RelayNoticeGenerated)

TEXT = b"Subject: hello\r\nMessage-ID: <1@from.example>\r\n\r\nHello.\r\n"


def revision_of(settings: Configuration, number: int = 1) -> LiveRevision:
    """These settings in force, without listeners and certificates."""
    return LiveRevision(number, settings, {}, None, None, LiveGui(settings.gui))


class Rig:
    """Mail goes in by `send`; what becomes of it is in `events`, at the hops, and in the spool."""

    def __init__(self, folder: Path, hop: Hop | None, tables: dict[str, Any]) -> None:
        self.events: list[Event] = []
        self.names: dict[int, list[str]] = {}
        """The recipients of every message, by MID and RID."""
        self.current = Current(self._revision(hop, tables))
        self.spool = Spool(folder)
        self._mids = itertools.count(100)
        self._numbers = True
        dcids = itertools.count(1)
        chance = random.Random(1)
        tools = CarrierTools(
            current=self.current,
            handlings=Handlings(self.current),
            router=Router(self.current, LiveResolver(self.current), chance),
            hosts=HostMemory(time.time, self.events.append),
            next_dcid=lambda: next(dcids),
            emit=self.events.append,
            body=self.spool.load,
            slot=_free,
        )
        self.tools = tools
        self.schedule = Schedule(tools, self.spool, self._next_mid, time.time, chance)

    @staticmethod
    def _revision(hop: Hop | None, tables: dict[str, Any]) -> LiveRevision:
        """Everything goes to the hop, unless the tables say otherwise; from.example is where notices go."""
        routes = [] if hop is None else [{"domain": "*", "hosts": [f"{HOST}:{hop.port}"]}]
        delivery = {"tls": "no", "retry_first": 600.0, "idle_timeout": 0.0, **tables.pop("delivery", {})}
        settings = configuration(**{"routes": routes, "delivery": delivery, **tables})
        return revision_of(settings)

    def _next_mid(self) -> int:
        if not self._numbers:
            raise IdError("no mid is left")
        return next(self._mids)

    @contextmanager
    def no_numbers(self) -> Iterator[None]:
        """For the while the supervisor hands out no ids for messages."""
        self._numbers = False
        yield
        self._numbers = True

    def configure(self, hop: Hop | None = None, **tables: Any) -> None:
        """Another revision, as a swap brings it."""
        self.current.revision = self._revision(hop, tables)

    async def send(
        self,
        *recipients: Recipient | str,
        sender: str | None = "me@from.example",
        demands: Demands = ORDINARY,
        text: bytes = TEXT,
        age: float = 0.0,
    ) -> int:
        """Put a message into the queue; its MID. It came `age` seconds ago."""
        body = self.spool.body()
        body.write(text)
        named = tuple(each if isinstance(each, Recipient) else Recipient(each) for each in recipients)
        message = NewMessage(next(self._mids), sender, named, len(text), time.time() - age, {}, demands)
        self.names[message.mid] = [each.address for each in named]
        stored: asyncio.Future[SpoolFault | None] = asyncio.get_running_loop().create_future()
        self.spool.accept(message, body, stored.set_result)
        assert await stored is None
        self.schedule.add(message.queued())
        return message.mid

    def of(self, kind: type[E]) -> list[E]:
        """The facts of one kind, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, what: Callable[[], Any]) -> Any:
        """The first true value of `what`."""
        end = time.monotonic() + 20
        while not (value := what()):
            assert time.monotonic() < end, self.events
            await asyncio.sleep(0.005)
        return value

    async def facts(self, kind: type[E], count: int = 1) -> list[E]:
        """At least so many facts of one kind."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def finished(self, *mids: int) -> None:
        """Until these messages have left the queue, and with them the notices they led to."""

        def gone() -> bool:
            notices = {each.mid for each in self.events if isinstance(each, NOTICES)}
            return {*mids, *notices} <= {each.mid for each in self.of(MessageFinished)}

        await self.until(gone)


async def _free(domain: str, limit: int) -> Callable[[], None]:
    return lambda: None


@asynccontextmanager
async def delivering(folder: Path, hop: Hop | None, **tables: Any) -> AsyncIterator[Rig]:
    """A delivery that runs; what the spool in the folder holds already is taken over."""
    rig = Rig(folder, hop, tables)
    for queued in await rig.spool.start():
        rig.schedule.add(queued)
    try:
        yield rig
    finally:
        await rig.schedule.stop(5.0)
        await rig.spool.stop()


def notices(hop: Hop) -> list[Message]:
    """The reports among what a hop has taken."""
    read = [message_from_bytes(message) for message in hop.messages]
    return [message for message in read if message.get_content_type() == "multipart/report"]


def report(notice: Message) -> tuple[str, dict[str, dict[str, str]]]:
    """Subject of a notice, and the fields about each recipient by its address."""
    status = notice.get_payload(1)
    assert isinstance(status, Message)
    text = status.as_bytes().decode().replace("\r\n", "\n").partition("\n\n")[2]
    found: dict[str, dict[str, str]] = {}
    for block in text.strip().split("\n\n")[1:]:
        unfolded = block.replace("\n    ", " ")
        fields = dict(line.split(": ", 1) for line in unfolded.split("\n"))
        found[fields["Final-Recipient"].partition("; ")[2]] = fields
    return str(notice["Subject"]), found
