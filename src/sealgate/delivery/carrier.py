"""One delivery connection from its opening to its good-bye, carrying job after job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from sealgate.delivery import trouble as troubles
from sealgate.delivery.destination import Destination
from sealgate.delivery.dialer import Dialer, Line, made_under
from sealgate.delivery.hop import HopLost
from sealgate.delivery.message import Job
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.transaction import Fate, deliver
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.event.facts import DeliveryClosed, DeliveryStarted, Note


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
        limit = self._tools.handlings.of(destination.domain).connections
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
        try:
            line = await Dialer(self._tools, self._destination.domain).line()
        except HopTrouble as error:
            self._queue.out_of_reach(self._destination, error.dcid, error.trouble)
            return
        await self._carry(line)

    async def _carry(self, line: Line) -> None:
        try:
            while (job := await self._next_job(line)) is not None:
                if not await self._carry_one(line, job):
                    return
            line.hop.send(line.hop.machine.quit())
        finally:
            line.hop.close()
            self._tools.emit(DeliveryClosed(line.dcid))

    async def _next_job(self, line: Line) -> Job | None:
        """A job for this line, unless its policy is no longer the one in force or it has carried its share."""
        most = self._tools.handlings.of(self._destination.domain).messages_per_connection
        if line.carried >= most or not self._still_allowed(line):
            return None
        patience = self._tools.current.revision.configuration.delivery.idle_timeout
        job = self._job = await self._destination.next_job(patience)
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

    def _still_allowed(self, line: Line) -> bool:
        return line.made_under == made_under(self._tools, self._destination.domain)

    async def _carry_one(self, line: Line, job: Job) -> bool:
        """One transaction; False if the line is of no more use."""
        settings = self._tools.current.revision.configuration.delivery
        self._tools.emit(DeliveryStarted(line.dcid, job.message.mid, tuple(job.rids)))
        try:
            body = partial(self._tools.body, job.message.mid)
            fates = await deliver(line.hop, line.opened.capabilities, job.parcel, body, settings)
        except HopLost as lost:
            if line.carried and not (job.returned or line.hop.has_body):
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
        if len(fates) < len(job.rids):
            settled = {fate.rid for fate in fates}
            self._queue.give_back(Job(job.message, job.domain, [rid for rid in job.rids if rid not in settled]))
        return not any(fate.trouble is not None and fate.trouble.code == "421" for fate in fates)


def _own_fault(error: Exception) -> Trouble:
    return Trouble(False, "4.3.0", "000", (str(error) or type(error).__name__,), "The gateway met a fault of its own")
