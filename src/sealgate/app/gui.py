"""The GUI of the control process, assembled: what its two ports answer, and what it works with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from sealgate.app.desks import Desks
from sealgate.config.schema.gui import CLASSIC, NGUI
from sealgate.http.application import build_app
from sealgate.http.entrance import Entrance
from sealgate.http.health import health_routes
from sealgate.http.login import login_routes
from sealgate.http.port import GuiTools
from sealgate.http.server import GuiServer
from sealgate.http.sessions import Sessions
from sealgate.live.gui import LiveGui
from sealgate.process.channel import ChannelError
from sealgate.process.endpoint import Listening


class Gui:
    """Both ports."""

    def __init__(self, tools: GuiTools, desks: Desks) -> None:
        self._tools = tools
        sessions = Sessions(lambda: tools.current.revision.gui.settings, asyncio.get_running_loop().time)
        self.entrance = Entrance(desks.operators, desks.tokens, sessions)
        rest = [*health_routes(desks.readiness.now), *login_routes(self.entrance)]
        apps = {name: build_app(rest, lambda: tools.current.revision.gui, tools.emit) for name in (CLASSIC, NGUI)}
        self._server = GuiServer(tools, apps)

    async def start(self, listening: Sequence[Listening]) -> None:
        """Serve these sockets."""
        with contextlib.suppress(ChannelError):  # then connections have no number; they are answered all the same
            await self._tools.ids.prepare()
        await self._server.listen(listening)

    async def swapped(self, before: LiveGui, listening: Sequence[Listening]) -> None:
        """Another revision is in force: serve its sockets, and let go whom it does not speak with any more."""
        await self._server.listen(listening)
        self._server.changed(before)

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._server.stop()
