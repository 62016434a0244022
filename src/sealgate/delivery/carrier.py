"""One delivery connection from its opening to its good-bye, carrying job after job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sealgate.config.lookup import level_for
from sealgate.delivery import trouble as troubles
from sealgate.delivery.conversation import Conversation, Opened, Opening
from sealgate.delivery.destination import Destination
from sealgate.delivery.hop import Hop, HopLost, connect
from sealgate.delivery.identity import certificate_is_for
from sealgate.delivery.message import Job
from sealgate.delivery.route import Router, Target
from sealgate.delivery.transaction import Fate, deliver
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.event.facts import DeliveryClosed, DeliveryFailed, DeliveryOpened, DeliveryStarted, Event, Note
from sealgate.live.revision import Current, LiveRevision


class Queue(Protocol):
    """What a carrier needs of the schedule."""

    def settled(self, job: Job, dcid: int, fates: Sequence[Fate]) -> None:
        """These recipients have a fate."""

    def give_back(self, job: Job) -> None:
        """The job was not touched; try it on another connection."""

    def out_of_reach(self, destination: Destination, dcid: int, trouble: Trouble) -> None:
        """No host of the destination can be used now, or any more."""

    def connection_ended(self, destination: Destination) -> None:
        """One connection fewer."""


@dataclass(frozen=True, slots=True)
class CarrierTools:
    """What every carrier of a worker shares."""

    current: Current
    router: Router
    next_dcid: Callable[[], int]
    emit: Callable[[Event], None]
    body: Callable[[int], AsyncIterator[bytes]]
    slot: Callable[[str, int], Awaitable[Callable[[], None] | None]]
    """Takes one of the gateway's connections to a domain: gives what frees it, or None if all are taken."""


@dataclass(slots=True)
class _Line:
    """An open connection and the policy it was made under."""

    dcid: int
    hop: Hop
    opened: Opened
    made_under: tuple[object, ...]
    carried: int = 0


