"""The queue of one worker: which message is due when, which destination has it, what became of it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sealgate.delivery.carrier import Carrier
from sealgate.delivery.destination import Destination
from sealgate.delivery.fate import Ledger
from sealgate.delivery.message import Job, Message, Waiting
from sealgate.delivery.register import Register
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import Trouble
from sealgate.store.spool import Queued, Spool


class Schedule:
    """Owns every undelivered message of a worker between the spool and the connections.

    `suspended` tells of a domain whether an operator lets nothing leave for it; then its recipients wait without a
    job, whatever their time, until `resume`. So do those of a message on hold, until `release`.
    """

    def __init__(
        self,
        tools: CarrierTools,
        spool: Spool,
        next_mid: Callable[[], int],
        clock: Callable[[], float],
        chance: random.Random,
        suspended: Callable[[str], bool] = lambda domain: False,
    ) -> None:
        self._tools = tools
        self._clock = clock
        self._suspended = suspended
        self.register = Register()
        self._destinations: dict[str, Destination] = {}
        self._due: list[tuple[float, int, int]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._walks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.ledger = Ledger(tools, spool, next_mid, clock, chance, self.add)

    # -- in

    def add(self, queued: Queued) -> None:
        """Take over a message that the spool keeps."""
        message = Message(
            queued.mid,
            queued.sender,
            queued.size,
            queued.received_at,
            queued.demands,
            held=queued.held,
            delay_told=queued.delay_told,
        )
        for one in queued.recipients:
            message.waiting[one.rid] = Waiting(
                one.rid, one.address, one.attempts, one.due, one.said, one.notify, one.orcpt
            )
        self.register.add(message)
        self.plan(message)

    def plan(self, message: Message) -> None:
        """Send on what is due, and remember when the rest will be."""
        if message.held:
            return
        now = self._clock()
        ready = [rid for rid, one in message.waiting.items() if one.job is None and one.due <= now]
        later = [one.due for one in message.waiting.values() if one.job is None and one.due > now]
        if later and (due := min(later)) < message.planned:
            message.planned = due  # one that is planned for then already has its entry
            heapq.heappush(self._due, (due, next(self._order), message.mid))
            self._set_alarm()
        for domain, rids in message.by_domain(ready).items():
            if self._suspended(domain):
                continue
            most = self._tools.handlings.of(domain).max_recipients
            for start in range(0, len(rids), most):
                job = Job(message, domain, rids[start : start + most])
                for rid in job.rids:
                    message.waiting[rid].job = job
                self._offer(job)

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._due and not self._stopping:
            wait = max(0.0, self._due[0][0] - self._clock())
            self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        """Some messages have become due."""
        self._alarm = None
        now = self._clock()
        mids: dict[int, None] = {}
        while self._due and self._due[0][0] <= now:
            mids[heapq.heappop(self._due)[2]] = None
        for mid in mids:
            if (message := self.register.get(mid)) is not None:
                message.planned = math.inf
                self.plan(message)
        self._set_alarm()

    # -- out

    def _most_connections(self, destination: Destination) -> int:
        return self._tools.handlings.of(destination.domain).connections

    def _offer(self, job: Job) -> None:
        if self._stopping:
            return
        destination = self._destinations.get(job.domain)
        if destination is None:
            destination = self._destinations[job.domain] = Destination(job.domain, self._open_connection)
        destination.offer(job, self._most_connections(destination))

    def _open_connection(self, destination: Destination) -> None:
        task = asyncio.get_running_loop().create_task(Carrier(self._tools, self, destination).run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- what carriers report

    def settled(self, job: Job, dcid: int, fates: Sequence[Fate]) -> None:
        """Record fates; the message goes when every recipient has a final one."""
        for fate in fates:
            job.message.waiting[fate.rid].job = None
        self.ledger.enter(job.message, dcid, fates)
        self.see_to(job.message)

    def see_to(self, message: Message) -> None:
        """Go on with a message whose recipients have changed, or forget it when none is left."""
        if message.waiting:
            self.plan(message)
        else:
            self.register.remove(message.mid)

    def give_back(self, job: Job) -> None:
        """The job was not touched, or is what an attempt left."""
        job.taken = False
        for rid in job.rids:
            job.message.waiting[rid].job = job
        if job.message.held or self._suspended(job.domain):
            self._park([job])
        else:
            self._offer(job)

    def _park(self, jobs: Sequence[Job]) -> None:
        """Their recipients wait without a job from now on."""
        for job in jobs:
            for rid in job.rids:
                job.message.waiting[rid].job = None

    def out_of_reach(self, destination: Destination, dcid: int, trouble: Trouble) -> None:
        """Everything that waits for the destination shares the trouble."""
        for job in destination.take_all():
            self.settled(job, dcid, [Fate(rid, None, trouble) for rid in job.rids])

    def connection_ended(self, destination: Destination) -> None:
        """Open another if jobs came meanwhile; forget a destination that nobody uses."""
        destination.connections -= 1
        if self._stopping:
            return
        destination.see_to_connections(self._most_connections(destination))
        if destination.unused:
            self._destinations.pop(destination.domain, None)

    # -- what the operator and the configuration ask

    def withdraw(self, message: Message, rids: Sequence[int]) -> list[int]:
        """Take recipients out of jobs that no connection has yet; gives those that are being delivered: they stay."""
        busy = []
        for rid in rids:
            one = message.waiting[rid]
            if one.job is None:
                continue
            if one.job.taken:
                busy.append(rid)
                continue
            one.job.rids.remove(rid)
            if not one.job.rids:
                self._emptied(one.job.domain)
            one.job = None
        return busy

    def _emptied(self, domain: str) -> None:
        destination = self._destinations.get(domain)
        if destination is not None:
            destination.emptied()
            if destination.unused:
                self._destinations.pop(domain, None)

    def hold(self, message: Message) -> None:
        """Nothing more is tried for this message; what is being delivered ends as it ends."""
        message.held = True
        self.withdraw(message, list(message.waiting))

    def release(self, message: Message) -> None:
        """It goes on where it stood."""
        message.held = False
        self.plan(message)

    def hasten(self, message: Message, rids: Sequence[int]) -> None:
        """These recipients are due now, unless they are on their way already."""
        now = self._clock()
        for rid in rids:
            one = message.waiting.get(rid)
            if one is not None and one.job is None:
                one.due = min(one.due, now)
        self.plan(message)

    def suspend(self) -> None:
        """`suspended` has new answers: whatever waits for a connection to such a destination waits without one."""
        for domain, destination in list(self._destinations.items()):
            if self._suspended(domain):
                self._park(destination.take_all())
                destination.dismiss_idle()
                if destination.unused:
                    self._destinations.pop(domain, None)

    def resume(self) -> None:
        """`suspended` has new answers: go on with what is due and was kept back."""
        self._walk(self._resume())

    async def _resume(self) -> None:
        async for messages in self.register.walk():
            for message in messages:
                self.plan(message)

    def policy_changed(self) -> None:
        """How mail leaves has changed: idle connections go, and whatever waits is tried anew, for that may mend it."""
        for destination in self._destinations.values():
            destination.dismiss_idle()
        self._walk(self._hasten_all())

    def forget_hosts(self) -> None:
        """Hosts that were down may be up: the next attempt asks them."""
        self._tools.hosts.forget()

    async def _hasten_all(self) -> None:
        self.forget_hosts()
        async for messages in self.register.walk():
            for message in messages:
                self.hasten(message, list(message.waiting))

    def _walk(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._walks.add(task)
        task.add_done_callback(self._walks.discard)

    @property
    def waiting(self) -> int:
        """Messages with recipients that have no final fate, and notices about to be such."""
        return len(self.register) + self.ledger.coming

    @property
    def connections(self) -> dict[str, int]:
        """Connections that are open or being opened, by destination."""
        return {name: each.connections for name, each in self._destinations.items() if each.connections}

    async def stop(self, patience: float) -> None:
        """Finish transactions under way, start none; what is left stays in the spool."""
        self._stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        for walk in self._walks:
            walk.cancel()
        for destination in self._destinations.values():
            destination.take_all()
            destination.dismiss_idle()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ledger.stop()
