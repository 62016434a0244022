"""Asking the workers, and telling what came back from what did not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sealgate.process.channel import Channel


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers by worker; `silent` has a sentence for each worker that gave none."""

    good: dict[str, dict[str, Any]]
    silent: list[str]


class Crew:
    """The workers, reached through the supervisor."""

    def __init__(self, supervisor: Channel) -> None:
        self._supervisor = supervisor

    async def running(self) -> dict[str, Any]:
        """The revision in force and every process."""
        return await self._supervisor.request("running", {})

    async def ask(self, op: str, body: dict[str, Any], patience: float = 10.0) -> Answers:
        """Ask every worker, and wait `patience` seconds for each."""
        request = {"to": "workers", "op": op, "body": body, "timeout": patience}
        answers = await self._supervisor.request("ask", request, timeout=patience + 10.0)
        good = {child: answer for child, answer in answers.items() if "error" not in answer}
        silent = [_named(child, answer["error"]) for child, answer in sorted(answers.items()) if "error" in answer]
        return Answers(good, silent)

    async def hand_over(self, child: str, op: str, body: dict[str, Any], fd: int) -> str | None:
        """Give one worker a descriptor; a sentence if it did not take it."""
        answers = await self._supervisor.request("ask", {"to": child, "op": op, "body": body}, (fd,))
        error = answers[child].get("error")
        return None if error is None else _named(child, error)

    async def stop(self) -> dict[str, Any]:
        """End the gateway in order."""
        return await self._supervisor.request("stop", {})


def _named(child: str, sentence: str) -> str:
    return sentence if sentence.startswith(child) else f"{child}: {sentence}"
