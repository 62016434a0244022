"""What all deliveries of a worker share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from sealgate.delivery.handling import Handlings
from sealgate.delivery.hosts import HostMemory
from sealgate.delivery.route import Router
from sealgate.event.facts import Event
from sealgate.live.revision import Current


@dataclass(frozen=True, slots=True)
class CarrierTools:
    """What every carrier of a worker shares."""

    current: Current
    handlings: Handlings
    router: Router
    hosts: HostMemory
    next_dcid: Callable[[], int]
    emit: Callable[[Event], None]
    body: Callable[[int], AsyncIterator[bytes]]
    slot: Callable[[str, int], Awaitable[Callable[[], None] | None]]
    """Takes one of the gateway's connections to a domain: gives what frees it, or None if all are taken."""
