"""What happens on the ports of the GUI: connections and requests. `hcid` is a connection over HTTPS."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.event.base import Event


@dataclass(frozen=True, slots=True)
class HttpsOpened(Event):
    """A browser, or a program that uses the REST API, has connected; `service` names the port."""

    hcid: int
    service: str
    local_ip: str
    local_port: int
    peer_ip: str
    peer_port: int


@dataclass(frozen=True, slots=True)
class HttpsTurnedAway(Event):
    """So many connections were ended to make room, or found none, since it was last stated."""

    service: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class HttpsWithdrawn(Event):
    """So many connections have to come again after a commit, each after the answer it is being given."""

    service: str
    count: int
    stayed: int
    reason: str


@dataclass(frozen=True, slots=True)
class PlainHttpAnswered(Event):
    """Somebody has spoken HTTP without TLS, and was told to come with it; `status` is what was answered."""

    hcid: int
    service: str
    peer_ip: str
    status: int


@dataclass(frozen=True, slots=True)
class RequestAnswered(Event):
    """A request that changes something, or that was refused.

    `request` is its id, `who` the operator, empty if nobody has logged in, `path` without its query: what is secret
    stands in the query, in header fields and in bodies, and none of these is kept. `seconds` is how long it took.
    """

    hcid: int
    request: str
    who: str
    peer_ip: str
    method: str
    path: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestFailed(Event):
    """A fault of the gateway itself kept a request from being answered."""

    hcid: int
    request: str
    error: str
