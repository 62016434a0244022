"""Trying by handshakes whether the gateway speaks what its configuration says, and nothing else."""

from __future__ import annotations

from typing import Any

from sealgate.control.crew import Crew
from sealgate.control.verification import Verification


class Verifier:
    """Makes the trials of one gateway."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def verify(self, payload: dict[str, Any]) -> Verification:
        """Every service that this payload has running, at each version."""
        return Verification(())
