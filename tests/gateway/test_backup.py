"""Backups of gateways that run, and what becomes of them elsewhere."""

from __future__ import annotations

import re
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sealgate.cli import backup as cli
from tests.peers.ports import free_port
from tests.running import Gateway, Settings, eventually, gateway, next_hop
from tests.smtp_client import Client


class Load:
    """Clients that send one message after the other, some of them large, until they are stopped."""

    def __init__(self, port: int, clients: int = 3) -> None:
        self.taken: list[str] = []
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, number: int) -> None:
        with closing(Client(self._port)) as client:
            client.reply()
            client.say("EHLO load.example")
            count = 0
            while not self._stop.is_set():
                count += 1
                subject = f"message-{number}-{count}"
                client.say("MAIL FROM:<load@load.example>")
                client.say("RCPT TO:<one@inside.example>")
                client.say("DATA")
                lines = 2000 if count % 4 == 0 else 1
                body = b"".join(b"%06d %s\r\n" % (line, b"x" * 60) for line in range(lines))
                answer = client.say(b"Subject: %s\r\n\r\n%s.\r\n" % (subject.encode(), body))
                assert answer.startswith("250"), answer
                self.taken.append(subject)


def moved(settings: Settings, ports: dict[str, int], hop: int) -> None:
    """The configuration on ports of its own."""
    settings["routes"][0]["hosts"] = [f"127.0.0.1:{hop}"]
    for listener in settings["listeners"]:
        ports[listener["name"]] = listener["port"] = free_port()


class Elsewhere(Gateway):
    """A gateway whose home comes from a backup."""

    def __init__(self, home: Path, archive: Path, hop: int) -> None:
        self.home, self.ports, self._process = home, {}, None
        self.said = self.command("restore", str(archive)).stdout
        self.configure(lambda settings: moved(settings, self.ports, hop))


def test_a_backup_under_load_is_delivered_elsewhere(tmp_path: Path) -> None:
    archive = tmp_path / "all.tar.gz"
    with gateway(tmp_path / "home", next_hop=free_port(), workers=2) as gate:
        with Load(gate.ports["public"]) as load:
            eventually(lambda: len(load.taken) > 60)
            before = list(load.taken)
            assert "private keys" in gate.command("backup", str(archive)).stdout
            eventually(lambda: len(load.taken) > len(before) + 10)
        copies = [path.name for path in (gate.home / "spool").glob("*/*")]
        assert set(copies) <= {"spool.db", "spool.db-wal", "spool.db-shm", "bodies"}
        highest = max(int(mid) for mid in re.findall(r"MID (\d+) queued", gate.log()))
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    with next_hop(tmp_path / "hop") as hop:
        other = Elsewhere(tmp_path / "other", archive, hop.port)
        try:
            other.start()
            other.command("queue", "retry")
            hop.wait_for_messages(len(before))
            eventually(lambda: "empty" in other.command("queue", "list").stdout)
            with closing(Client(other.ports["public"])) as client:
                client.reply()
                client.say("EHLO me.example")
                client.send("one@inside.example", subject="after")
            assert int(other.wait_for_log(r"Start MID \d+ ICID").split()[8]) > highest
        finally:
            other.stop()
        arrived = hop.messages()
    subjects = [re.search(rb"^Subject: (\S+)", text, re.MULTILINE)[1].decode() for text in arrived]  # type: ignore[index]
    subjects = [each for each in subjects if each != "after"]
    assert len(subjects) == len(set(subjects))
    assert set(before) <= set(subjects)
    for text in arrived:
        subject = re.search(rb"^Subject: message-\d+-(\d+)", text, re.MULTILINE)
        assert subject is None or text.count(b"x" * 60) == (2000 if int(subject[1]) % 4 == 0 else 1)
    assert f"{len(subjects)} message(s) wait" in other.said


def test_the_configuration_alone_leaves_the_queue_where_it_is(tmp_path: Path) -> None:
    archive = tmp_path / "configuration.tar"
    with gateway(tmp_path / "home", next_hop=free_port()) as gate:
        with closing(Client(gate.ports["public"])) as client:
            client.reply()
            client.say("EHLO me.example")
            client.send("one@inside.example")
        gate.command("backup", "--without-queue", str(archive))
        kept = gate.command("showconfig", "--secrets").stdout
        gate.configure(lambda settings: settings["gateway"].update(hostname="other.inside.example"))
        running = gate.command("restore", "--force", str(archive), check=False)
        assert running.returncode == 1
        assert "another gateway runs on" in running.stderr
    refused = gate.command("restore", str(archive), check=False)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert gate.command("showconfig", "--secrets").stdout != kept
    ids = (gate.home / "ids.json").read_text()
    gate.command("restore", "--force", str(archive))
    assert gate.command("showconfig", "--secrets").stdout == kept
    assert (gate.home / "ids.json").read_text() == ids
    (before,) = gate.home.glob("before-restore-*")
    assert {path.name for path in before.iterdir()} <= {"revisions.db", "revisions.db-wal", "revisions.db-shm"}
    gate.start()
    try:
        assert "<one@inside.example>" in gate.command("queue", "list").stdout
    finally:
        gate.stop()


def test_a_gateway_at_rest_is_backed_up_too(tmp_path: Path) -> None:
    with gateway(tmp_path / "home", next_hop=free_port()) as gate, closing(Client(gate.ports["public"])) as client:
        client.reply()
        client.say("EHLO me.example")
        client.send("one@inside.example", subject="at rest")
    gate.command("backup", str(tmp_path / "all.tar"))
    assert sorted(path.name for path in (gate.home / "spool/worker-1").iterdir()) == ["bodies", "spool.db"]
    with next_hop(tmp_path / "hop") as hop:
        other = Elsewhere(tmp_path / "other", tmp_path / "all.tar", hop.port)
        try:
            other.start()
            other.command("queue", "retry")
            (text,) = hop.wait_for_messages()
            assert b"Subject: at rest" in text
        finally:
            other.stop()


def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    failed = gate.command("backup", str(tmp_path / "nowhere" / "all.tar"), check=False)
    assert failed.returncode == 1
    assert "nowhere" in failed.stderr
    assert list(gate.home.glob(".backup-*")) == []
    nothing = gate.command("--home", str(tmp_path / "empty"), "backup", str(tmp_path / "x.tar"), check=False)
    assert nothing.returncode == 1


@pytest.mark.parametrize("name", ["all.tar", "all.tar.gz"])
def test_a_new_backup_takes_the_place_of_the_old_one(tmp_path: Path, name: str) -> None:
    gate = Gateway(tmp_path / "home")
    (tmp_path / name).write_text("an old one")
    gate.command("backup", str(tmp_path / name))
    assert gate.command("--home", str(tmp_path / "other"), "restore", str(tmp_path / name)).returncode == 0
    assert gate.command("--home", str(tmp_path / "other"), "showconfig").stdout == gate.command("showconfig").stdout


def test_a_copy_that_a_crash_has_left_goes_with_the_next_start(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    left = gate.home / "spool/worker-1/copy/bodies"
    left.mkdir(parents=True)
    (left / "7").write_text("a body that has left since")
    try:
        gate.start()
        assert not left.parent.exists()
    finally:
        gate.stop()


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    progress = cli._progress("written")
    progress(250, 250)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = cli._progress("written")
    for done in (100, 101, 250):
        progress(done, 250)
    assert capsys.readouterr().err == "\r100 of 250 files written\r250 of 250 files written\n"
