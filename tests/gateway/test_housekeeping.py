"""A gateway that runs out of room, on a file system of its own: what it puts off, and what goes on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

import pytest

from sealgate.store.room import free_space
from tests.peers.ports import free_port
from tests.peers.programs import run
from tests.running import COMMAND, Gateway, NextHop, Settings, eventually, gateway, next_hop
from tests.smtp_client import Client

MIB = 1 << 20
QUEUE_FULL = "452 4.3.1 queue full"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    mounted = run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", tmp_path])
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stdout}")
    try:
        yield tmp_path
    finally:
        run(["umount", "--lazy", tmp_path])


def mail(port: int, size: int = 0) -> str:
    """What a client hears to MAIL with that size."""
    with closing(Client(port)) as client:
        client.reply()
        client.say("EHLO me.example")
        return client.say(f"MAIL FROM:<me@me.example> SIZE={size}")


def send(port: int, recipient: str, sender: str = "me@me.example", size: int = 0) -> str:
    """Send a message of so many lines of 64 bytes; the first reply that refuses it, or the last one."""
    with closing(Client(port)) as client:
        client.reply()
        client.say("EHLO me.example")
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            answer = client.say(command)
            if answer[0] not in "23":
                return answer
        return client.say(b"Subject: hello\r\n\r\n" + (b"x" * 62 + b"\r\n") * size + b".\r\n")


def fill(disk: Path, left: int, name: str = "ballast") -> Path:
    """A file that leaves so much of the disk."""
    ballast = disk / name
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while (room := free_space(disk) - left) > 0:
            file.write(bytes(min(room, MIB)))
    return ballast


@pytest.mark.needs("root", "mount")
def test_mail_is_put_off_before_the_disk_is_full_and_the_queue_goes_on(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = Gateway(small_disk / "home", next_hop=(port := free_port()))

    def reserve(settings: Settings) -> None:
        settings["limits"]["disk_reserve"] = 16 * MIB
        settings["delivery"].update(retry_first=0.5, retry_max=0.5, host_down=0)
        settings["routes"].append({"domain": "me.example", "hosts": [f"127.0.0.1:{port}"]})

    gate.configure(reserve)
    gate.start()
    try:
        public = gate.ports["public"]
        kept = [send(public, "one@inside.example", size=2000 if n == 2 else 1) for n in range(5)]
        assert all(answer.startswith("250") for answer in kept), kept
        fill(small_disk, 24 * MIB)
        gate.wait_for_log("Warning: Worker 1: the disk of the spool has")
        ballast = fill(small_disk, 10 * MIB)
        gate.wait_for_log("Critical: Worker 1 puts off new mail with 452: the disk of")
        assert [mail(public) for _ in range(3)] == [QUEUE_FULL] * 3
        (number,) = re.findall(r"Message (\d+) accepted", kept[0])
        gate.command("queue", "bounce", number, "--yes")
        hop = NextHop(tmp_path_factory.mktemp("hop"), port=port)
        try:
            gate.command("queue", "retry")
            assert any(b"report-type=delivery-status" in text for text in hop.wait_for_messages(5))  # and 4 as sent
            eventually(lambda: "empty" in gate.command("queue", "list").stdout)
            assert mail(public) == QUEUE_FULL
            ballast.unlink()
            gate.wait_for_log("Worker 1 takes new mail again")
            assert send(public, "two@inside.example").startswith("250")
            hop.wait_for_messages(6)
        finally:
            hop.stop()
        log = gate.log()
        assert log.count("puts off new mail") == log.count("takes new mail again") == 1
        assert log.count("the disk of the spool has") == 1
    finally:
        gate.stop()


@pytest.mark.needs("root", "mount")
def test_a_message_under_way_stops_at_half_of_the_reserve(small_disk: Path) -> None:
    gate = Gateway(small_disk / "home")
    gate.configure(lambda settings: settings["limits"].update(disk_reserve=16 * MIB))
    gate.start()
    try:
        fill(small_disk, 20 * MIB)
        gate.wait_for_log("the disk of the spool has")
        assert mail(gate.ports["public"], 16 * MIB) == QUEUE_FULL  # it says itself that it is too much
        assert mail(gate.ports["public"], 4 * MIB).startswith("250")
        answer = send(gate.ports["public"], "one@inside.example", size=16 * MIB // 64)
        assert answer == QUEUE_FULL
        assert free_space(small_disk) > 16 * MIB
        eventually(lambda: mail(gate.ports["public"]).startswith("250"))
        assert list((small_disk / "home/spool/worker-1/bodies").iterdir()) == []
    finally:
        gate.stop()


@pytest.fixture
def full_disk(small_disk: Path) -> tuple[Gateway, Path]:
    """A gateway that has stopped with a message in its queue, and what fills its disk up to 8 MB meanwhile."""
    gate = Gateway(small_disk / "home", next_hop=free_port())
    gate.configure(lambda settings: settings["limits"].update(disk_reserve=16 * MIB))
    try:
        gate.start()
        assert send(gate.ports["public"], "one@inside.example").startswith("250")
    finally:
        assert gate.stop() == 0
    return gate, fill(small_disk, 8 * MIB)


@pytest.mark.needs("root", "mount")
def test_a_gateway_starts_on_a_full_disk_and_says_so(full_disk: tuple[Gateway, Path]) -> None:
    gate, ballast = full_disk
    try:
        gate.start()
        gate.wait_for_log("Worker 1 puts off new mail with 452: the disk of")
        assert mail(gate.ports["public"]) == QUEUE_FULL
        ballast.unlink()
        eventually(lambda: mail(gate.ports["public"]).startswith("250"))
        assert "<one@inside.example>" in gate.command("queue", "list").stdout
    finally:
        gate.stop()


@pytest.mark.needs("root", "mount")
def test_a_gateway_starts_where_not_a_byte_is_left(
    full_disk: tuple[Gateway, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate, ballast = full_disk
    said = tmp_path_factory.mktemp("elsewhere") / "said"
    fill(ballast.parent, 0, "more")
    with said.open("wb") as output, running(gate, output):
        eventually(lambda: "no mail is taken" in said.read_text(), why=said.read_text)
        assert "No space left on device" in said.read_text()
        ballast.unlink()
        eventually(lambda: sent(gate.ports["public"], "two@inside.example"))
        listed = gate.command("queue", "list").stdout
        assert "<one@inside.example>" in listed
        assert "<two@inside.example>" in listed


def sent(port: int, recipient: str) -> bool:
    """Whether a message is taken; a gateway that is about to start may hang up, or say nothing yet."""
    with suppress(OSError, IndexError):
        return send(port, recipient).startswith("250")
    return False


@contextmanager
def running(gate: Gateway, output: IO[bytes]) -> Iterator[None]:
    """The gateway, started by hand: nobody waits until it answers."""
    process = subprocess.Popen([COMMAND, "--home", str(gate.home), "serve"], stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_queue_that_is_full_puts_mail_off_in_equal_shares(tmp_path: Path) -> None:
    with gateway(tmp_path / "home", next_hop=free_port(), workers=2) as gate:
        gate.configure(lambda settings: settings["limits"].update(queue_messages=7))
        public = gate.ports["public"]
        answers = []
        while answers[-8:] != [QUEUE_FULL] * 8:
            answers.append(send(public, "one@inside.example"))
            assert len(answers) < 200
        assert sum(answer.startswith("250") for answer in answers) == 6
        assert {answer[:3] for answer in answers} == {"250", "452"}
        log = gate.log()
        for worker in (1, 2):
            assert log.count(f"Worker {worker} puts off new mail with 452: the queue of worker {worker} has 3") == 1
        gate.configure(lambda settings: settings["limits"].update(queue_messages=100))
        assert send(public, "one@inside.example").startswith("250")
        gate.wait_for_log("takes new mail again")


def test_a_gateway_removes_old_logs_when_it_starts(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    gate.configure(lambda settings: settings["logs"].update(keep_days=7))
    logs = gate.home / "logs"
    logs.mkdir()
    old = logs / "events-worker-9.20240101T000000.000000Z.jsonl"
    old.write_text("")
    try:
        gate.start()
        eventually(lambda: not old.exists())
    finally:
        gate.stop()


def test_everything_in_a_home_stands_in_the_installation_guide(tmp_path: Path) -> None:
    """With how large it gets: what is not in the table would grow unseen."""
    guide = (Path(__file__).parents[2] / "docs" / "install.md").read_text()
    rows = re.findall(r"^\| `/var/lib/sealgate/([^`]+)` \| [^|]+ \|([^|]*)\|$", guide, re.MULTILINE)
    assert all(bound.strip() for name, bound in rows if name != "control.sock")
    known = [name.rstrip("/") for name, _ in rows]
    with gateway(tmp_path / "home", next_hop=free_port()) as gate:
        assert send(gate.ports["public"], "one@inside.example", size=2000).startswith("250")
        gate.command("suspend", "delivery")
        gate.command("backup", str(tmp_path / "all.tar"))
    gate.command("restore", "--force", str(tmp_path / "all.tar"))
    for path in gate.home.iterdir():
        if path.name in ("output", "logs"):  # the first is the test's own
            continue
        assert any(fnmatch(re.sub(r"-(wal|shm)$", "", path.name), name) for name in known), path.name
    for path in (gate.home / "logs").iterdir():
        assert any(fnmatch(f"logs/{path.name}", name) for name in known), path.name


@pytest.mark.needs("root", "mount")
def test_nothing_acknowledged_is_lost_on_a_disk_that_others_fill_to_the_last_byte(
    small_disk: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    gate = Gateway(small_disk / "home", next_hop=port)

    def reserve(settings: Settings) -> None:
        settings["limits"]["disk_reserve"] = 16 * MIB
        settings["delivery"].update(retry_first=0.5, retry_max=0.5, host_down=0)

    gate.configure(reserve)
    with next_hop(tmp_path_factory.mktemp("hop"), port=port) as hop:
        try:
            gate.start()
            public, taken, put_off = gate.ports["public"], 0, 0
            ballast = None
            while put_off < 20 or taken < 40:
                answer = send(public, f"one-{taken}@inside.example", size=1500 if taken % 3 == 0 else 1)
                assert answer[:3] in ("250", "452", "451"), answer
                taken += answer.startswith("250")
                put_off += not answer.startswith("250")
                if taken == 20 and ballast is None:
                    ballast = fill(small_disk, 0)
                if put_off == 20 and ballast is not None:
                    ballast.unlink(missing_ok=True)
            eventually(lambda: "empty" in gate.command("queue", "list").stdout, why=gate.log)
            arrived = {re.search(rb"for <(one-\d+)@", text)[1].decode() for text in hop.messages()}
            assert arrived == {f"one-{number}" for number in range(taken)}
        finally:
            gate.stop()
