from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sealgate.event.facts import ChildDied, ChildStarted, GatewayStarted, GatewayStopping, ServiceUnavailable
from sealgate.process.channel import ChannelError
from sealgate.process.endpoint import EndpointError
from sealgate.process.ids import IdError
from sealgate.process.member import Timing
from tests.process.house import BRISK, House, running


async def test_children_come_up_serve_and_stop_in_order(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        await house.serving("control", "worker-1", "worker-2")
        assert await house.connect() in ("worker-1 1", "worker-2 1")
        about = await house.ask("worker-2", "about")
        assert about == {
            "revision": 1, "crew": ["control", "worker-1", "worker-2"], "pid": house.pid("worker-2")
        }  # fmt: skip
    assert {each.child for each in house.all(ChildStarted)} == {"control", "worker-1", "worker-2"}
    assert house.all(GatewayStarted) == [GatewayStarted("0", 1)]
    assert len(house.all(GatewayStopping)) == 1
    assert house.all(ChildDied) == []
    with pytest.raises(ConnectionRefusedError):
        await house.connect()


async def test_no_library_configuration_reaches_a_child(tmp_path: Path) -> None:
    async with running(House(tmp_path, workers=1), OPENSSL_CONF="/etc/ssl/openssl.cnf") as house:
        assert await house.ask("worker-1", "environment") == {"openssl": "", "notify": None}


@pytest.mark.parametrize("child", ["control", "worker-1", "worker-2"])
async def test_what_is_killed_comes_back_at_once_and_the_port_stays(tmp_path: Path, child: str) -> None:
    async with running(House(tmp_path)) as house:
        await house.serving("control", "worker-1", "worker-2")
        before = house.pid(child)
        os.kill(before, signal.SIGKILL)
        assert await house.connect()  # by another worker, or from the queue of the socket
        assert await house.death(child) == ChildDied(child, before, -signal.SIGKILL)
        await house.serving("control", "worker-1", "worker-2")
        children = {each["child"]: each for each in (await house.order("running"))["children"]}
        assert {name: each["restarts"] for name, each in children.items()} == {
            "control": 0, "worker-1": 0, "worker-2": 0, child: 1
        }  # fmt: skip
        assert children[child]["pid"] != before
        assert children[child]["serving"]
        assert await house.connect()


async def test_a_child_that_dies_again_and_again_is_restarted_ever_more_slowly(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    house = House(tmp_path, workers=2)
    async with running(house, "die:worker-2"):  # the gateway starts without it
        began = loop.time()
        await house.until(lambda: len([e for e in house.all(ChildDied) if e.child == "worker-2"]) >= 5)
        assert loop.time() - began > 3 * 0.1
        assert await house.connect() == "worker-1 1"
    statuses = {event.status for event in house.all(ChildDied)}
    assert 7 in statuses


@pytest.mark.parametrize("kind", ["silence", "freeze"])
async def test_a_silent_child_is_killed_and_comes_back(tmp_path: Path, kind: str) -> None:
    async with running(House(tmp_path, timing=replace(BRISK, silence=30))) as house:
        house.channel("worker-2").notify("ask", {"op": "nonsense", "body": {"kind": kind}})
        await house.note("worker-2")
        assert (await house.death("worker-2")).status == -signal.SIGKILL
        assert "it has been silent for 30 beats" in (await house.note("worker-2")).text
        await house.serving("control", "worker-1", "worker-2")
    assert {event.child for event in house.all(ChildDied)} == {"worker-2"}


async def test_a_process_that_never_says_hello_is_killed(tmp_path: Path) -> None:
    house = House(tmp_path, timing=Timing(beat=0.02, birth=10, restart=(0.0, 0.1)), workers=1)
    supervisor = house.hire()
    supervisor._command = lambda child, fd: ["sleep", "3600"]
    run = asyncio.create_task(supervisor.run())
    assert (await house.death("worker-1")).status == -signal.SIGKILL
    supervisor.stop()
    assert await run == 0


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        ("garbage", "misbehaves: the other end sent"),
        ("huge head", "announces"),
        ("no json", "no JSON"),
        ("deep json", "no JSON"),
        ("odd form", "no known form"),
        ("missing descriptor", "missing"),
        ("unwanted descriptor", "not asked for"),
        ("bad lease", "makes no sense"),
        ("flood", "asks more than 4096 things at once"),
        ("close", None),
    ],
)
async def test_a_worker_that_misbehaves_harms_only_itself(tmp_path: Path, kind: str, note: str | None) -> None:
    async with running(House(tmp_path)) as house:
        control, other = house.pid("control"), house.pid("worker-1")
        house.channel("worker-2").notify("ask", {"op": "nonsense", "body": {"kind": kind}})
        await house.death("worker-2")
        if note:
            assert "worker-2" in (await house.note(note)).text
        await house.serving("control", "worker-1", "worker-2")
        assert (await house.ask("worker-2", "ids", kind="mid", count=3))["ids"]
        assert (house.pid("control"), house.pid("worker-1")) == (control, other)


