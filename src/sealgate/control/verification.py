"""What handshakes with the running gateway have shown: whether it speaks what was committed, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Trial:
    """One handshake: with which service at which place, limited to which version, and whether it ended as it must.

    `said` is what happened, in words; `place` an address and port, a worker, or "in memory".
    """

    service: str
    place: str
    version: str
    expected: bool
    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Found:
    """When something was verified last, in seconds of the event loop, and what stands against the gateway since."""

    at: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """All trials of one verification."""

    trials: tuple[Trial, ...]

    @property
    def passed(self) -> bool:
        """Whether every trial ended as it must."""
        return all(trial.passed for trial in self.trials)

    @property
    def failures(self) -> tuple[Trial, ...]:
        """Those that did not."""
        return tuple(trial for trial in self.trials if not trial.passed)

    def told(self) -> dict[str, Any]:
        """For people and programs, in values that JSON knows."""
        return {
            "passed": self.passed,
            "trials": len(self.trials),
            "failures": [f"{each.service} at {each.place}, TLS {each.version}: {each.said}" for each in self.failures],
        }
