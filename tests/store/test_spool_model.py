"""Whatever happens in whatever order, the spool holds what a dictionary would hold."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.store.body import SMALL
from sealgate.store.spool import RecipientChange, Spool
from tests.store.spool_house import accept, load, message, running, settle, text

RECIPIENTS = 2
MIDS = st.integers(1, 5)
SIZES = st.sampled_from([0, 300, SMALL, SMALL + 1])
STATES = st.sampled_from(["done", "bounced", "deferred"])
STEPS = st.one_of(
    st.tuples(st.just("accept"), MIDS, SIZES),
    st.tuples(st.just("settle"), MIDS, st.integers(0, RECIPIENTS - 1), STATES),
    st.tuples(st.just("restart")),
)


class Model:
    """What ought to be in the spool: bodies, and the recipients that wait with what was last said."""

    def __init__(self) -> None:
        self.bodies: dict[int, bytes] = {}
        self.waiting: dict[int, dict[int, str]] = {}

    def accept(self, mid: int, body: bytes) -> bool:
        if mid in self.bodies:
            return False
        self.bodies[mid] = body
        self.waiting[mid] = dict.fromkeys(range(RECIPIENTS), "")
        return True

    def settle(self, mid: int, rid: int, state: str, said: str) -> bool:
        """Whether the message leaves."""
        waiting = self.waiting[mid]
        if state == "deferred":
            waiting[rid] = said
        else:
            del waiting[rid]
        if waiting:
            return False
        del self.waiting[mid], self.bodies[mid]
        return True


async def settle_both(spool: Spool, model: Model, mid: int, rid: int, state: str, said: str) -> None:
    if rid not in model.waiting.get(mid, ()):
        return
    finished = model.settle(mid, rid, state, said)
    change = {
        "done": RecipientChange.done(rid, said),
        "bounced": RecipientChange.bounced(rid, said),
        "deferred": RecipientChange.deferred(rid, 1.5, 1, said),
    }[state]
    assert await settle(spool, mid, [change], finished) is None


async def act_out(folder: Path, steps: list[tuple[object, ...]]) -> None:
    model = Model()
    while True:
        async with running(folder) as (spool, queue):
            found = {each.mid: {one.rid: one.said for one in each.recipients} for each in queue}
            assert found == model.waiting
            for mid, body in model.bodies.items():
                assert await load(spool, mid) == body
            while steps:
                match steps.pop(0):
                    case ("accept", int(mid), int(size)):
                        fault = await accept(spool, message(mid, RECIPIENTS), text(mid, size))
                        assert (fault is None) == model.accept(mid, text(mid, size))
                    case ("settle", int(mid), int(rid), str(state)):
                        await settle_both(spool, model, mid, rid, state, f"said at step {len(steps)}")
                    case _:
                        break
            else:
                break
            names = {path.name for path in (folder / "bodies").iterdir()}
            assert {str(mid) for mid, body in model.bodies.items() if len(body) > SMALL} <= names


@settings(deadline=None, max_examples=40)
@given(st.lists(STEPS, max_size=25))
def test_the_spool_is_a_dictionary_that_lasts(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(act_out(Path(folder) / "spool", [*steps, ("restart",)]))
