from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from sealgate.event.facts import ChildDied
from sealgate.process.channel import Body, ChannelError
from tests.process.house import House, free_port, running


async def revisions(house: House) -> dict[str, int]:
    answers = await house.order("ask", to="workers", op="about", body={})
    return {name: answer["revision"] for name, answer in answers.items()}


def listening(pid: int) -> set[int]:
    """The ports on which a process holds a listening socket."""
    ports = set()
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one that lists this folder
            target = os.readlink(fd)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            ports.add(int(fields[1].split(":")[1], 16))
    return ports


def all_listening(house: House, children: Sequence[str] = ("worker-1", "worker-2")) -> list[set[int]]:
    return [listening(os.getpid()) & _mine(house), *(listening(house.pid(child)) for child in children)]


def _mine(house: House) -> set[int]:
    """Ports that some worker of the house has; the test process may listen on others."""
    return listening(house.pid("worker-1")) | listening(house.pid("worker-2"))


async def test_a_change_reaches_every_worker_and_no_connection_is_lost(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        pids = house.pid("worker-1"), house.pid("worker-2")
        await house.order("prepare", payload=house.changed())
        assert await revisions(house) == {"worker-1": 1, "worker-2": 1}
        swapped = await house.order("swap", revision=2)
        assert swapped == {"revision": 2, "killed": [], "closed": []}
        assert await revisions(house) == {"worker-1": 2, "worker-2": 2}
        assert (await house.connect()).endswith(" 2")
        assert (house.pid("worker-1"), house.pid("worker-2")) == pids
        assert (await house.order("running"))["revision"] == 2


async def test_endpoints_come_and_go(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        new, v6 = free_port(), free_port("::1")
        both = [*house.payload["endpoints"], ("new", "127.0.0.1", new), ("six", "::1", v6)]
        await house.order("prepare", payload=house.changed(endpoints=both))
        with pytest.raises(ConnectionRefusedError):
            await house.connect(v6, "127.0.0.1")
        await house.order("swap", revision=2)
        assert [(await house.connect(port))[-1] for port in (house.port, new)] == ["2", "2"]
        assert (await house.connect(v6, "::1"))[-1] == "2"
        assert all_listening(house) == [{house.port, new}] * 3

        await house.order("prepare", payload=house.changed(3, endpoints=[("renamed", "127.0.0.1", new)]))
        assert all_listening(house) == [{house.port, new}] * 3
        await house.order("swap", revision=3)
        assert all_listening(house) == [{new}] * 3
        assert (await house.connect(new))[-1] == "3"
        with pytest.raises(ConnectionRefusedError):
            await house.connect(house.port)

        # and back again: the port is free, and bound anew
        await house.order("prepare", payload=house.changed(4))
        await house.order("swap", revision=4)
        assert (await house.connect(house.port))[-1] == "4"


async def test_an_abandoned_change_leaves_nothing(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        new = free_port()
        endpoints = [("public", "127.0.0.1", house.port), ("new", "127.0.0.1", new)]
        await house.order("prepare", payload=house.changed(endpoints=endpoints))
        await house.order("abandon")
        await house.order("abandon")  # nothing to do, no harm
        assert all_listening(house) == [{house.port}] * 3
        assert (await house.ask("worker-1", "heard"))["heard"] == ["abandon"]
        with pytest.raises(ChannelError, match="revision 2 has not been prepared"):
            await house.order("swap", revision=2)
        await house.order("prepare", payload=house.changed(endpoints=endpoints))
        await house.order("swap", revision=2)
        assert await revisions(house) == {"worker-1": 2, "worker-2": 2}


@pytest.mark.parametrize(
    ("deeds", "sentence"),
    [
        ({"prepare:worker-1": "refuse"}, "^worker-1: I do not like it$"),
        (
            {"prepare:worker-1": "refuse", "prepare:worker-2": "refuse"},
            "^worker-1: I do not like it; worker-2: I do not like it$",
        ),
        ({"prepare:worker-2": "fault"}, "worker-2: prepare failed: ZeroDivisionError: a fault of the child"),
        ({"prepare:worker-2": "die"}, "worker-2: "),
        ({"prepare:worker-2": "hang"}, "worker-2: no answer within 2 s"),
    ],
)
async def test_what_one_worker_cannot_prepare_is_prepared_nowhere(tmp_path: Path, deeds: Body, sentence: str) -> None:
    async with running(House(tmp_path)) as house:
        endpoints = [("public", "127.0.0.1", house.port), ("new", "127.0.0.1", free_port())]
        with pytest.raises(ChannelError, match=sentence):
            await house.order("prepare", payload=house.changed(deeds=deeds, endpoints=endpoints))
        if sentence == "worker-2: ":  # it has died, or is about to
            await house.death("worker-2")
        await house.serving("control", "worker-1", "worker-2")
        assert all_listening(house) == [{house.port}] * 3
        assert await revisions(house) == {"worker-1": 1, "worker-2": 1}
        await house.order("prepare", payload=house.changed())  # the next one is not in its way
        await house.order("swap", revision=2)
        assert await revisions(house) == {"worker-1": 2, "worker-2": 2}


async def test_a_port_that_cannot_be_had_refuses_the_change(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port, free = taken.getsockname()[1], free_port()
            endpoints = [("a", "127.0.0.1", free), ("b", "127.0.0.1", port)]
            with pytest.raises(ChannelError, match=f"cannot listen on 127.0.0.1 port {port} for listener 'b'"):
                await house.order("prepare", payload=house.changed(endpoints=endpoints))
        with pytest.raises(ConnectionRefusedError):
            await house.connect(free)
        assert all_listening(house) == [{house.port}] * 3


async def test_a_port_that_was_missing_already_does_not_hinder_other_changes(tmp_path: Path) -> None:
    house = House(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        house.payload["endpoints"].append(("second", "127.0.0.1", port))
        async with running(house):
            await house.order("prepare", payload=house.changed())
            [closed] = (await house.order("swap", revision=2))["closed"]
            assert f"127.0.0.1 port {port}" in closed
            taken.close()
            await house.order("prepare", payload=house.changed(3))  # now it can be had
            assert (await house.order("swap", revision=3))["closed"] == []
            assert (await house.connect(port))[-1] == "3"


async def test_a_worker_that_does_not_swap_is_killed_and_comes_back_with_the_new_one(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        await house.order("prepare", payload=house.changed(deeds={"swap:worker-2": "hang"}))
        assert (await house.order("swap", revision=2))["killed"] == ["worker-2"]
        assert "it has not swapped to revision 2: no answer within 2 s" in (await house.note("worker-2")).text
        await house.death("worker-2")
        await house.serving("control", "worker-1", "worker-2")
        assert await revisions(house) == {"worker-1": 2, "worker-2": 2}


async def test_a_worker_that_is_born_between_waits_for_the_outcome(tmp_path: Path) -> None:
    for outcome, revision in (("swap", 2), ("abandon", 1)):
        async with running(House(tmp_path)) as house:
            await house.order("prepare", payload=house.changed())
            os.kill(house.pid("worker-2"), signal.SIGKILL)
            await house.death("worker-2")
            assert (await house.order(outcome, revision=2)).get("killed", []) == []
            await house.serving("control", "worker-1", "worker-2")
            assert await revisions(house) == {"worker-1": revision, "worker-2": revision}
        assert len(house.all(ChildDied)) == 1


async def test_control_that_dies_between_abandons(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        new = free_port()
        await house.order("prepare", payload=house.changed(endpoints=[("new", "127.0.0.1", new)]))
        os.kill(house.pid("control"), signal.SIGKILL)
        await house.death("control")
        await house.serving("control", "worker-1", "worker-2")
        assert (await house.ask("worker-1", "heard"))["heard"] == ["abandon"]
        assert all_listening(house) == [{house.port}] * 3
        await house.order("prepare", payload=house.changed(3))
        await house.order("swap", revision=3)


async def test_only_one_change_at_a_time(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        await house.order("prepare", payload=house.changed())
        with pytest.raises(ChannelError, match="another change has been prepared"):
            await house.order("prepare", payload=house.changed(3))
        with pytest.raises(ChannelError, match="revision 3 has not been prepared"):
            await house.order("swap", revision=3)
        await house.order("swap", revision=2)


@pytest.mark.parametrize(
    "payload", [{}, {"revision": 2}, {"revision": "2", "workers": 2}, {"revision": 2, "workers": 0}]
)
async def test_a_payload_without_its_numbers_is_refused(tmp_path: Path, payload: Body) -> None:
    async with running(House(tmp_path, workers=1)) as house:
        with pytest.raises(ChannelError):
            await house.order("prepare", payload=payload)


async def test_workers_come_and_go(tmp_path: Path) -> None:
    async with running(House(tmp_path, workers=1)) as house:
        await house.order("prepare", payload=house.changed(2, workers=3))
        await house.order("swap", revision=2)
        await house.serving("control", "worker-1", "worker-2", "worker-3")
        assert set((await revisions(house)).values()) == {2}
        await house.order("prepare", payload=house.changed(3, workers=2))
        await house.order("swap", revision=3)
        await house.serving("control", "worker-1", "worker-2")
        await house.until(lambda: "worker-3" not in house.supervisor._members)
        assert (await house.ask("worker-1", "heard"))["heard"] == ["retired worker-3"]
        await house.order("prepare", payload=house.changed(4, workers=3))
        await house.order("swap", revision=4)
        await house.serving("control", "worker-1", "worker-2", "worker-3")
    assert house.all(ChildDied) == []


async def test_a_name_is_not_used_again_before_its_last_holder_has_gone(tmp_path: Path) -> None:
    house = House(tmp_path, deeds={"stop:worker-2": "once:hang"})
    async with running(house):
        old = house.pid("worker-2")
        await house.order("prepare", payload=house.changed(2, workers=1))
        await house.order("swap", revision=2)
        await house.order("prepare", payload=house.changed(3))
        await house.order("swap", revision=3)
        assert house.pid("worker-2") == old  # still finishing
        assert (await house.death("worker-2")).pid == old
        await house.until(lambda: house.supervisor._members["worker-2"].serving)
        assert house.pid("worker-2") != old
        assert await revisions(house) == {"worker-1": 3, "worker-2": 3}
