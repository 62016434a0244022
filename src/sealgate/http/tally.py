"""Counting what happens too often to be told one by one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

SPAN = 10.0
"""Seconds between two statements of the same."""


class Tally:
    """States the first at once, and then how many more there were, as long as there are any."""

    def __init__(self, state: Callable[[str, str, int], None]) -> None:
        self._state = state
        self._counts: Counter[tuple[str, str]] = Counter()
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def count(self, what: str, reason: str) -> None:
        """One more."""
        key = what, reason
        if key in self._timers:
            self._counts[key] += 1
        else:
            self._state(what, reason, 1)
            self._arm(key)

    def _arm(self, key: tuple[str, str]) -> None:
        self._timers[key] = asyncio.get_running_loop().call_later(SPAN, self._due, key)

    def _due(self, key: tuple[str, str]) -> None:
        del self._timers[key]
        if count := self._counts.pop(key, 0):
            self._state(*key, count)
            self._arm(key)

    def close(self) -> None:
        """State what is left."""
        for key, timer in list(self._timers.items()):
            timer.cancel()
            if count := self._counts.pop(key, 0):
                self._state(*key, count)
        self._timers.clear()
