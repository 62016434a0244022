"""Whether the gateway is ready: its processes serve, and handshakes have shown that every enabled service does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sealgate.control.crew import Crew
from sealgate.control.verify import Verifier
from sealgate.process.channel import ChannelError

AGAIN = 60.0
"""Seconds after which what has failed is tried again when somebody asks."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether, and if not a sentence for each reason."""

    reasons: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether there is no reason against it."""
        return not self.reasons


class ReadinessDesk:
    """Answers from the last verification. Where there is none yet, or it failed a while ago, it has one made."""

    def __init__(self, crew: Crew, verifier: Verifier, verify: Callable[[], Awaitable[object]]) -> None:
        self._crew = crew
        self._verifier = verifier
        self._verify = verify
        self._turn = asyncio.Lock()

    async def now(self) -> Readiness:
        """As it is now."""
        try:
            children = (await self._crew.running())["children"]
            resting = [each["child"] for each in children if not each["serving"]]
            if resting:
                return Readiness(tuple(f"{child} does not serve" for child in resting))
            async with self._turn:
                if self._is_due():
                    await self._verify()
        except (ChannelError, TimeoutError) as error:
            return Readiness((f"it could not be found out: {error}",))
        found = self._verifier.last
        return Readiness(("nothing has been verified yet",) if found is None else found.reasons)

    def _is_due(self) -> bool:
        found = self._verifier.last
        return found is None or (bool(found.reasons) and found.at + AGAIN < asyncio.get_running_loop().time())
