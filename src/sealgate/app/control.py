"""The control process: the operator's side of the gateway. Mail flows on without it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sealgate.app.desks import Desks, utc_now
from sealgate.app.gui import Gui
from sealgate.config.problem import ConfigurationError
from sealgate.control.login import Seat
from sealgate.control.roles import Operator
from sealgate.control.service import SOCKET, open_socket, peer_name
from sealgate.event.facts import Note
from sealgate.http.port import GuiTools
from sealgate.journal.journal import Journal
from sealgate.live.revision import Current, LiveError, LiveRevision, build, faults_of
from sealgate.process.channel import Channel, ChannelError
from sealgate.process.child import Connection
from sealgate.process.endpoint import Listening
from sealgate.process.ids import Ids
from sealgate.store.database import StoreError
from sealgate.tls.library import Library

VERIFY = 3600.0
"""Seconds between two verifications without a commit."""

TIDY = 3600.0
"""Seconds between two looks for logs that are too old; a rotation looks as well."""


class Control:
    """The `Child` of the control process."""

    def __init__(self, connection: Connection, home: Path, journal: Journal, library: Library) -> None:
        self._home = home
        self._journal = journal
        self._library = library
        self._listening = connection.start.listening
        self._current = Current(build(connection.start.payload, library, None))
        self._prepared: tuple[LiveRevision, Sequence[Listening]] | None = None
        self._desks = Desks(connection.channel, home, journal, library)
        tools = GuiTools(
            current=self._current,
            library=library,
            ids=Ids(connection.channel, ("hcid",)),
            emit=journal.emit,
            now=utc_now,
            trials=self._desks.verifier.gui.places,
        )
        self._gui = Gui(tools, self._desks)
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._channels: set[Channel] = set()

    async def start(self) -> None:
        """Listen to operators, and finish what an earlier control process left half done."""
        await self._gui.start(self._listening)
        self._desks.suspending.remind()
        self._socket = open_socket(self._home)
        self._spawn(self._accept(self._socket))
        self._spawn(self._catch_up())
        self._spawn(self._tidy())
        self._spawn(self._desks.watch.run())
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
                await self._desks.committer.verify()
            except (ChannelError, TimeoutError, StoreError) as error:
                self._journal.emit(Note("Warning", f"the gateway could not be verified: {error}"))

    async def _catch_up(self) -> None:
        confirming = self._desks.confirming
        try:
            committed = await self._desks.committer.catch_up()
        except (ChannelError, ConfigurationError, StoreError, TimeoutError) as error:
            self._journal.emit(Note("Critical", f"the stored configuration could not be put in force: {error}"))
            committed = None
        if committed is None:
            confirming.watch()
        else:
            await confirming.committed(committed)

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
        seat = Seat(Operator(who, "cli", utc_now(), "administrator"), self._desks.operators)

        async def handle(op: str, body: dict[str, Any], fds: list[int]) -> dict[str, Any]:
            return await self._desks.service.answer(seat, op, body)

        def closed() -> None:
            self._channels.discard(channel)

        channel = Channel(connection, handle, closed, descriptors=False)
        self._channels.add(channel)

    # -- what the supervisor asks

    async def prepare(self, payload: dict[str, Any], listening: Sequence[Listening]) -> None:
        """Build the new revision beside the running one: the GUI is served here."""
        revision = build(payload, self._library, self._current.revision)
        faults = faults_of(revision)
        if faults:
            raise ChannelError(str(LiveError(faults)))
        self._prepared = (revision, listening)

    async def swap(self) -> None:
        """One assignment; then the ports that differ, then the connections that have to come again."""
        assert self._prepared is not None
        (revision, listening), self._prepared = self._prepared, None
        before, self._current.revision = self._current.revision, revision
        await self._gui.swapped(before.gui, listening)

    async def abandon(self) -> None:
        """Forget the revision that was prepared."""
        self._prepared = None

    async def retired(self, child: str) -> None:
        """Not this process's affair."""

    async def stop(self) -> None:
        """Close the socket; what is being answered is answered."""
        await self._gui.stop()
        for task in list(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.close()
            (self._home / SOCKET).unlink(missing_ok=True)
        self._desks.close()
        self._journal.flush()

    def reopen(self) -> None:
        """Open the logs anew."""
        self._journal.reopen()

    async def ask(self, op: str, body: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        """Workers are asked, not control."""
        raise ChannelError(f"control does not know {op!r}")
