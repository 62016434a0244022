"""The control process: the operator's side of the gateway. Mail flows on without it."""

from __future__ import annotations

import asyncio
import datetime
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sealgate import __version__
from sealgate.config.problem import ConfigurationError
from sealgate.control.acts import Acts
from sealgate.control.changes import Changes
from sealgate.control.commit import Committer
from sealgate.control.confirm import Confirming
from sealgate.control.crew import Crew
from sealgate.control.login import OperatorDesk, Seat, operators_in_force
from sealgate.control.roles import Operator
from sealgate.control.service import SOCKET, Service, open_socket, peer_name
from sealgate.control.suspension import Suspending
from sealgate.control.verify import Verifier
from sealgate.control.watch import CertificateWatch
from sealgate.event.facts import Note
from sealgate.journal.journal import Journal
from sealgate.process.channel import Channel, ChannelError
from sealgate.process.child import Connection
from sealgate.process.endpoint import Listening
from sealgate.process.lease import Leases
from sealgate.store.audit import Audit
from sealgate.store.candidates import Candidates
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from sealgate.store.suspensions import SuspensionFile
from sealgate.tls.library import Library

VERIFY = 3600.0
"""Seconds between two verifications without a commit."""

TIDY = 3600.0
"""Seconds between two looks for logs that are too old; a rotation looks as well."""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Control:
    """The `Child` of the control process."""

    def __init__(self, connection: Connection, home: Path, journal: Journal, library: Library) -> None:
        self._home = home
        self._journal = journal
        path = home / "revisions.db"
        self._revisions = Revisions(path)
        acts = Acts(Audit(path), journal.emit, _now)
        self._logins = operators_in_force(self._revisions)
        self._desk = OperatorDesk(self._revisions, self._logins, Leases(connection.channel), acts)
        self._verifier = Verifier(Crew(connection.channel), library, journal.emit)
        self._committer = Committer(
            connection.channel,
            self._revisions,
            library,
            acts,
            journal.emit,
            _now,
            lambda configuration: journal.configure(configuration.logs, configuration.tls.codes),
            self._verifier.verify,
        )
        self._watch = CertificateWatch(self._revisions, self._committer, journal.emit)
        self._confirming = Confirming(self._revisions, self._committer, _now, acts, journal.emit)
        self._suspending = Suspending(
            connection.channel, self._revisions, SuspensionFile(home), acts, journal.emit, time.time
        )
        changes = Changes(
            self._revisions,
            Candidates(path),
            acts,
            self._committer,
            self._confirming,
            library,
            self._logins.hashed,
            _now,
        )
        self._service = Service(connection.channel, self._suspending, changes, acts, __version__)
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._channels: set[Channel] = set()

    async def start(self) -> None:
        """Finish what an earlier control process left half done, then listen to operators."""
        self._suspending.remind()
        self._socket = open_socket(self._home)
        self._spawn(self._accept(self._socket))
        self._spawn(self._catch_up())
        self._spawn(self._tidy())
        self._spawn(self._watch.run())
        self._spawn(self._verify_hourly())

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tidy(self) -> None:
        while True:
            self._journal.tidy()
            await asyncio.sleep(TIDY)

    async def _verify_hourly(self) -> None:
        while True:
            await asyncio.sleep(VERIFY)
            try:
                await self._committer.verify()
            except (ChannelError, TimeoutError, StoreError) as error:
                self._journal.emit(Note("Warning", f"the gateway could not be verified: {error}"))

    async def _catch_up(self) -> None:
        try:
            await self._committer.catch_up()
        except (ChannelError, ConfigurationError, StoreError, TimeoutError) as error:
            self._journal.emit(Note("Critical", f"the stored configuration could not be put in force: {error}"))
        self._confirming.watch()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(listening)
            who = peer_name(connection)
            if who is None:
                connection.close()
                continue
            self._serve(connection, who)

    def _serve(self, connection: socket.socket, who: str) -> None:
        # Root and the gateway's own user can read and write everything here anyway.
        seat = Seat(Operator(who, "cli", _now(), "administrator"), self._desk)

        async def handle(op: str, body: dict[str, Any], fds: list[int]) -> dict[str, Any]:
            return await self._service.answer(seat, op, body)

        def closed() -> None:
            self._channels.discard(channel)

        channel = Channel(connection, handle, closed, descriptors=False)
        self._channels.add(channel)

    # -- what the supervisor asks; configurations concern the workers

    async def prepare(self, payload: dict[str, Any], listening: Sequence[Listening]) -> None:
        """Nothing to prepare."""

    async def swap(self) -> None:
        """Nothing to swap."""

    async def abandon(self) -> None:
        """Nothing to forget."""

    async def retired(self, child: str) -> None:
        """Not this process's affair."""

    async def stop(self) -> None:
        """Close the socket; what is being answered is answered."""
        for task in list(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.close()
            (self._home / SOCKET).unlink(missing_ok=True)
        self._logins.close()
        self._journal.flush()

    def reopen(self) -> None:
        """Open the logs anew."""
        self._journal.reopen()

    async def ask(self, op: str, body: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        """Workers are asked, not control."""
        raise ChannelError(f"control does not know {op!r}")
