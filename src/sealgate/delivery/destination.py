"""The queue of one destination domain, and the connections that empty it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from sealgate.delivery.message import Job


class Destination:
    """Jobs ready for one domain. Connections take them; idle ones wait here for the next."""

    def __init__(self, domain: str, open_connection: Callable[[Destination], None]) -> None:
        self.domain = domain
        self.connections = 0
        self.pending = 0
        """Jobs that wait for a connection."""
        self._ready: deque[Job] = deque()
        self._idle: deque[asyncio.Future[Job]] = deque()
        self._open_connection = open_connection

    @property
    def unused(self) -> bool:
        """Whether nothing refers to it any more."""
        return not self.pending and not self.connections

    def offer(self, job: Job, limit: int) -> None:
        """Give a job to an idle connection, or queue it and see to a connection, up to `limit` of them."""
        while self._idle:
            waiter = self._idle.pop()  # the connection used last is the least likely to have been closed
            if not waiter.done():
                job.taken = True
                waiter.set_result(job)
                return
        self._ready.append(job)
        self.pending += 1
        self.see_to_connections(limit)

    def see_to_connections(self, limit: int) -> None:
        """Open one more connection if jobs wait and there is room for one."""
        if self.pending and self.connections < limit:
            self.connections += 1
            self._open_connection(self)

    async def next_job(self, patience: float) -> Job | None:
        """The next job, waiting up to `patience` seconds for one; None if none came."""
        while self._ready:
            job = self._ready.popleft()
            if job.rids:
                self.pending -= 1
                job.taken = True
                return job
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Job] = loop.create_future()
        self._idle.append(waiter)
        timer = loop.call_later(patience, waiter.cancel)
        try:
            return await waiter
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None
        finally:
            timer.cancel()

    def dismiss_idle(self) -> None:
        """Let every idle connection say good-bye."""
        while self._idle:
            self._idle.pop().cancel()

    def take_all(self) -> list[Job]:
        """Every job that waits, when the destination turns out to be out of reach."""
        jobs = [job for job in self._ready if job.rids]
        self._ready.clear()
        self.pending = 0
        return jobs

    def emptied(self) -> None:
        """An operator has taken the last recipient out of a job that waits here; it is passed over in its turn."""
        self.pending -= 1
        if not self.pending:
            self._ready.clear()