@pytest.mark.parametrize("kind", ["bad ids", "hello again"])
async def test_odd_requests_are_borne(tmp_path: Path, kind: str) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: pytest.fail(str(context)))
    async with running(House(tmp_path)) as house:
        await house.ask("worker-1", "nonsense", kind=kind)
        assert (await house.ask("worker-1", "ids", kind="mid", count=1))["ids"]
    assert house.all(ChildDied) == []


async def test_a_worker_may_not_order(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        for op in ("prepare", "swap", "abandon", "running", "ask", "rm -rf"):
            with pytest.raises(ChannelError, match=f"worker-1 may not ask '{op}'"):
                await house.ask("worker-1", "order", op=op, body={})


async def test_leases_hold_for_all_workers_together_and_the_dead_lose_theirs(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        wants = [["host 192.0.2.1", 5], ["connections", 100]]

        async def acquire(worker: str) -> bool:
            return bool((await house.ask(worker, "acquire", wants=wants))["granted"])

        granted = [await acquire(f"worker-{1 + n % 2}") for n in range(8)]
        assert granted == [True] * 5 + [False] * 3
        os.kill(house.pid("worker-1"), signal.SIGKILL)  # it held three
        await house.death("worker-1")
        assert [await acquire("worker-2") for _ in range(4)] == [True] * 3 + [False]
        await house.ask("worker-2", "release")
        await house.serving("control", "worker-1", "worker-2")
        assert [await acquire("worker-1") for _ in range(6)] == [True] * 5 + [False]


async def test_ids_are_unique_across_workers_restarts_and_gateways(tmp_path: Path) -> None:
    given: list[int] = []
    for _ in range(2):
        async with running(House(tmp_path)) as house:
            for _ in range(2):
                for worker in ("worker-1", "worker-2"):
                    given += (await house.ask(worker, "ids", kind="mid", count=50))["ids"]
                os.kill(house.pid("worker-1"), signal.SIGKILL)
                await house.until(lambda: len(house.all(ChildDied)) > 0)
                house.events.clear()
                await house.serving("control", "worker-1", "worker-2")
    assert len(set(given)) == len(given) == 400


async def test_control_asks_workers_through_the_supervisor(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        answers = await house.order("ask", to="workers", op="about", body={})
        assert {name: answer["pid"] for name, answer in answers.items()} == {
            name: house.pid(name) for name in ("worker-1", "worker-2")
        }
        assert set(await house.order("ask", to="worker-2", op="about", body={})) == {"worker-2"}
        refused = await house.order("ask", to="workers", op="dance", body={})
        assert refused == {name: {"error": "what is dance?"} for name in ("worker-1", "worker-2")}
        with pytest.raises(ChannelError, match="there is no worker-9"):
            await house.order("ask", to="worker-9", op="about", body={})
        with pytest.raises(ChannelError, match="ask wants"):
            await house.order("ask", to="workers")


async def test_a_worker_that_is_not_there_does_not_spoil_the_answer(tmp_path: Path) -> None:
    async with running(House(tmp_path), "die:worker-2") as house:
        answers = await house.order("ask", to="workers", op="about", body={})
        assert answers["worker-1"]["revision"] == 1
        assert answers["worker-2"] == {"error": "worker-2 is not running"}


async def test_descriptors_reach_each_worker(tmp_path: Path) -> None:
    async with running(House(tmp_path)) as house:
        reading, writing = os.pipe()
        os.write(writing, b"hello")
        os.close(writing)
        answer = await house.order("ask", [reading], to="worker-2", op="descriptors", body={})
        os.close(reading)
        assert answer == {"worker-2": {"read": ["hello"]}}


async def test_hanging_up_reopens_the_logs_everywhere(tmp_path: Path) -> None:
    house = House(tmp_path)
    reopened: list[bool] = []
    async with running(house):
        house.supervisor._reopen = lambda: reopened.append(True)
        house.supervisor._hang_up()
        for child in ("control", "worker-1", "worker-2"):
            assert (await house.ask(child, "heard"))["heard"] == ["reopen"]
    assert reopened == [True]


async def test_a_child_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    house = House(tmp_path, timing=Timing(stop_workers=0.3), deeds={"stop:worker-1": "hang"})
    async with running(house):
        pass
    assert [event.child for event in house.all(ChildDied)] == ["worker-1"]
    assert "it has not stopped within 0.3 s" in (await house.note("worker-1")).text


async def test_a_process_that_outlives_its_channel_is_killed(tmp_path: Path) -> None:
    house = House(tmp_path, deeds={"end:worker-1": "hang"})
    async with running(house):
        pass
    assert "its channel has ended" in (await house.note("worker-1")).text


async def test_told_twice_to_stop_it_stops_at_once(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    house = House(tmp_path, timing=Timing(), deeds={"stop:worker-1": "hang", "stop:worker-2": "hang"})
    async with running(house):
        began = loop.time()
        house.supervisor.stop()
        await house.event(GatewayStopping)
    assert loop.time() - began < 10


async def test_stopping_while_children_are_still_being_born(tmp_path: Path) -> None:
    house = House(tmp_path)
    run = asyncio.create_task(house.hire().run())
    await house.event(ChildStarted)
    house.supervisor.stop()
    async with asyncio.timeout(10):
        assert await run == 0


async def test_cancelling_leaves_no_process_behind(tmp_path: Path) -> None:
    house = House(tmp_path)
    run = asyncio.create_task(house.hire().run())
    await house.event(GatewayStarted)
    pids = [house.pid(name) for name in ("control", "worker-1", "worker-2")]
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_command_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    supervisor = house.hire()
    supervisor._command = lambda child, fd: ["/nowhere/sealgate"]
    run = asyncio.create_task(supervisor.run())
    assert "worker-1 could not be started: [Errno 2]" in (await house.note("worker-1")).text
    supervisor.stop()
    assert await run == 0


async def test_a_journal_that_fails_stops_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    lost: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    async with running(house):

        def fail(event: object) -> None:
            raise OSError("the disk is gone")

        supervisor = house.supervisor
        emit, supervisor._emit = supervisor._emit, fail
        before = house.pid("worker-1")
        os.kill(before, signal.SIGKILL)
        members = supervisor._members
        await house.until(lambda: members["worker-1"].pid not in (before, None))
        await house.serving("control", "worker-1", "worker-2")
        supervisor._emit = emit
    assert len(lost) == 2  # the death and the start


async def test_one_address_that_cannot_be_had_does_not_stop_the_others(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.payload["endpoints"].append(("other", "192.0.2.1", 2525))
    async with running(house):
        assert await house.connect()
    [event] = house.all(ServiceUnavailable)
    assert event.service == "other"
    assert "this machine does not have that address" in event.sentence


async def test_no_address_at_all_is_no_gateway(tmp_path: Path) -> None:
    house = House(tmp_path)
    sentence = f"127.0.0.1 port {house.port} for listener 'public': it is in use"
    with socket.create_server(("127.0.0.1", house.port)), pytest.raises(EndpointError, match=sentence):
        await house.hire().run()
    assert house.events == []


async def test_damaged_ids_are_no_gateway(tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text("{")
    with pytest.raises(IdError):
        await House(tmp_path).hire().run()


async def test_the_service_manager_hears_how_it_goes(tmp_path: Path) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.setblocking(False)
    heard: list[str] = []

    def listen() -> None:
        heard.extend(manager.recv(4096).decode().split("\n"))

    loop = asyncio.get_running_loop()
    loop.add_reader(manager, listen)
    async with running(House(tmp_path), NOTIFY_SOCKET=str(tmp_path / "notify")) as house:
        await house.until(lambda: "READY=1" in heard and "WATCHDOG=1" in heard)
        assert "STATUS=2 of 2 workers serve" in heard
        house.supervisor._hang_up()
        await house.until(lambda: heard.count("READY=1") == 2)
        assert "RELOADING=1" in heard
    await house.until(lambda: "STOPPING=1" in heard)
    loop.remove_reader(manager)
    manager.close()
