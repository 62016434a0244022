"""What every session of a worker shares, and how it asks the gateway for room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from sealgate.config.schema import LimitSettings
from sealgate.config.schema.access import ClientCertificateDemand
from sealgate.event.facts import Event
from sealgate.inbound.access import Terms
from sealgate.inbound.login import LoginDesk
from sealgate.inbound.trial import NO_COUNT, Expected, unsaid
from sealgate.live.revision import Current
from sealgate.mail.host import counted_as
from sealgate.net.names import HostNames
from sealgate.process.channel import ChannelClosed
from sealgate.process.ids import Ids
from sealgate.process.lease import Lease, Refused, Want
from sealgate.process.rate import Charge
from sealgate.store.spool import Queued, Spool

HOUR = 3600.0
"""Seconds in which a mail flow policy counts what is counted by the hour."""

Answer = Lease | Refused | None
"""Room, the limit that is reached, or None when the supervisor is gone."""


class Stoppable(Protocol):
    """An open session, as the end of its worker sees it."""

    def stop(self) -> None:
        """End soon; a message under way is finished first."""


class Counting(Protocol):
    """Where room is asked for: the leases of the gateway, or those of a trial."""

    def acquire(self, wants: Sequence[Want], charges: Sequence[Charge] = ()) -> asyncio.Future[Lease | Refused]:
        """All of it or nothing."""


@dataclass(frozen=True, slots=True)
class SessionTools:
    """What every session of a worker shares."""

    current: Current
    spool: Spool
    ids: Ids
    leases: Counting
    emit: Callable[[Event], None]
    deliver: Callable[[Queued], None]
    clock: Callable[[], float]
    sessions: set[Stoppable]
    names: HostNames
    logins: LoginDesk
    is_suspended: Callable[[str], bool]
    """Whether an operator has suspended the listener of that name."""
    expected: Expected
    trial: ClientCertificateDemand | None = None
    """For a connection by which the gateway tries itself: the demand for a client certificate that is tried."""

    def for_trial(self, demand: ClientCertificateDemand) -> SessionTools:
        """What a session works with by which the gateway tries itself."""
        return replace(self, emit=unsaid, leases=NO_COUNT, is_suspended=lambda listener: False, trial=demand)

    @property
    def limits(self) -> LimitSettings:
        """The gateway's limits in force now."""
        return self.current.revision.configuration.limits

    def ask_for_connection(self, peer_ip: str, terms: Terms | None, then: Callable[[Answer], None]) -> None:
        """Room for one more connection of this host, in its policy too if the terms are known."""
        limits = self.limits
        wants = [("connections", limits.connections), (_of_host(peer_ip), limits.connections_per_host)]
        own, charges = _of_policy(peer_ip, terms)
        self._ask([*wants, *own], charges, then)

    def ask_for_policy(self, peer_ip: str, terms: Terms, then: Callable[[Answer], None]) -> None:
        """The same for a host whose terms have become known behind the greeting: what its policy says alone."""
        self._ask(*_of_policy(peer_ip, terms), then)

    def ask_for_handshake(self, peer_ip: str, then: Callable[[Answer], None]) -> None:
        """Room for one more handshake with this host."""
        limits = self.limits
        wants = [("handshakes", limits.handshakes), (f"handshakes {counted_as(peer_ip)}", limits.handshakes_per_host)]
        self._ask(wants, (), then)

    def count(self, what: str, most: int, peer_ip: str, terms: Terms, then: Callable[[Answer], None]) -> None:
        """Count one more of what this host may do `most` times an hour under its policy."""
        self._ask((), [(f"{what} {counted_as(peer_ip)} {terms.policy.name}", most, 1, HOUR)], then)

    def _ask(self, wants: Sequence[Want], charges: Sequence[Charge], then: Callable[[Answer], None]) -> None:
        self.leases.acquire(wants, charges).add_done_callback(partial(_answered, then))


def _of_host(peer_ip: str) -> str:
    return f"connections {counted_as(peer_ip)}"


def _of_policy(peer_ip: str, terms: Terms | None) -> tuple[list[Want], list[Charge]]:
    """What the host's mail flow policy limits, counted by policy."""
    if terms is None:
        return [], []
    policy, key = terms.policy, f"{_of_host(peer_ip)} {terms.policy.name}"
    wants = [] if policy.connections is None else [(key, policy.connections)]
    hourly = policy.connections_per_hour
    return wants, [] if hourly is None else [(f"{key} hourly", hourly, 1, HOUR)]


def is_full_for_host(answer: Answer, peer_ip: str) -> bool:
    """Whether it is the host's own limit that is reached, not the gateway's."""
    return isinstance(answer, Refused) and answer.key.startswith(_of_host(peer_ip))


def _answered(then: Callable[[Answer], None], future: asyncio.Future[Lease | Refused]) -> None:
    if future.cancelled() or isinstance(future.exception(), ChannelClosed):
        then(None)
    else:
        then(future.result())
