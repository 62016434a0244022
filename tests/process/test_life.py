"""The life and death of a whole gateway: real signals to a real process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.house import PATIENCE, environment, free_port

ROOT = Path(__file__).parents[2]


class Life:
    """A supervisor process and what it has said."""

    def __init__(self, home: Path) -> None:
        self._file = home / f"said-{len(list(home.glob('said-*')))}"
        self._read = 0
        with self._file.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.process.supervisor_program", str(home)],
                stdout=said, stderr=said, cwd=ROOT, env=environment(), start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> list[str]:
        return self._file.read_text().splitlines()

    async def says(self, part: str) -> None:
        """Wait for a line with this, after the one that was waited for last."""
        async with asyncio.timeout(PATIENCE):
            while not any(part in line for line in self.said[self._read :]):
                assert self.process.poll() is None, self.said
                await asyncio.sleep(0.01)
        self._read += 1 + next(n for n, line in enumerate(self.said[self._read :]) if part in line)

    def children(self) -> list[int]:
        found = (re.search(r"ChildStarted\(.*pid=(\d+)\)", line) for line in self.said)
        return [int(match[1]) for match in found if match]

    def died(self) -> list[str]:
        return [line for line in self.said if "ChildDied" in line]

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            while (status := self.process.poll()) is None:
                await asyncio.sleep(0.01)
            return status


def begin(home: Path, **payload: Any) -> Life:
    first = {"home": str(home), "revision": 1, "workers": 2, "endpoints": [("public", "127.0.0.1", free_port())]}
    (home / "payload.json").write_text(json.dumps({**first, **payload}))
    return Life(home)


@asynccontextmanager
async def life(home: Path, **payload: Any) -> AsyncIterator[Life]:
    gateway = begin(home, **payload)
    try:
        await gateway.says("ready")
        yield gateway
    finally:
        if gateway.process.poll() is None:
            os.killpg(gateway.process.pid, signal.SIGKILL)
            await gateway.ended()


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(alive(pid) for pid in pids):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_the_group", [False, True])
async def test_a_signal_ends_it_in_order(tmp_path: Path, number: int, to_the_group: bool) -> None:
    async with life(tmp_path) as gateway:
        if to_the_group:  # as a terminal does
            os.killpg(gateway.process.pid, number)
        else:
            gateway.process.send_signal(number)
        assert await gateway.ended() == 0
        assert gateway.died() == []
        await gone(gateway.children())


async def test_children_bear_signals_meant_for_the_supervisor_from_their_first_moment(tmp_path: Path) -> None:
    gateway = begin(tmp_path)
    await gateway.says("worker-2")
    for child in gateway.children():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(child, number)
    await gateway.says("ready")
    gateway.process.terminate()
    assert await gateway.ended() == 0
    assert gateway.died() == []


async def test_a_hangup_of_the_group_ends_nobody(tmp_path: Path) -> None:
    async with life(tmp_path) as gateway:
        os.killpg(gateway.process.pid, signal.SIGHUP)
        await gateway.says("reopened")
        gateway.process.terminate()
        assert await gateway.ended() == 0
        assert gateway.died() == []


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with life(tmp_path, deeds={"stop:worker-1": "hang"}) as gateway:
        loop = asyncio.get_running_loop()
        gateway.process.terminate()
        await gateway.says("GatewayStopping")
        began = loop.time()
        gateway.process.terminate()
        assert await gateway.ended() == 0
        assert loop.time() - began < 2
        await gone(gateway.children())


async def test_its_own_sudden_death_is_that_of_its_children(tmp_path: Path) -> None:
    async with life(tmp_path) as gateway:
        gateway.process.kill()
        assert await gateway.ended() == -signal.SIGKILL
        await gone(gateway.children())


async def test_a_child_whose_loop_hangs_dies_with_the_supervisor_too(tmp_path: Path) -> None:
    async with life(tmp_path, deeds={"ready:worker-1": "hang"}) as gateway:
        gateway.process.kill()
        await gateway.ended()
        await gone(gateway.children())


async def test_after_a_sudden_death_the_next_waits_for_the_last_child(tmp_path: Path) -> None:
    async with life(tmp_path) as gateway:
        worker = gateway.children()[-1]
        os.kill(worker, signal.SIGSTOP)  # it cannot notice
        gateway.process.kill()
        await gateway.ended()
        following = begin(tmp_path)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(following.says("Child"), 2)
        os.kill(worker, signal.SIGKILL)
        await following.says("ready")
        following.process.terminate()
        assert await following.ended() == 0


async def test_a_home_has_one_gateway(tmp_path: Path) -> None:
    async with life(tmp_path) as gateway:
        second = begin(tmp_path, patience=0.2)
        assert await second.ended() == 1
        [sentence] = second.said
        assert sentence.startswith(f"another gateway runs on {tmp_path}")
        assert alive(gateway.process.pid)


async def test_a_machine_that_slept_wakes_with_all_its_children(tmp_path: Path) -> None:
    async with life(tmp_path, beat=0.5) as gateway:
        everybody = [gateway.process.pid, *gateway.children()]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(6)  # longer than any silence that is borne
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
        gateway.process.send_signal(signal.SIGHUP)
        await gateway.says("reopened")
        gateway.process.terminate()
        assert await gateway.ended() == 0
        assert gateway.died() == []
