"""A mail worker: receives, keeps and delivers. Everything it is made of is connected here."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sealgate.app.desk import Desk
from sealgate.config.schema import Configuration
from sealgate.config.schema.access import ClientCertificateDemand
from sealgate.delivery.handling import Handlings
from sealgate.delivery.hosts import HostMemory
from sealgate.delivery.route import Router
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.tools import CarrierTools
from sealgate.directory.logins import Logins
from sealgate.event.facts import Event, Note, ServiceUnavailable, SpoolRecovered
from sealgate.inbound.login import LoginDesk
from sealgate.inbound.session import Session
from sealgate.inbound.tools import SessionTools, Stoppable
from sealgate.inbound.trial import Expected
from sealgate.journal.journal import Journal
from sealgate.live.resolver import LiveResolver
from sealgate.live.revision import Current, LiveError, LiveRevision, build, faults_of
from sealgate.net.names import HostNames
from sealgate.net.tls.probe import try_client
from sealgate.process.channel import ChannelError
from sealgate.process.child import Connection
from sealgate.process.endpoint import Listening
from sealgate.process.ids import Ids
from sealgate.process.lease import Lease, Leases
from sealgate.process.servers import Servers
from sealgate.store.copy import copy_spool, remove_copy
from sealgate.store.database import StoreError
from sealgate.store.room import Room
from sealgate.store.spool import Queued, Spool
from sealgate.store.suspensions import Suspensions
from sealgate.tls.library import Library

FINISH_PATIENCE = 15.0
"""Seconds that sessions and transactions under way may take when the gateway stops."""


class Worker:
    """The `Child` of a mail worker."""

    def __init__(self, connection: Connection, home: Path, journal: Journal, library: Library) -> None:
        self._connection = connection
        self._home = home
        self._journal = journal
        self._library = library
        self._number = int(connection.start.child.removeprefix("worker-"))
        self._emit: Callable[[Event], None] = journal.emit
        self._current = Current(build(connection.start.payload, library, None))
        self._prepared: tuple[LiveRevision, Sequence[Listening]] | None = None
        self._servers = Servers(self._session_factory)
        self._sessions: set[Stoppable] = set()
        self._sessions_of: dict[str, WeakSet[Session]] = {}
        self._ids = Ids(connection.channel)
        self._leases = Leases(connection.channel)
        self._folder = home / "spool" / f"worker-{self._number}"
        self._room = Room(self._folder, self._number, self._emit)
        self._spool = Spool(self._folder, self._room)
        self._resolver = LiveResolver(self._current)
        self._names = HostNames(lambda: (self._resolver.get(), self._resolver.settings.reverse_timeout))
        self._accounts = Logins(lambda: self._current.revision.configuration.account_of)
        self._desk = Desk(home, self._spool, self._emit, self._hang_up)
        self._schedule = self._new_schedule()
        self._session_tools = self._new_session_tools()

    def _new_schedule(self) -> Schedule:
        chance = random.Random()
        tools = CarrierTools(
            current=self._current,
            handlings=Handlings(self._current),
            router=Router(self._current, self._resolver, chance),
            hosts=HostMemory(time.time, self._emit),
            next_dcid=lambda: self._ids.next("dcid"),
            emit=self._emit,
            body=self._spool.load,
            slot=self._slot,
        )
        return Schedule(
            tools,
            self._spool,
            lambda: self._ids.next("mid"),
            time.time,
            chance,
            lambda domain: self._desk.suspensions.destination(domain),
        )

    def _new_session_tools(self) -> SessionTools:
        return SessionTools(
            current=self._current,
            spool=self._spool,
            ids=self._ids,
            leases=self._leases,
            emit=self._emit,
            deliver=self._schedule.add,
            clock=time.time,
            sessions=self._sessions,
            names=self._names,
            logins=LoginDesk(self._accounts, self._leases, self._current, self._emit),
            is_suspended=lambda listener: self._desk.suspensions.listener(listener),
            expected=Expected(),
        )

    async def start(self) -> None:
        """Recover the spool, then listen."""
        await self._prepare_ids()
        self._limit_room()
        await asyncio.to_thread(remove_copy, self._folder)
        self._take_over(await self._spool.start())
        if self._number == 1:
            await self._adopt_orphans()
        for sentence in faults_of(self._current.revision):
            self._emit(ServiceUnavailable("tls", sentence))
        self._desk.open(self._schedule)
        await self._servers.serve(self._connection.start.listening)

    async def _prepare_ids(self) -> None:
        """Without ids nothing is taken and nothing leaves, but the gateway runs: they are asked for again and again."""
        try:
            await self._ids.prepare()
        except ChannelError as error:
            sentence = f"{error}; until that is mended no mail is taken and none leaves"
            self._emit(ServiceUnavailable("mail", sentence))
            print(f"sealgate worker-{self._number}: {sentence}", file=sys.stderr)  # a full disk has no log either

    async def _adopt_orphans(self) -> None:
        """Spools of workers that a lower worker count has left without an owner."""
        for folder in sorted((self._home / "spool").iterdir()):
            if folder.name.startswith("worker-") and folder.name not in self._connection.start.crew:
                await self.retired(folder.name)

    def _take_over(self, queued: Sequence[Queued]) -> None:
        if queued:
            self._emit(SpoolRecovered(len(queued), self._number))
        for message in queued:
            self._schedule.add(message)

    def _limit_room(self) -> None:
        """The disk is everyone's; of the queue each worker has an equal share."""
        configuration = self._current.revision.configuration
        limits, workers = configuration.limits, configuration.gateway.worker_count(os.cpu_count() or 1)
        self._room.limit(limits.disk_reserve, max(1, limits.queue_messages // workers))

    def _session_factory(self, listener: str) -> Callable[[], Session]:
        sessions = self._sessions_of.setdefault(listener, WeakSet())

        def session() -> Session:
            new = Session(self._session_tools, listener)
            sessions.add(new)
            return new

        return session

    def _hang_up(self, suspensions: Suspensions) -> None:
        """Sessions of a listener that is suspended end like those of a gateway that stops."""
        for listener, sessions in self._sessions_of.items():
            if suspensions.listener(listener):
                for session in [each for each in sessions if each in self._sessions]:
                    session.stop()

    async def _slot(self, domain: str, limit: int) -> Callable[[], None] | None:
        """One of the gateway's connections to a domain."""
        try:
            lease = await self._leases.acquire([(f"destination {domain}", limit)])
        except ChannelError:
            return None
        return lease.release if isinstance(lease, Lease) else None

    # -- what the supervisor asks

    async def prepare(self, payload: dict[str, Any], listening: Sequence[Listening]) -> None:
        """Build the new revision beside the running one."""
        revision = build(payload, self._library, self._current.revision)
        faults = faults_of(revision)
        if faults:
            raise ChannelError(str(LiveError(faults)))
        self._prepared = (revision, listening)

    async def swap(self) -> None:
        """One assignment; then the listeners that differ, then the deliveries that waited for it."""
        assert self._prepared is not None
        (revision, listening), self._prepared = self._prepared, None
        before = self._current.revision
        self._current.revision = revision
        self._journal.configure(revision.configuration.logs, revision.configuration.tls.codes)
        self._limit_room()
        await self._servers.serve(listening)
        if before.configuration.dns != revision.configuration.dns:
            self._names.forget()
        if _delivery_policy(before) != _delivery_policy(revision):
            self._schedule.policy_changed()

    async def abandon(self) -> None:
        """Forget the revision that was prepared."""
        self._prepared = None

    async def retired(self, child: str) -> None:
        """Take over the spool of a worker that is no more."""
        folder = self._home / "spool" / child
        if folder.is_dir():
            self._take_over(await self._spool.adopt(folder))
            self._emit(Note("Info", f"the queue of {child} has been taken over"))

    async def stop(self) -> None:
        """Accept nothing new, finish what is under way, close the spool."""
        self._desk.close()
        self._servers.close()
        for session in list(self._sessions):
            session.stop()
        deadline = asyncio.get_running_loop().time() + FINISH_PATIENCE
        while self._sessions and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        await self._schedule.stop(FINISH_PATIENCE / 2)
        await self._spool.stop()
        self._accounts.close()
        self._journal.flush()

    def reopen(self) -> None:
        """Open the logs anew."""
        self._journal.reopen()

    async def ask(self, op: str, body: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        """What an operator wants to know or do about this worker's queue."""
        match op:
            case "copy":
                return await self._copy()
            case "copy-done":
                await asyncio.to_thread(remove_copy, self._folder)
                return {}
            case "probe-expect":
                for ip, port, demand in body["places"]:
                    self._session_tools.expected.announce((ip, port), demand)
                return {}
            case "probe-over":
                for ip, port in body["places"]:
                    self._session_tools.expected.take((ip, port))
                return {}
            case "probe-listener":
                return await self._try_listener(body["listener"], body["demand"], fds)
            case "probe-clients":
                return {"attempts": await self._try_clients()}
            case "status":
                return {"messages": self._schedule.waiting, "sessions": len(self._sessions)}
        return await self._desk.answer(op, body)

    async def _try_listener(self, listener: str, demand: ClientCertificateDemand, fds: list[int]) -> dict[str, Any]:
        """Serve a connection of control's as one that has come in on this listener."""
        (fd,) = fds
        sock = socket.socket(fileno=fd)
        fds.clear()
        sock.setblocking(False)
        tools = self._session_tools.for_trial(demand)
        await asyncio.get_running_loop().create_unix_connection(lambda: Session(tools, listener), sock=sock)
        return {}

    async def _try_clients(self) -> list[dict[str, Any]]:
        """What the context of delivery reaches of servers in memory."""
        context = self._current.revision.outbound
        if context is None:
            return []
        attempts = await asyncio.to_thread(try_client, context, self._library)
        return [asdict(each) for each in attempts]

    async def _copy(self) -> dict[str, Any]:
        """A copy of the spool for a backup; whoever asked for it says when it may go."""
        reserve = self._current.revision.configuration.limits.disk_reserve
        try:
            async with self._spool.bodies_kept() as folder:
                return {"folder": str(await asyncio.to_thread(copy_spool, folder, reserve))}
        except StoreError as error:
            raise ChannelError(str(error)) from error


def _delivery_policy(revision: LiveRevision) -> tuple[object, ...]:
    """What makes a deferred message worth another try at once."""
    configuration: Configuration = revision.configuration
    return (
        revision.outbound,
        configuration.delivery,
        configuration.destinations,
        configuration.routes,
        configuration.dns,
    )
