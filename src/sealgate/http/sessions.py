"""Sessions of operators over HTTPS: who has logged in, until when. They live in control and end with it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sealgate.config.schema import GuiSettings
from sealgate.control.roles import Operator

MOST = 1000
MOST_OF_ONE = 50
"""Sessions kept, and those of one operator: one more ends the one that was used last the longest ago."""

Way = Literal["cookie", "token"]
"""How its secret is carried: by a browser, or by a program."""


@dataclass(slots=True)
class Session:
    """One login. Times are seconds of the clock that `Sessions` was given; `seal` as `OperatorDesk.seal` gave it."""

    operator: Operator
    way: Way
    seal: str
    begun: float
    used: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class Sessions:
    """All sessions, by digests of their secrets. `settings` is asked at the moment of need."""

    def __init__(self, settings: Callable[[], GuiSettings], clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}

    def open(self, operator: Operator, way: Way, seal: str) -> tuple[str, Session]:
        """A new session and its secret, which is shown once."""
        self._make_room(operator.name)
        secret, now = secrets.token_urlsafe(32), self._clock()
        session = self._sessions[_digest(secret)] = Session(operator, way, seal, now, now)
        return secret, session

    def find(self, secret: str, way: Way, *, counts: bool) -> Session | None:
        """The session of a secret that came in this way; `counts` if this is a use of it."""
        digest = _digest(secret)
        session = self._sessions.get(digest)
        if session is None or session.way != way:
            return None
        if self.left(session) <= 0:
            del self._sessions[digest]
            return None
        if counts:
            session.used = self._clock()
        return session

    def left(self, session: Session) -> float:
        """Seconds until it ends if nothing happens in it."""
        settings, now = self._settings(), self._clock()
        if session.way == "token":
            return session.begun + settings.token_lifetime - now
        return min(session.begun + settings.session_lifetime, session.used + settings.session_timeout) - now

    def close(self, secret: str) -> None:
        """It is over."""
        self._sessions.pop(_digest(secret), None)

    def close_all(self, name: str, *, but: Session | None = None) -> None:
        """All of this operator are over, but for this one."""
        for digest, session in list(self._sessions.items()):
            if session.operator.name == name and session is not but:
                del self._sessions[digest]

    def _make_room(self, name: str) -> None:
        for digest in [digest for digest, session in self._sessions.items() if self.left(session) <= 0]:
            del self._sessions[digest]
        theirs = [digest for digest, session in self._sessions.items() if session.operator.name == name]
        for crowd, most in ((theirs, MOST_OF_ONE), (list(self._sessions), MOST)):
            if len(crowd) >= most:
                del self._sessions[min(crowd, key=lambda digest: self._sessions[digest].used)]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
