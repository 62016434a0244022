"""The queue of one worker: which message is due when, which destination has it, what became of it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable, Iterable, Sequence

from sealgate.delivery.carrier import Carrier
from sealgate.delivery.destination import Destination
from sealgate.delivery.fate import Ledger
from sealgate.delivery.message import Job, Message, Waiting
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import Trouble
from sealgate.store.spool import Queued, Spool


class Schedule:
    """Owns every undelivered message of a worker between the spool and the connections."""

    def __init__(
        self,
        tools: CarrierTools,
        spool: Spool,
        next_mid: Callable[[], int],
        clock: Callable[[], float],
        chance: random.Random,
    ) -> None:
        self._tools = tools
        self._clock = clock
        self._messages: dict[int, Message] = {}
        self._destinations: dict[str, Destination] = {}
        self._due: list[tuple[float, int, int]] = []
        self._order = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._ledger = Ledger(tools, spool, next_mid, clock, chance, self.add)

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
        self._messages[message.mid] = message
        self._plan(message)

    def _plan(self, message: Message) -> None:
        """Send on what is due, and remember when the rest will be."""
        now = self._clock()
        ready = [rid for rid, one in message.waiting.items() if not one.busy and one.due <= now]
        later = [one.due for one in message.waiting.values() if not one.busy and one.due > now]
        if later:
            heapq.heappush(self._due, (min(later), next(self._order), message.mid))
            self._set_alarm()
        for domain, rids in message.by_domain(ready).items():
            most = self._tools.handlings.of(domain).max_recipients
            for start in range(0, len(rids), most):
                part = rids[start : start + most]
                for rid in part:
                    message.waiting[rid].busy = True
                self._offer(Job(message, domain, part))

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
            if (message := self._messages.get(mid)) is not None:
                self._plan(message)
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
            job.message.waiting[fate.rid].busy = False
        self._ledger.enter(job.message, dcid, fates)
        if job.message.waiting:
            self._plan(job.message)
        else:
            self._messages.pop(job.message.mid, None)

    def give_back(self, job: Job) -> None:
        """The job was not touched."""
        self._offer(job)

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

    def retry(self, mids: Iterable[int] | None = None) -> int:
        """Make messages due at once, all of them if none are named; how many recipients that concerns."""
        self._tools.hosts.forget()
        chosen = list(self._messages) if mids is None else [mid for mid in mids if mid in self._messages]
        return sum(self._hasten(self._messages[mid]) for mid in chosen)

    def _hasten(self, message: Message) -> int:
        now = self._clock()
        count = 0
        for one in message.waiting.values():
            if not one.busy and one.due > now:
                one.due = now
                count += 1
        if count:
            self._plan(message)
        return count

    def policy_changed(self) -> None:
        """How mail leaves has changed: idle connections go, and whatever waits is tried anew, for that may mend it."""
        for destination in self._destinations.values():
            destination.dismiss_idle()
        self.retry()

    @property
    def waiting(self) -> int:
        """Messages with recipients that have no final fate."""
        return len(self._messages)

    async def stop(self, patience: float) -> None:
        """Finish transactions under way, start none; what is left stays in the spool."""
        self._stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        for destination in self._destinations.values():
            destination.take_all()
            destination.dismiss_idle()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ledger.stop()
