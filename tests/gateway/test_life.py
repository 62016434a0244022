"""A gateway's life: bad keys at the start, listeners that come and go, logs that are moved, an orderly end."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.peers.clients import swaks
from tests.peers.ports import HOST, free_port, wait_for
from tests.running import Gateway, Settings, eventually, gateway, next_hop
from tests.smtp_client import Client


def is_bound(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_unreadable_keys_keep_their_service_from_starting_and_no_other(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"

    def from_files(settings: Settings) -> None:
        profile = settings["certificates"][0]
        key.write_text(profile["key"])
        certificate.write_text(profile["certificate"])
        settings["certificates"].append(
            {"name": "in-files", "certificate_file": str(certificate), "key_file": str(key)}
        )
        settings["listeners"][0]["certificates"] = ["in-files"]

    gate.configure(from_files)
    key.unlink()
    closed = gate.ports.pop("public")
    try:
        gate.start()
        line = gate.wait_for_log("listener 'public' is not started")
        assert str(key) in line
        assert not is_bound(closed)  # never a fall to plain text
        assert is_bound(gate.ports["private"])
    finally:
        gate.stop()


def test_bad_configurations_name_every_problem_and_change_nothing(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate:
        settings = gate.settings()
        settings["tls"]["inbound_smtp"]["versions"] = ["1.0", "1.2"]
        settings["listeners"][0]["port"] = 0
        settings["no_such_table"] = {}
        before = gate.command("showconfig").stdout
        with pytest.raises(AssertionError) as refused:
            gate.load(settings)
        said = str(refused.value)
        for words in ("tls.inbound_smtp.versions", "TLS 1.1", "listeners[0].port", "no_such_table"):
            assert words in said, said
        assert gate.command("showconfig").stdout == before
        gate.wait_for_log("refused|not changed")
        with closing(Client(gate.ports["public"])) as client:
            assert client.reply().startswith("220")


def test_listeners_come_and_go_while_sessions_stay(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate, closing(Client(gate.ports["public"])) as client:
        client.reply()
        port = free_port()

        def add(settings: Settings) -> None:
            settings["listeners"].append(settings["listeners"][0] | {"name": "second", "port": port})

        gate.configure(add)
        wait_for(port, greeting=b"220")
        assert client.say("NOOP").startswith("250")
        gate.configure(lambda settings: settings["listeners"].pop(0))
        eventually(lambda: not is_bound(gate.ports["public"]))
        assert client.say("NOOP").startswith("250")  # its listener is gone, the session is not
        wait_for(port, greeting=b"220")


def test_moved_logs_are_opened_anew_on_sighup(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate:
        log = gate.home / "logs" / "mail.log"
        log.rename(log.with_name("mail.log.moved"))
        os.kill(gate.pid, signal.SIGHUP)
        with closing(Client(gate.ports["public"])) as client:
            client.reply()
        gate.wait_for_log("New SMTP ICID")
        assert gate.log().splitlines()[0].endswith("Info: Begin Logfile")


def test_a_second_gateway_on_the_same_home_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate:
        done = gate.command("serve", check=False)
        assert done.returncode == 1
        assert "another gateway" in done.stderr


@pytest.mark.needs("swaks")
def test_the_queue_outlives_the_gateway(tmp_path: Path) -> None:
    port = free_port()
    gate = Gateway(tmp_path / "home", next_hop=port, workers=2)
    try:
        gate.start()
        for _ in range(4):
            assert swaks(gate.ports["public"], "someone@inside.example").returncode == 0
        gate.wait_for_log("pending till")
        assert gate.stop() == 0

        gate.configure(lambda settings: settings["gateway"].update(workers=1))  # worker-2 leaves its spool behind
        with next_hop(tmp_path / "hop", port=port) as hop:
            gate.start()
            gate.command("queue", "retry")
            hop.wait_for_messages(4)
            eventually(lambda: gate.command("queue", "list").stdout == "The queue is empty.\n")
    finally:
        gate.stop()
