"""What happens to TLS, in both directions: every handshake with what was offered and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealgate.event.base import Event
from sealgate.tls.failure import TlsFailure
from sealgate.tls.hello import Hello
from sealgate.tls.verdict import Explanation, Outcome


class Way(StrEnum):
    """What kind of connection it is: mail coming in, mail going out, or HTTPS of the GUI coming in."""

    IN = "in"
    OUT = "out"
    GUI = "gui"


@dataclass(frozen=True, slots=True)
class TlsSucceeded(Event):
    """A handshake succeeded.

    `connection` is its ICID, DCID or HCID, `service` the listener or client that shook hands, `domain` the
    destination, `hello` what the peer offered where it was the client, `seconds` the time it took.
    """

    way: Way
    connection: int
    service: str
    peer_ip: str
    domain: str | None
    outcome: Outcome
    hello: Hello | None
    seconds: float


@dataclass(frozen=True, slots=True)
class TlsFailed(Event):
    """A handshake failed.

    Fields as in `TlsSucceeded`; `offered` is the selection of our side, `deferring` says that the message
    waits, `version_mismatch` that the versions of both sides may be the reason.
    """

    way: Way
    connection: int
    service: str
    peer_ip: str
    domain: str | None
    failure: TlsFailure
    explanation: Explanation
    hello: Hello | None
    offered: str
    deferring: bool
    version_mismatch: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class StarttlsInjected(Event):
    """Clear text was sent where TLS had been agreed on (CVE-2011-0411 and its kind): `size` bytes of it."""

    way: Way
    connection: int
    peer_ip: str
    size: int


@dataclass(frozen=True, slots=True)
class StarttlsNotOffered(Event):
    """A server does not offer STARTTLS."""

    dcid: int
    domain: str


@dataclass(frozen=True, slots=True)
class StarttlsRefused(Event):
    """A server offers STARTTLS and refused it; `response` is its reply."""

    dcid: int
    domain: str
    response: str


@dataclass(frozen=True, slots=True)
class TlsNotEnough(Event):
    """A destination had less TLS than its `level` asks for: nothing was sent, and `sentence` says why."""

    dcid: int
    ip: str
    domain: str
    level: str
    sentence: str
