"""Endpoints: the addresses the gateway listens on, bound once by the supervisor and passed on to who serves them."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from sealgate.process.channel import Body

BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port of a listener, or of another service that `owner` serves."""

    listener: str
    address: str  # a literal IPv4 or IPv6 address; "0.0.0.0" and "::" are all of their family
    port: int
    owner: Literal["workers", "control"] = "workers"

    @property
    def place(self) -> tuple[str, int]:
        """What can be bound only once."""
        return self.address, self.port

    def __str__(self) -> str:
        whom = f"listener {self.listener!r}" if self.owner == "workers" else self.listener
        return f"{self.address} port {self.port} for {whom}"

    def to_body(self) -> Body:
        """As it travels on the channel."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Listening:
    """An endpoint and its listening socket."""

    endpoint: Endpoint
    socket: socket.socket


def owned_by(child: str, listening: Iterable[Listening]) -> tuple[Listening, ...]:
    """Those that a child of this name serves."""
    owner = "control" if child == "control" else "workers"
    return tuple(each for each in listening if each.endpoint.owner == owner)


class EndpointError(Exception):
    """An endpoint cannot be bound; the text is a sentence."""


def bind(endpoint: Endpoint) -> socket.socket:
    """A listening, non-blocking socket. Raises EndpointError."""
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise EndpointError(_sentence(endpoint, error)) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(endpoint.place)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        raise EndpointError(_sentence(endpoint, error)) from error
    return sock


def _sentence(endpoint: Endpoint, error: Exception) -> str:
    reasons = {
        errno.EADDRINUSE: "it is in use by another program, or overlaps with an address the gateway uses",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
        errno.EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        errno.EAFNOSUPPORT: "this machine has no such address family",
    }
    number = error.errno if isinstance(error, OSError) else None
    reason = reasons.get(number or 0) or (os.strerror(number) if number else str(error))
    return f"cannot listen on {endpoint}: {reason}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one endpoint cannot be listened on."""

    endpoint: Endpoint
    sentence: str


def bind_all(endpoints: Iterable[Endpoint]) -> tuple[list[Listening], list[Problem]]:
    """Bind each; what could not be bound is among the problems."""
    bound: list[Listening] = []
    problems: list[Problem] = []
    for endpoint in endpoints:
        try:
            bound.append(Listening(endpoint, bind(endpoint)))
        except EndpointError as error:
            problems.append(Problem(endpoint, str(error)))
    return bound, problems
