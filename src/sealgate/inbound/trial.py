"""Connections by which the gateway tries its own listeners: past the access tables and limits, and never traffic.

They go the way of every session, with tools of their own: nothing is counted, stated or taken. A connection is known
for a trial by the place it comes from, which is told beforehand, or because it was handed over by control.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sealgate.config.schema.access import ClientCertificateDemand
from sealgate.event.facts import Event
from sealgate.process.lease import Lease, Refused, Want
from sealgate.process.rate import Charge

Place = tuple[str, int]
"""The address and port that a connection comes from."""

EXPECTED = 60.0
"""Seconds that a trial is waited for."""

MOST_EXPECTED = 10_000


class Expected:
    """The places from which trials will come."""

    def __init__(self) -> None:
        self._places: dict[Place, tuple[ClientCertificateDemand, asyncio.TimerHandle]] = {}

    def announce(self, place: Place, demand: ClientCertificateDemand) -> None:
        """One will come from there; what has not come after a while is forgotten."""
        self.take(place)
        if len(self._places) < MOST_EXPECTED:
            timer = asyncio.get_running_loop().call_later(EXPECTED, self._places.pop, place, None)
            self._places[place] = demand, timer

    def take(self, place: Place) -> ClientCertificateDemand | None:
        """The demand that is to be tried, if this place was announced; once."""
        if not self._places or (found := self._places.pop(place, None)) is None:
            return None
        demand, timer = found
        timer.cancel()
        return demand


class _NoCount:
    """Room without a limit."""

    def acquire(self, wants: Sequence[Want], charges: Sequence[Charge] = ()) -> asyncio.Future[Lease | Refused]:
        """At once."""
        future: asyncio.Future[Lease | Refused] = asyncio.get_running_loop().create_future()
        future.set_result(Lease(self, []))
        return future

    def give(self, keys: list[str]) -> None:
        """Nothing was taken."""


NO_COUNT = _NoCount()
"""What a trial asks for room."""


def unsaid(event: Event) -> None:
    """What happens in a trial is told by whoever tries."""
