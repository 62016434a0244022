"""Hosts that are down: passed over, tried by one, forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from sealgate.delivery import hosts as hosts_module
from sealgate.delivery.hosts import HostMemory
from sealgate.delivery.route import Target
from sealgate.event.facts import Event, HostDown, HostUp

DEAD = Target("mx.example", "192.0.2.1", 25)
OTHER = Target("mx.example", "192.0.2.1", 26)


@dataclass
class Scene:
    """A memory with a clock that a test moves."""

    now: float = 1000.0
    said: list[Event] = field(default_factory=list)
    memory: HostMemory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = HostMemory(lambda: self.now, self.said.append)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_host_is_passed_over_until_its_time_is_over(scene: Scene) -> None:
    assert scene.memory.may_try(DEAD)
    scene.memory.failed(DEAD, "refused", 60.0)
    assert not scene.memory.may_try(DEAD)
    assert scene.memory.may_try(OTHER)  # another port is another host
    assert scene.memory.until(DEAD) == 1060.0
    assert scene.memory.sentence(DEAD) == "refused"
    scene.now = 1059.9
    assert not scene.memory.may_try(DEAD)
    assert await scene.memory.comes_back(DEAD) is None  # nobody tries
    scene.now = 1060.0
    assert scene.memory.may_try(DEAD)


async def test_one_tries_and_the_others_wait_for_it(scene: Scene) -> None:
    for reached in (False, True):
        scene.memory.failed(DEAD, "refused", 60.0)
        scene.now += 60.0
        assert scene.memory.may_try(DEAD)
        assert not scene.memory.may_try(DEAD)
        waiting = [asyncio.create_task(scene.memory.comes_back(DEAD)) for _ in range(3)]
        await asyncio.sleep(0)
        if reached:
            scene.memory.reached(DEAD)
        else:
            scene.memory.failed(DEAD, "refused", 60.0)
        assert await asyncio.gather(*waiting) == [reached] * 3
        assert scene.memory.may_try(DEAD) is reached
    assert [type(each) for each in scene.said] == [HostDown, HostDown, HostUp]


async def test_a_trial_that_nobody_ends_is_left_to_the_next(scene: Scene) -> None:
    scene.memory.failed(DEAD, "refused", 60.0)
    scene.now += 60.0
    assert scene.memory.may_try(DEAD)
    scene.memory.left(DEAD)
    assert await scene.memory.comes_back(DEAD) is None
    assert scene.memory.may_try(DEAD)


async def test_several_failures_at_once_are_one_fact(scene: Scene) -> None:
    for _ in range(20):
        scene.memory.failed(DEAD, "refused", 60.0)
    assert len(scene.said) == 1


async def test_an_operator_may_have_everything_forgotten(scene: Scene) -> None:
    scene.memory.failed(DEAD, "refused", 60.0)
    scene.memory.forget()
    assert scene.memory.may_try(DEAD)
    scene.memory.failed(DEAD, "refused", 60.0)
    scene.now += 60.0
    assert scene.memory.may_try(DEAD)
    waiting = asyncio.create_task(scene.memory.comes_back(DEAD))
    await asyncio.sleep(0)
    scene.memory.forget()
    assert await waiting


async def test_zero_seconds_remember_nothing(scene: Scene) -> None:
    scene.memory.failed(DEAD, "refused", 0.0)
    assert scene.memory.may_try(DEAD)
    assert scene.said == []


async def test_what_is_over_goes_when_there_is_too_much(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts_module, "MOST_HOSTS", 3)
    for number in range(3):
        scene.memory.failed(Target("h", f"192.0.2.{number}", 25), "refused", 10.0 * number + 10.0)
    scene.now += 15.0
    scene.memory.failed(Target("h", "192.0.2.9", 25), "refused", 60.0)
    assert [scene.memory.until(Target("h", f"192.0.2.{number}", 25)) for number in range(3)] == [0.0, 1020.0, 1030.0]
    scene.memory.failed(Target("h", "192.0.2.10", 25), "refused", 60.0)
    assert scene.memory.may_try(Target("h", "192.0.2.10", 25))  # there is no room: it is tried each time
