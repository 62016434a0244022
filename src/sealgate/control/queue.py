"""The queue of the gateway as operators see it: the queues of all workers as one."""

from __future__ import annotations

from typing import Any

from sealgate.control.acts import Acts
from sealgate.control.crew import Answers, Crew
from sealgate.control.roles import Operator
from sealgate.delivery.selection import Selection, SelectionError
from sealgate.process.channel import ChannelError

ACT_PATIENCE = 3600.0
"""Seconds that an act on a whole queue may take."""

SCAN_PATIENCE = 10.0
"""Seconds that a worker may take to look through its queue."""

PATIENCE = 5.0
"""Seconds that it may take for one message."""

MOST_HOSTS = 5000
"""Destinations of one answer: what a channel carries easily."""


class QueueDesk:
    """Answers what concerns the queue. Every answer names the workers that are missing in it, as `silent`."""

    def __init__(self, crew: Crew, acts: Acts) -> None:
        self._crew = crew
        self._acts = acts

    async def handle(self, operator: Operator, op: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request; `ChannelError` carries the sentence for the person."""
        match op:
            case "queue-list":
                return await self._list(body)
            case "queue-count":
                return _sums(await self._crew.ask(op, body, SCAN_PATIENCE))
            case "queue-act":
                return await self._act(operator, body)
            case "queue-show":
                return await self._show(body)
            case "queue-body":
                return await self._body(body)
            case "hosts":
                return await self._hosts(body)
        raise ChannelError(f"the gateway does not know the request {op!r}")

    async def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        """A page behind the MID `after`; where a worker has not told all it knows, nothing beyond is told yet."""
        answers = await self._crew.ask("queue-list", body, SCAN_PATIENCE)
        found = [
            {**message, "worker": child} for child, answer in answers.good.items() for message in answer["messages"]
        ]
        found.sort(key=lambda message: int(message["mid"]))
        ends = [answer["messages"][-1]["mid"] for answer in answers.good.values() if answer["more"]]
        sure = [message for message in found if not ends or message["mid"] <= min(ends)]
        page = sure[: body["limit"]]
        return {"messages": page, "more": bool(ends) or len(page) < len(found), "silent": answers.silent}

    async def _act(self, operator: Operator, body: dict[str, Any]) -> dict[str, Any]:
        try:
            words = Selection.of_body(body["selection"]).words
        except SelectionError as error:
            raise ChannelError(str(error)) from error
        answers = await self._crew.ask("queue-act", {**body, "who": operator.name}, ACT_PATIENCE)
        unknown = [set(answer.pop("unknown")) for answer in answers.good.values()]
        named = [each for answer in answers.good.values() for each in answer.pop("named")]
        faults = [f"{child}: {fault}" for child, answer in answers.good.items() if (fault := answer.pop("fault"))]
        missing = sorted(set.intersection(*unknown)) if unknown else []
        sums = _sums(answers)
        counts = {key: sums[key] for key in ("messages", "recipients") if key in sums}
        self._acts.add(operator, f"queue {body['act']}", selection=words, **counts, silent=sums["silent"])
        return {**sums, "unknown": missing, "named": named, "faults": faults}

    async def _show(self, body: dict[str, Any]) -> dict[str, Any]:
        answers = await self._crew.ask("queue-show", body, PATIENCE)
        for child, answer in answers.good.items():
            if answer["message"]:
                return {"message": {**answer["message"], "worker": child}}
        raise _not_here(body["mid"], answers)

    async def _body(self, body: dict[str, Any]) -> dict[str, Any]:
        answers = await self._crew.ask("queue-body", body, PATIENCE)
        for answer in answers.good.values():
            if "data" in answer:
                return answer
        raise _not_here(body["mid"], answers)

    async def _hosts(self, body: dict[str, Any]) -> dict[str, Any]:
        """Destinations of all workers, added up."""
        answers = await self._crew.ask("hosts", body, SCAN_PATIENCE)
        found: dict[str, dict[str, Any]] = {}
        for answer in answers.good.values():
            for host in answer["hosts"]:
                found[host["domain"]] = _added(found.get(host["domain"]), host)
        hosts = sorted(found.values(), key=lambda host: (-host["recipients"], -host["connections"], host["domain"]))
        shown = hosts[: min(body["limit"], MOST_HOSTS)]
        return {"hosts": shown, "more": len(hosts) > len(shown), "silent": answers.silent}


def _not_here(mid: int, answers: Answers) -> ChannelError:
    if answers.silent:
        return ChannelError(f"no message {mid} was found, but not every worker answered: {'; '.join(answers.silent)}")
    return ChannelError(
        f"no message {mid} is in the queue: it has been delivered, bounced or deleted, or never was here"
    )


def _sums(answers: Answers) -> dict[str, Any]:
    names = {name for answer in answers.good.values() for name in answer}
    totals = {name: sum(answer[name] for answer in answers.good.values()) for name in names}
    return {**totals, "silent": answers.silent}


def _added(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    if one is None:
        return other
    counts = ("messages", "recipients", "queued", "deferred", "held", "connections")
    latest = max(one, other, key=lambda each: int(each["attempts"]) if each["said"] else -1)
    times = [each["next_attempt"] for each in (one, other) if each["next_attempt"] is not None]
    sums = {name: one[name] + other[name] for name in counts}
    return {**latest, **sums, "next_attempt": min(times, default=None)}
