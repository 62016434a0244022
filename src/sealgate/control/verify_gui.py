"""Trying the ports of GUI HTTPS, which this very process serves: as a browser would, with one version at a time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Iterator
from typing import Any

from sealgate.config.schema import Configuration
from sealgate.config.schema.gui import CLASSIC
from sealgate.control.verification import Trial
from sealgate.live.keys import Keys
from sealgate.live.probe import try_listener
from sealgate.net.tls.probe import digests
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.trial import Attempt, judge_attempt
from sealgate.tls.version import ProtocolVersion

Place = tuple[str, int]

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def reachable(address: str) -> str:
    """An address by which this machine reaches what listens on that one."""
    return _ANYWHERE.get(address, address)


class GuiTrials:
    """Makes the trials. `places` are those they come from: whoever serves the ports counts nothing from there."""

    def __init__(self) -> None:
        self.places: set[Place] = set()

    def of(self, payload: dict[str, Any], configuration: Configuration, keys: Keys) -> Iterator[Awaitable[Trial]]:
        """A trial for each port, address and version, if the GUI is served."""
        gui = configuration.gui
        if not gui.enabled or CLASSIC in payload["faults"]:
            return
        shown = digests(keys.credentials_of(gui.certificates, CLASSIC))
        for name, port in gui.ports.items():
            for address in gui.addresses:
                for version in ProtocolVersion:
                    yield self._try(configuration, name, (reachable(address), port), version, shown)

    async def _try(
        self, configuration: Configuration, name: str, place: Place, version: ProtocolVersion, shown: frozenset[str]
    ) -> Trial:
        selection = configuration.tls.gui_https.selection
        passed, said = judge_attempt(selection, await self._attempt(place, version), shown)
        return Trial(name, f"{place[0]} port {place[1]}", version.number, version in selection, passed, said)

    async def _attempt(self, place: Place, version: ProtocolVersion) -> Attempt:
        sock = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_STREAM)
        own: Place | None = None
        try:
            sock.setblocking(False)
            sock.bind((place[0], 0))
            own = sock.getsockname()[:2]
            self.places.add(own)
            await asyncio.get_running_loop().sock_connect(sock, place)
            return await try_listener(sock, version, implicit_tls=True)
        except OSError as error:
            sock.close()
            return Attempt(version, None, TlsFailure(Origin.CLOSED, None, error.strerror or str(error)))
        finally:
            if own is not None:
                self.places.discard(own)  # taken by whoever serves the port, unless it is a stranger
