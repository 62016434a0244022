"""Rates: how often something may happen within a span of time, counted for the gateway and not for one worker.

What is counted stays counted until its time has passed: unlike a lease it is never given back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

Charge = tuple[str, int, int, float]
"""A key, the most that may have been counted before, how many are to be counted now, within how many seconds."""

PARTS = 12
"""Parts of a span that are counted together: a count is forgotten when its part is a whole span old."""

MOST_KEYS = 200_000
"""Keys at once. Beyond them the one that was used longest ago is forgotten."""


class RateBook:
    """What has been counted lately. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def take(self, charges: Sequence[Charge]) -> str | None:
        """Count all of them and return None; or count nothing and return the first key that has reached its limit."""
        now = self._clock()
        for key, limit, _, span in charges:
            count = self._counts.get(key)
            if count is not None and count.total(now, span) >= limit:
                return key
        for key, _, amount, span in charges:
            if amount:
                count = self._counts.pop(key, None) or _Count()
                count.add(now, amount, span)
                self._counts[key] = count  # the last one used is the last one forgotten
        while len(self._counts) > MOST_KEYS:
            del self._counts[next(iter(self._counts))]
        return None


class _Count:
    """The counts of one key by the parts in which they fell."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: deque[tuple[float, int]] = deque()

    def total(self, now: float, span: float) -> int:
        while self._parts and self._parts[0][0] <= now - span:
            self._parts.popleft()
        return sum(amount for _, amount in self._parts)

    def add(self, now: float, amount: int, span: float) -> None:
        if self._parts and now - self._parts[-1][0] < span / PARTS:
            begun, before = self._parts.pop()
            self._parts.append((begun, before + amount))
        else:
            self._parts.append((now, amount))
