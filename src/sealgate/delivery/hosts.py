"""Which hosts could not be reached, so that not every message waits for them anew.

Each worker remembers for itself: what it saves is time, and a worker that has not met a dead host yet spends one
connection on finding out. Nothing of it outlives the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sealgate.delivery.route import Target
from sealgate.event.facts import Event, HostDown, HostUp

Place = tuple[str, int]
"""An address and a port."""

MOST_HOSTS = 10_000
"""Hosts that are remembered; where there are more, those go whose time is over, and the rest is not remembered."""


@dataclass(slots=True)
class _Down:
    """A host that could not be reached. `trial` is there while somebody tries whether it can be by now."""

    until: float
    sentence: str
    trial: asyncio.Future[bool] | None = field(default=None)


class HostMemory:
    """The hosts that are down. When the time of one is over, one connection tries it, and the others wait for that."""

    def __init__(self, clock: Callable[[], float], emit: Callable[[Event], None]) -> None:
        self._clock = clock
        self._emit = emit
        self._down: dict[Place, _Down] = {}

    def may_try(self, target: Target) -> bool:
        """Whether to connect now. Whoever hears True tells by `reached`, `failed` or `left` how it went."""
        down = self._down.get(target.place)
        if down is None:
            return True
        if down.trial is not None or self._clock() < down.until:
            return False
        down.trial = asyncio.get_running_loop().create_future()
        return True

    async def comes_back(self, target: Target) -> bool | None:
        """Whether somebody else, who tries this host just now, reaches it; None at once if nobody does."""
        down = self._down.get(target.place)
        if down is None:
            return True
        return None if down.trial is None else await asyncio.shield(down.trial)

    def reached(self, target: Target) -> None:
        """The host has answered."""
        if (down := self._down.pop(target.place, None)) is not None:
            self._end_trial(down, True)
            self._emit(HostUp(target.host, target.ip, target.port))

    def failed(self, target: Target, sentence: str, seconds: float) -> None:
        """No connection, or one that broke before it could be used: the host is down for so long; 0 is not at all."""
        now = self._clock()
        if (before := self._down.get(target.place)) is not None:
            self._end_trial(before, False)
            if now < before.until:
                return  # several had tried at the same time
        if not seconds:
            self._down.pop(target.place, None)
            return
        if len(self._down) >= MOST_HOSTS:
            self._forget_old()
            if len(self._down) >= MOST_HOSTS:
                return
        until = now + seconds
        self._down[target.place] = _Down(until, sentence)
        self._emit(HostDown(target.host, target.ip, target.port, datetime.fromtimestamp(until, UTC), sentence))

    def left(self, target: Target) -> None:
        """Nobody knows how it went: the next one tries."""
        if (down := self._down.get(target.place)) is not None:
            self._end_trial(down, False)

    def until(self, target: Target) -> float:
        """When this host may be tried again, in seconds since the epoch; 0 is now."""
        down = self._down.get(target.place)
        return 0.0 if down is None else down.until

    def sentence(self, target: Target) -> str:
        """What happened when this host was tried last."""
        down = self._down.get(target.place)
        return "" if down is None else down.sentence

    def forget(self) -> None:
        """Every host may be tried: an operator or a change of settings wants it so."""
        forgotten, self._down = self._down, {}
        for down in forgotten.values():
            self._end_trial(down, True)

    def _end_trial(self, down: _Down, success: bool) -> None:
        trial, down.trial = down.trial, None
        if trial is not None and not trial.done():
            trial.set_result(success)

    def _forget_old(self) -> None:
        now = self._clock()
        self._down = {place: down for place, down in self._down.items() if down.until > now or down.trial is not None}