class Carrier:
    """Carries the jobs of one destination over one connection at a time."""

    def __init__(self, tools: CarrierTools, queue: Queue, destination: Destination) -> None:
        self._tools = tools
        self._queue = queue
        self._destination = destination
        self._job: Job | None = None

    async def run(self) -> None:
        """Open, carry until nothing is left, close. Never raises for what a peer does."""
        destination = self._destination
        limit = self._tools.current.revision.configuration.delivery.connections_per_destination
        free = None
        try:
            free = await self._tools.slot(destination.domain, limit)
            if free is None:
                await asyncio.sleep(1.0)  # every slot of the gateway is in use; whoever holds one works on
                return
            await self._connect_and_carry()
        except Exception as error:  # a fault of ours: it is said, and the message tried again, never lost
            self._tools.emit(Note("Critical", f"delivery to {destination.domain} met a fault: {error!r}"))
            self._give_up(_own_fault(error))
        finally:
            if free is not None:
                free()
            self._queue.connection_ended(destination)

    def _give_up(self, trouble: Trouble) -> None:
        """Whatever waits for this destination, the job in hand included, is tried again later."""
        job, self._job = self._job, None
        if job is not None:
            self._queue.settled(job, 0, [Fate(rid, None, trouble) for rid in job.rids])
        self._queue.out_of_reach(self._destination, 0, trouble)

    async def _connect_and_carry(self) -> None:
        dcid = 0
        try:
            targets = await self._tools.router.targets(self._destination.domain)
            last: Trouble | None = None
            for target in targets:
                dcid = self._tools.next_dcid()
                line, last = await self._try(dcid, target)
                if line is not None:
                    await self._carry(line)
                    return
            trouble = last or troubles.network(f"no host takes mail for {self._destination.domain}")
        except HopTrouble as error:
            trouble = error.trouble
        self._queue.out_of_reach(self._destination, dcid, trouble)

    async def _try(self, dcid: int, target: Target) -> tuple[_Line | None, Trouble | None]:
        """A line to this target, or why there is none."""
        revision = self._tools.current.revision
        settings = revision.configuration.delivery
        source = settings.source_v6 if ":" in target.ip else settings.source_v4
        hostname = revision.configuration.gateway.hostname
        try:
            hop = await connect(hostname, target.ip, target.port, source, settings.connect_timeout)
        except HopLost as lost:
            self._connection_error(dcid, target, str(lost), source or "")
            return None, troubles.network(f"{target.host} [{target.ip}]:{target.port}: {lost}")
        domain = self._destination.domain
        self._tools.emit(DeliveryOpened(dcid, hop.local_ip, target.ip, target.port, target.host, domain))
        opening = self._opening(dcid, target, revision)
        try:
            opened = await Conversation(hop, opening, self._tools.emit, certificate_is_for).open()
            return _Line(dcid, hop, opened, _policy(revision, domain)), None
        except HopTrouble as error:
            trouble = error.trouble
        except HopLost as lost:
            self._connection_error(dcid, target, str(lost), hop.local_ip)
            trouble = troubles.network(f"{target.host} [{target.ip}]:{target.port}: {lost}")
        hop.close()
        self._tools.emit(DeliveryClosed(dcid))
        return None, trouble

    def _opening(self, dcid: int, target: Target, revision: LiveRevision) -> Opening:
        configuration = revision.configuration
        return Opening(
            dcid=dcid,
            domain=self._destination.domain,
            host=target.host,
            ip=target.ip,
            level=level_for(configuration, self._destination.domain),
            policy=configuration.tls.outbound_smtp.policy(),
            context=revision.outbound,
            context_fault=revision.outbound_fault,
            settings=configuration.delivery,
            server_name=None if target.literal else target.host,
        )

    def _connection_error(self, dcid: int, target: Target, details: str, interface: str) -> None:
        domain = self._destination.domain
        self._tools.emit(DeliveryFailed(dcid, domain, target.ip, target.port, interface, details, "network error"))

    async def _carry(self, line: _Line) -> None:
        try:
            while (job := await self._next_job(line)) is not None:
                if not await self._carry_one(line, job):
                    return
            line.hop.send(line.hop.machine.quit())
        finally:
            line.hop.close()
            self._tools.emit(DeliveryClosed(line.dcid))

    async def _next_job(self, line: _Line) -> Job | None:
        """A job for this line, unless its policy is no longer the one in force or it has carried its share."""
        settings = self._tools.current.revision.configuration.delivery
        if line.carried >= settings.messages_per_connection or not self._still_allowed(line):
            return None
        job = self._job = await self._destination.next_job(settings.idle_timeout)
        if job is not None and (not self._still_allowed(line) or line.hop.lost is not None):
            self._return(job)
            return None
        return job

    def _return(self, job: Job) -> None:
        self._job = None
        self._queue.give_back(job)

    def _settle(self, job: Job, dcid: int, fates: Sequence[Fate]) -> None:
        self._job = None
        self._queue.settled(job, dcid, fates)

    def _still_allowed(self, line: _Line) -> bool:
        return line.made_under == _policy(self._tools.current.revision, self._destination.domain)

    async def _carry_one(self, line: _Line, job: Job) -> bool:
        """One transaction; False if the line is of no more use."""
        settings = self._tools.current.revision.configuration.delivery
        self._tools.emit(DeliveryStarted(line.dcid, job.message.mid, tuple(job.rids)))
        try:
            body = self._tools.body(job.message.mid)
            fates = await deliver(line.hop, line.opened.capabilities, job.parcel, body, settings)
        except HopLost as lost:
            if line.carried and not job.returned:
                job.returned = True
                self._return(job)
            else:
                trouble = troubles.network(str(lost))
                self._settle(job, line.dcid, [Fate(rid, None, trouble) for rid in job.rids])
            return False
        except OSError as error:
            trouble = troubles.Trouble(
                False, "4.3.0", "000", (str(error),), "The message cannot be read from the spool"
            )
            self._settle(job, line.dcid, [Fate(rid, None, trouble) for rid in job.rids])
            return False
        line.carried += 1
        self._settle(job, line.dcid, fates)
        return not any(fate.trouble is not None and fate.trouble.code == "421" for fate in fates)


def _own_fault(error: Exception) -> Trouble:
    return Trouble(False, "4.3.0", "000", (str(error) or type(error).__name__,), "The gateway met a fault of its own")


def _policy(revision: LiveRevision, domain: str) -> tuple[object, ...]:
    """What a pooled connection must have been made under to take another message."""
    return level_for(revision.configuration, domain), revision.outbound
