"""Walking through a queue that changes meanwhile."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sealgate.delivery.register import Register
from tests.delivery.queue_house import message


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans())))
def test_the_order_is_that_of_the_mids_whatever_comes_and_goes(steps: list[tuple[int, bool]]) -> None:
    register, known = Register(), set()
    for mid, comes in steps:
        if comes and mid not in known:
            register.add(message(mid))
            known.add(mid)
        elif not comes:
            register.remove(mid)
            known.discard(mid)
    assert [each.mid for each in register.after(0, 10_000)] == sorted(known)
    assert len(register) == len(known)


async def test_a_walk_meets_each_message_once_though_many_leave() -> None:
    register = Register()
    for mid in range(1, 5001):
        register.add(message(mid))
    met: list[int] = []
    chance = random.Random(5)
    gone: set[int] = set()
    async for piece in register.walk(piece=100):
        assert len(piece) <= 50
        met += [each.mid for each in piece]
        for mid in chance.sample(range(1, 5001), 70):
            register.remove(mid)
            gone.add(mid)
    assert met == sorted(set(met))
    assert set(range(1, 5001)) - gone <= set(met)
