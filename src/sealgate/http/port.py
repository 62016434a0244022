"""One port of the GUI as its connections see it: what is in force now, and whether there is room."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from starlette.types import ASGIApp

from sealgate.config.schema import LimitSettings
from sealgate.event.facts import Event
from sealgate.http.protocol import HttpRoom
from sealgate.live.gui import LiveGui
from sealgate.live.revision import Current
from sealgate.process.ids import IdError, Ids
from sealgate.tls.library import Library
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.verdict import Outcome

Place = tuple[str, int]
"""The address and port that a connection comes from."""


@dataclass(frozen=True, slots=True)
class GuiTools:
    """What all ports work with. `trials` are the places from which this process tries itself."""

    current: Current
    library: Library
    ids: Ids
    emit: Callable[[Event], None]
    now: Callable[[], datetime.datetime]
    trials: set[Place]


class Standing(IntEnum):
    """How much a connection has shown: one with less makes room for others first."""

    SHAKING = 0  # no handshake yet
    STRANGER = 1  # nobody has logged in by it
    KNOWN = 2
    BUSY = 3  # an answer is being given to somebody who has logged in


class Guest(Protocol):
    """A connection as those see it who have to make room."""

    peer_ip: str
    since: float
    outcome: Outcome | None

    @property
    def standing(self) -> Standing:
        """How much it has shown."""

    def finish(self) -> None:
        """End after the response that is being given, or at once if there is none."""

    def abort(self) -> None:
        """End at once."""


class Port:
    """One port: its application, and the settings in force at the moment of need."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        tools: GuiTools,
        admit: Callable[[Guest, str], bool],
        gone: Callable[[Guest], None],
    ) -> None:
        self.name = name
        self.room = HttpRoom(app)
        self.emit = tools.emit
        self.now = tools.now
        self.gone = gone
        self._tools = tools
        self._admit = admit

    @property
    def gui(self) -> LiveGui:
        """The GUI of the revision in force."""
        return self._tools.current.revision.gui

    @property
    def limits(self) -> LimitSettings:
        """The limits of handshakes, which hold for every service."""
        return self._tools.current.revision.configuration.limits

    @property
    def policy(self) -> TlsPolicy:
        """What GUI HTTPS may speak now."""
        return self._tools.current.revision.configuration.tls.gui_https.policy()

    def admit(self, guest: Guest) -> bool:
        """Whether there is room; from then on it is counted until it is gone."""
        return self._admit(guest, self.name)

    def next_id(self) -> int:
        """The next HCID; 0 when there is none to be had: whoever comes to mend that must be let in."""
        try:
            return self._tools.ids.next("hcid")
        except IdError:
            return 0

    def takes_trial(self, place: Place) -> bool:
        """Whether it is this process itself that comes from there; once."""
        if place not in self._tools.trials:
            return False
        self._tools.trials.discard(place)
        return True
