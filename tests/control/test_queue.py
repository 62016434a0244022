"""The queues of several workers as one: pages, sums, and who did not answer."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from sealgate.control.crew import Crew
from sealgate.control.queue import QueueDesk
from sealgate.control.roles import Operator
from sealgate.process.channel import ChannelError

ROOT = Operator("root", "cli", datetime.datetime.now(datetime.UTC), "administrator")


class Unwritten:
    """An audit record that nobody reads."""

    def add(self, operator: Operator, act: str, **detail: Any) -> None:
        assert operator is ROOT


class Workers:
    """A supervisor whose workers keep these MIDs, and tell so many of them at a time."""

    def __init__(self, kept: dict[str, list[int]], most: int = 3, silent: tuple[str, ...] = ()) -> None:
        self._kept = kept
        self._most = most
        self._silent = silent

    async def request(self, op: str, body: dict[str, Any], timeout: float) -> dict[str, Any]:
        assert op == "ask"
        return {
            child: {"error": f"{child} has not answered"} if child in self._silent else self._answer(child, body)
            for child in self._kept
        }

    def _answer(self, child: str, asked: dict[str, Any]) -> dict[str, Any]:
        kept, body = self._kept[child], asked["body"]
        if asked["op"] == "queue-list":
            found = [mid for mid in kept if mid > body["after"]]
            most = min(self._most, body["limit"])
            return {"messages": [{"mid": mid} for mid in found[:most]], "more": len(found) >= most}
        if asked["op"] == "queue-act":
            unknown = [mid for mid in body["selection"]["mids"] if mid not in kept]
            return {"messages": len(kept), "busy": 1, "unknown": unknown, "named": [[kept[0], 0]], "fault": ""}
        return {"message": {"mid": body["mid"]} if body["mid"] in kept else None}


def desk(workers: Workers) -> QueueDesk:
    return QueueDesk(Crew(workers), Unwritten())  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "kept",
    [
        {"worker-1": [1, 2, 3, 10, 11, 12, 13], "worker-2": [4, 5, 6, 7, 8, 9, 14]},
        {"worker-1": list(range(1, 30)), "worker-2": []},
        {"worker-1": list(range(2, 30, 2)), "worker-2": list(range(1, 30, 2)), "worker-3": [100]},
    ],
)
async def test_page_after_page_each_message_comes_once_and_in_order(kept: dict[str, list[int]], limit: int) -> None:
    queue = desk(Workers(kept))
    met: list[int] = []
    more = True
    while more:
        answer = await queue.handle(ROOT, "queue-list", {"after": met[-1] if met else 0, "limit": limit})
        met += [message["mid"] for message in answer["messages"]]
        more = answer["more"] and bool(answer["messages"])
    assert met == sorted(mid for mids in kept.values() for mid in mids)


async def test_a_silent_worker_is_named_beside_what_the_others_say() -> None:
    queue = desk(Workers({"worker-1": [1, 2], "worker-2": [3]}, silent=("worker-2",)))
    listed = await queue.handle(ROOT, "queue-list", {"after": 0, "limit": 10})
    assert [message["mid"] for message in listed["messages"]] == [1, 2]
    assert listed["silent"] == ["worker-2 has not answered"]
    acted = await queue.handle(ROOT, "queue-act", {"act": "hold", "selection": {"mids": [1, 2]}})
    assert (acted["messages"], acted["silent"]) == (2, ["worker-2 has not answered"])
    with pytest.raises(ChannelError, match="not every worker answered: worker-2"):
        await queue.handle(ROOT, "queue-show", {"mid": 3})


async def test_what_no_worker_has_is_unknown_and_what_one_has_is_not() -> None:
    queue = desk(Workers({"worker-1": [1, 2], "worker-2": [3]}))
    acted = await queue.handle(ROOT, "queue-act", {"act": "hold", "selection": {"mids": [1, 3, 7]}})
    assert (acted["messages"], acted["busy"], acted["unknown"], acted["named"]) == (3, 2, [7], [[1, 0], [3, 0]])
    with pytest.raises(ChannelError, match="no message 7 is in the queue"):
        await queue.handle(ROOT, "queue-show", {"mid": 7})
