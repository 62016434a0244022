"""The ports of GUI HTTPS: their sockets, and room for their connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.types import ASGIApp

from sealgate.config.schema.gui import CLASSIC
from sealgate.event.facts import HttpsTurnedAway, HttpsWithdrawn
from sealgate.http.connection import HttpsConnection
from sealgate.http.port import Guest, GuiTools, Port, Standing
from sealgate.http.tally import Tally
from sealgate.live.gui import LiveGui
from sealgate.mail.host import counted_as
from sealgate.process.endpoint import Listening
from sealgate.process.servers import Servers
from sealgate.tls.verdict import still_speaks

FINISH = 4.0
"""Seconds that responses under way may take when control stops."""


class GuiServer:
    """All ports of the GUI."""

    def __init__(self, tools: GuiTools, apps: Mapping[str, ASGIApp]) -> None:
        """`apps` by the names of the ports (`config.schema.gui`)."""
        self._tools = tools
        self._tally = Tally(lambda name, why, count: tools.emit(HttpsTurnedAway(name, count, why)))
        self._connections: dict[Guest, None] = {}  # the oldest first
        self._ports = {name: Port(name, app, tools, self._admit, self._gone) for name, app in apps.items()}
        self._servers = Servers(lambda name: _factory(self._ports[name]))

    async def listen(self, listening: Sequence[Listening]) -> None:
        """Serve these sockets and no others; one that is served already is not touched."""
        await self._servers.serve(listening)

    # -- room

    def _admit(self, connection: Guest, name: str) -> bool:
        """Count it in; one that has shown least goes for it. False if all others are busy."""
        settings = self._tools.current.revision.gui.settings
        host = counted_as(connection.peer_ip)
        same = [each for each in self._connections if counted_as(each.peer_ip) == host]
        for crowd, most in ((same, settings.connections_per_host), (self._connections, settings.connections)):
            if len(crowd) >= most and not self._make_room(list(crowd), name):
                self._tally.count(name, "too many connections are busy")
                return False
        self._connections[connection] = None
        return True

    def _make_room(self, crowd: Sequence[Guest], name: str) -> bool:
        least = min(crowd, key=lambda each: (each.standing, each.since))
        if least.standing is Standing.BUSY:
            return False
        self._gone(least)
        least.abort()
        self._tally.count(name, "they made room for others")
        return True

    def _gone(self, connection: Guest) -> None:
        self._connections.pop(connection, None)

    # -- what is in force

    def changed(self, before: LiveGui) -> None:
        """After a swap: connections whose version or suite has been withdrawn end, the others stay."""
        gui = self._tools.current.revision.gui
        if gui.contexts is before.contexts:
            return
        policy, library = self._tools.current.revision.configuration.tls.gui_https.policy(), self._tools.library
        shaken = [(each, each.outcome) for each in self._connections if each.outcome is not None]
        withdrawn = [
            each for each, agreed in shaken if gui.contexts is None or not still_speaks(policy, agreed, library)
        ]
        for connection in withdrawn:
            connection.finish()
        if withdrawn:
            why = "the GUI is off" if gui.contexts is None else f"it speaks {policy.selection} now"
            stayed = len(shaken) - len(withdrawn)
            self._tools.emit(HttpsWithdrawn(CLASSIC, len(withdrawn), stayed, why))

    async def stop(self) -> None:
        """Accept nothing new, finish what is under way."""
        self._servers.close()
        for connection in list(self._connections):
            connection.finish()
        end = asyncio.get_running_loop().time() + FINISH
        while self._connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.abort()
        self._tally.close()


def _factory(port: Port) -> Callable[[], HttpsConnection]:
    return lambda: HttpsConnection(port)
