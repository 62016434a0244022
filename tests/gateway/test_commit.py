"""Candidates, commits, conflicts, confirmation and the way back, on a running gateway, over its Unix socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sealgate.cli.client import Refused, ask
from sealgate.control.service import SOCKET
from sealgate.process.channel import Channel
from tests.peers.clients import openssl_client
from tests.running import Gateway, eventually, gateway

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("commit"), workers=2) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(gate: Gateway) -> Iterator[None]:
    yield
    say(gate, "discard")
    if say(gate, "candidate")["confirm_by"]:
        say(gate, "confirm")


def say(gate: Gateway, op: str, **body: Any) -> Answer:
    return ask(gate.home, op, body)


def versions(gate: Gateway, *chosen: str, service: str = "inbound_smtp") -> Answer:
    return say(gate, "edit", steps=[{"set": f"tls.{service}.versions", "value": list(chosen)}])


def running(gate: Gateway) -> int:
    number: int = say(gate, "status")["running"]["revision"]
    return number


def speaks(gate: Gateway, version: str) -> bool:
    client = openssl_client(gate.ports["public"], starttls=True, version=version, stdin="QUIT\r\n")
    return "Cipher is (NONE)" not in client.stdout and client.returncode == 0


class Session:
    """An operator's session that stays open, as one of the dialogue."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._loop = asyncio.new_event_loop()
        self._channel = self._loop.run_until_complete(self._open())

    async def _open(self) -> Channel:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(str(self._home / SOCKET))
        return Channel(connection, lambda op, body, fds: None, lambda: None)

    def say(self, op: str, **body: Any) -> Answer:
        return self._loop.run_until_complete(self._channel.request(op, body, timeout=60))

    def close(self) -> None:
        self._channel.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


@contextmanager
def session(gate: Gateway) -> Iterator[Session]:
    opened = Session(gate.home)
    try:
        yield opened
    finally:
        opened.close()


def test_a_candidate_is_edited_shown_and_put_in_force(gate: Gateway) -> None:
    before = running(gate)
    assert speaks(gate, "1.2")
    shown = versions(gate, "1.3")
    assert shown["pending"]
    assert shown["configuration"]["tls"]["inbound_smtp"]["versions"] == ["1.3"]
    assert "PRIVATE KEY" not in str(shown)
    assert speaks(gate, "1.2")  # nothing is in force yet
    difference = say(gate, "diff")
    assert difference["changes"] == [{"path": "tls.inbound_smtp.versions", "before": ["1.2", "1.3"], "after": ["1.3"]}]
    assert difference["theirs"] == []
    committed = say(gate, "commit", comment="TLS 1.3 alone")
    assert committed["revision"] == before + 1 == running(gate)
    assert committed["changes"] == difference["changes"]
    assert not speaks(gate, "1.2")
    assert speaks(gate, "1.3")
    assert not say(gate, "candidate")["pending"]
    assert say(gate, "commit") == {"nothing": "There is no data to commit."}
    gate.wait_for_log(f"Configuration revision {before + 1} committed by root: TLS 1.3 alone")
    (entry, *_) = say(gate, "revisions")["revisions"]
    assert (entry["revision"], entry["comment"]) == (before + 1, "TLS 1.3 alone")
    (verified, act, *_) = say(gate, "audit")["acts"]
    assert (verified["act"], verified["detail"]["passed"]) == ("verify", True)
    assert (act["act"], act["who"], act["face"], act["detail"]["revision"]) == ("commit", "root", "cli", before + 1)


def test_what_cannot_be_is_refused_at_once_and_what_may_not_be_at_the_commit(gate: Gateway) -> None:
    before = running(gate)
    refused = versions(gate, "1.0", "1.2")["refused"]
    assert refused[0][0] == "tls.inbound_smtp.versions"
    assert "1.1" in refused[0][1]
    shown = say(
        gate,
        "edit",
        steps=[{"set": "listeners[public].tls", "value": "off"}, {"set": "listeners[public].auth", "value": "offered"}],
    )
    assert shown["problems"]
    problems = say(gate, "commit")["problems"]
    assert ["listeners[0].auth", "a login lets a client relay, and a public listener never relays"] in problems
    assert running(gate) == before
    assert say(gate, "candidate")["pending"]  # it can still be mended
    assert say(gate, "discard") == {"discarded": True}
    assert say(gate, "discard") == {"discarded": False}


def test_a_comment_that_cannot_be_kept_stands_in_nobodys_way(gate: Gateway) -> None:
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": 7}])
    with pytest.raises(Refused, match="the comment of the request 'commit' is not text"):
        say(gate, "commit", comment="caf\udce9")  # as a terminal in Latin-1 types it
    assert "revision" in say(gate, "commit", comment="café")
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": None}])
    assert "revision" in say(gate, "commit")


