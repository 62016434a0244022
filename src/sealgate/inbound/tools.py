"""What every session of a worker shares, and how it asks the gateway for room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sealgate.config.schema import LimitSettings
from sealgate.event.facts import Event
from sealgate.live.revision import Current
from sealgate.process.channel import ChannelClosed
from sealgate.process.ids import Ids
from sealgate.process.lease import Lease, Leases, Refused
from sealgate.store.spool import Queued, Spool

Answer = Lease | Refused | None
"""Room, the limit that is reached, or None when the supervisor is gone."""


class Stoppable(Protocol):
    """An open session, as the end of its worker sees it."""

    def stop(self) -> None:
        """End soon; a message under way is finished first."""


@dataclass(frozen=True, slots=True)
class SessionTools:
    """What every session of a worker shares."""

    current: Current
    spool: Spool
    ids: Ids
    leases: Leases
    emit: Callable[[Event], None]
    deliver: Callable[[Queued], None]
    clock: Callable[[], float]
    sessions: set[Stoppable]

    @property
    def limits(self) -> LimitSettings:
        """The gateway's limits in force now."""
        return self.current.revision.configuration.limits

    def ask_for_connection(self, peer_ip: str, then: Callable[[Answer], None]) -> None:
        """Room for one more connection of this host."""
        limits = self.limits
        self._ask([("connections", limits.connections), (_of_host(peer_ip), limits.connections_per_host)], then)

    def ask_for_handshake(self, peer_ip: str, then: Callable[[Answer], None]) -> None:
        """Room for one more handshake with this host."""
        limits = self.limits
        wants = [("handshakes", limits.handshakes), (f"handshakes {peer_ip}", limits.handshakes_per_host)]
        self._ask(wants, then)

    def _ask(self, wants: list[tuple[str, int]], then: Callable[[Answer], None]) -> None:
        self.leases.acquire(wants).add_done_callback(partial(_answered, then))


def _of_host(peer_ip: str) -> str:
    return f"connections {peer_ip}"


def is_full_for_host(answer: Answer, peer_ip: str) -> bool:
    """Whether it is the host's own limit that is reached, not the gateway's."""
    return isinstance(answer, Refused) and answer.key == _of_host(peer_ip)


def _answered(then: Callable[[Answer], None], future: asyncio.Future[Lease | Refused]) -> None:
    if future.cancelled() or isinstance(future.exception(), ChannelClosed):
        then(None)
    else:
        then(future.result())
