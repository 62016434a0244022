"""A process killed in the middle of a commit: afterwards everyone is on the old revision or everyone on the new one."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sealgate.cli.client import NotRunning, Refused, ask
from sealgate.process.channel import ChannelError
from tests.running import Gateway, eventually

WHOLE = 0.35
"""Seconds within which a commit of this size has gone through all of its steps."""


def commit(gate: Gateway, versions: list[str], told: list[Any]) -> None:
    with suppress(NotRunning, Refused, ChannelError, OSError):
        ask(gate.home, "edit", {"steps": [{"set": "tls.inbound_smtp.versions", "value": versions}]})
        told.append(ask(gate.home, "commit", {"comment": "to be killed"}))


def settled(gate: Gateway) -> dict[str, Any] | None:
    """What is in force, once every process serves and has been tried by handshakes."""
    with suppress(NotRunning, Refused, ChannelError, OSError):
        running = ask(gate.home, "status")["running"]
        if all(child["serving"] for child in running["children"]) and len(running["children"]) == 3:
            verified = ask(gate.home, "verify")
            if verified["passed"]:
                return {**running, "trials": verified["trials"]}
    return None


@pytest.mark.timeout(1200)  # of the long form, forty rounds of which each waits until all serve again
@pytest.mark.parametrize("victim", ["control", "worker-1", "worker-2", "supervisor"])
def test_never_a_mixture(tmp_path: Path, victim: str, soak: bool) -> None:
    chance = random.Random(f"commit {victim}")
    gate = Gateway(tmp_path / "home", workers=2)
    gate.start()
    try:
        for _ in range(40 if soak else 2):
            before = gate.settings()["tls"]["inbound_smtp"]["versions"]
            wanted = ["1.3"] if before != ["1.3"] else ["1.2"]
            told: list[Any] = []
            thread = threading.Thread(target=commit, args=(gate, wanted, told))
            pids = {**gate.children(), "supervisor": gate.pid}
            thread.start()
            time.sleep(chance.uniform(0, WHOLE))  # a random place on the way, which is what this is about
            os.kill(pids[victim], signal.SIGKILL)
            thread.join()
            if victim == "supervisor":
                gate.stop()
                gate.start()
            state = eventually(lambda: settled(gate), why=lambda: gate.log()[-3000:])
            stored = gate.settings()["tls"]["inbound_smtp"]["versions"]
            assert stored in (before, wanted)
            if told and "revision" in told[0]:
                assert stored == wanted  # what was answered is in force
                assert state["revision"] == told[0]["revision"]
            ask(gate.home, "discard")
    finally:
        gate.stop()
