"""What a process serves on the sockets that it was passed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sealgate.process.endpoint import BACKLOG, Listening


class Servers:
    """One server for each socket; `factory` makes, of a listener's name, what answers its connections."""

    def __init__(self, factory: Callable[[str], Callable[[], asyncio.BaseProtocol]]) -> None:
        self._factory = factory
        self._running: dict[tuple[str, int], tuple[str, asyncio.Server]] = {}

    async def serve(self, listening: Sequence[Listening]) -> None:
        """Serve these sockets and no others; one that is served already is not touched."""
        wanted = {each.endpoint.place for each in listening}
        for place in [place for place in self._running if place not in wanted]:
            self._running.pop(place)[1].close()
        loop = asyncio.get_running_loop()
        for each in listening:
            name = each.endpoint.listener
            known = self._running.get(each.endpoint.place)
            if known is not None and known[0] == name:
                continue
            if known is not None:
                known[1].close()
            sock = each.socket.dup()  # the server closes its own; this one stays the connection's
            server = await loop.create_server(self._factory(name), sock=sock, backlog=BACKLOG)
            self._running[each.endpoint.place] = (name, server)

    def close(self) -> None:
        """Take no connection any more."""
        for _, server in self._running.values():
            server.close()