def test_a_change_taken_back_is_none(gate: Gateway) -> None:
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": 7}])
    assert not say(gate, "edit", steps=[{"set": "dns.timeout", "value": None}])["pending"]
    assert "nothing" in say(gate, "commit")


def test_two_operators_and_one_key_are_a_conflict_with_both_differences(gate: Gateway) -> None:
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": 8}])
    settings = gate.settings()
    settings["dns"]["timeout"] = 9
    gate.load(settings)  # somebody else, at one stroke
    before = running(gate)
    conflict = say(gate, "commit")
    assert f"revision {before} was committed by" in conflict["conflict"]
    assert conflict["mine"] == [{"path": "dns.timeout", "before": 10, "after": 8}]
    assert conflict["theirs"] == [{"path": "dns.timeout", "before": 10, "after": 9}]
    assert running(gate) == before
    difference = say(gate, "diff")
    assert (difference["base"], difference["current"]) == (before - 1, before)
    say(gate, "discard")
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": None}])
    assert "revision" in say(gate, "commit")


def test_rollback_is_a_commit_of_an_old_revision(gate: Gateway) -> None:
    first = running(gate)
    versions(gate, "1.2", service="outbound_smtp")
    say(gate, "commit", comment="narrower")
    assert say(gate, "rollback", revision=first)["pending"]
    committed = say(gate, "commit", comment="and back")
    assert committed["revision"] == first + 2
    assert committed["changes"] == [{"path": "tls.outbound_smtp.versions", "before": ["1.2"], "after": ["1.2", "1.3"]}]


# -- confirmation


def confirmed_commit(gate: Gateway, minutes: float) -> int:
    versions(gate, "1.2" if speaks(gate, "1.3") else "1.3")
    number: int = say(gate, "commit", minutes=minutes)["revision"]
    return number


def test_what_nobody_confirms_comes_back_by_itself(gate: Gateway) -> None:
    before = gate.settings()["tls"]["inbound_smtp"]["versions"]
    number = confirmed_commit(gate, 0.03)
    assert gate.settings()["tls"]["inbound_smtp"]["versions"] != before
    gate.wait_for_log(f"Configuration revision {number} taken back: it was not confirmed in time")
    assert running(gate) == number + 1
    assert gate.settings()["tls"]["inbound_smtp"]["versions"] == before
    assert say(gate, "candidate")["confirm_by"] is None


def test_only_a_session_that_began_under_it_confirms(gate: Gateway) -> None:
    with session(gate) as old:
        number = confirmed_commit(gate, 5)
        with pytest.raises(Exception, match="this session began before"):
            old.say("confirm")
    say(gate, "edit", steps=[{"set": "dns.timeout", "value": 6}])
    (problem,) = say(gate, "commit")["problems"]
    assert f"revision {number} waits to be confirmed" in problem[1]
    say(gate, "discard")
    assert say(gate, "confirm") == {"revision": number}
    gate.wait_for_log(f"Configuration revision {number} confirmed")
    assert running(gate) == number
    with pytest.raises(Exception, match="no commit waits"):
        say(gate, "confirm")


def test_what_waits_can_be_taken_back_by_hand(gate: Gateway) -> None:
    before = gate.settings()["tls"]["inbound_smtp"]["versions"]
    number = confirmed_commit(gate, 5)
    say(gate, "rollback", revision=number - 1)
    assert say(gate, "commit", comment="rather not")["revision"] == number + 1
    assert say(gate, "candidate")["confirm_by"] is None
    assert gate.settings()["tls"]["inbound_smtp"]["versions"] == before


def test_it_comes_back_although_control_is_killed_meanwhile(gate: Gateway) -> None:
    number = confirmed_commit(gate, 0.05)
    os.kill(gate.children()["control"], signal.SIGKILL)
    gate.wait_for_log(f"Configuration revision {number} taken back")
    eventually(lambda: running(gate) == number + 1)


def test_an_overdue_one_comes_back_before_the_gateway_listens(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate:
        before = gate.settings()["tls"]["inbound_smtp"]["versions"]
        number = confirmed_commit(gate, 0.04)
        os.kill(gate.pid, signal.SIGKILL)
        gate.stop()
        eventually(lambda: not _alive(gate))
        asyncio.run(asyncio.sleep(3))  # past the deadline, which nobody watches now
        position = len(gate.log())
        gate.start()
        gate.wait_for_log(f"Gateway started: .* configuration revision {number + 1}", after=position)
        assert gate.settings()["tls"]["inbound_smtp"]["versions"] == before


def _alive(gate: Gateway) -> bool:
    return (gate.home / SOCKET).exists() and _answers(gate)


def _answers(gate: Gateway) -> bool:
    try:
        say(gate, "status")
    except Exception:
        return False
    return True
