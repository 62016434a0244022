"""A gateway that tries itself after every change of TLS: every port, every worker, every version."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sealgate.cli.client import ask
from tests.peers import certificate
from tests.peers.certificate import KeyPair
from tests.peers.postfix import Versions
from tests.peers.servers import openssl_server
from tests.running import Gateway, eventually, gateway
from tests.smtp_client import greeted


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("verify"), workers=2) as running:
        eventually(lambda: running.log().count("close") >= 3)  # the test's own first looks at the ports
        yield running


def commit(gate: Gateway, *steps: dict[str, Any]) -> dict[str, Any]:
    answer = ask(gate.home, "edit", {"steps": list(steps)})
    assert "refused" not in answer, answer
    return ask(gate.home, "commit", {"comment": "a test"})


@pytest.mark.parametrize("versions", [["1.3"], ["1.2"], ["1.0", "1.1"], ["1.0", "1.1", "1.2", "1.3"], ["1.2", "1.3"]])
def test_a_commit_of_tls_is_verified_at_every_port_and_worker(gate: Gateway, versions: list[str]) -> None:
    position = len(gate.log())
    answer = commit(
        gate,
        *(
            {"set": f"tls.{each}.versions", "value": versions}
            for each in ("gui_https", "inbound_smtp", "outbound_smtp")
        ),
    )
    verified = answer["verification"]
    assert verified["failures"] == []
    assert verified["passed"]
    # Three listeners at one address and two workers, two workers' client, the client of other services, two GUI ports.
    assert verified["trials"] == 4 * (3 * 3 + 2 + 1 + 2)
    gate.wait_for_log(rf"Configuration revision {answer['revision']} verified by 56 handshakes", after=position)
    log = gate.log()[position:]
    assert "CID" not in log  # trials are no traffic
    assert "TLS failed" not in log


def verified(gate: Gateway) -> dict[str, Any]:
    return ask(gate.home, "verify")


def test_the_command_shows_each_version_at_each_place(gate: Gateway) -> None:
    commit(gate, {"set": "tls.inbound_smtp.versions", "value": ["1.2"]})
    shown = gate.command("verify").stdout.splitlines()
    row = next(line for line in shown if line.startswith("public") and "127.0.0.1" in line)
    assert row.split()[-4:] == ["no", "no", "yes", "no"]
    assert shown[-1] == "56 handshakes: all as configured."


@pytest.mark.parametrize("demand", ["none", "request", "require"])
def test_listeners_that_ask_for_certificates_or_refuse_this_machine_are_verified_all_the_same(
    gate: Gateway, demand: str
) -> None:
    first = gate.settings()
    settings = gate.settings()
    settings["listeners"][0]["client_certificate"] = "none"
    settings["listeners"][1]["client_certificate"] = demand
    settings["policies"].append({"name": "BLOCKED", "action": "reject"})
    row = {"name": "HERE", "listeners": ["public"], "members": ["127.0.0.0/8"], "policy": "BLOCKED"}
    settings["sender_groups"].insert(0, row)
    settings["limits"]["connections_per_host"] = 1
    gate.load(settings)
    try:
        assert verified(gate)["failures"] == []
    finally:
        gate.load(first)


def test_a_stranger_on_our_port_is_found(tmp_path: Path, peer_certificate: KeyPair) -> None:
    """The gateway starts although a port is taken; a handshake there shows somebody else's certificate."""
    with openssl_server(peer_certificate, Versions("1.2", "1.3")) as port:
        gate = Gateway(tmp_path / "home")
        settings = gate.settings()
        settings["listeners"][2]["port"] = port
        gate.load(settings)
        del gate.ports["private-tls"]
        try:
            gate.start()
            answer = verified(gate)
            assert not answer["passed"]
            (failure, *_) = [each for each in answer["failures"] if f"port {port}" in each]
            assert "a certificate that is not the one configured" in failure
            gate.wait_for_log("is not what is spoken: private-tls at 127.0.0.1 port")
            done = gate.command("verify", check=False)
            assert done.returncode == 1
            assert "FAILED" in done.stdout
        finally:
            gate.stop()


def test_a_commit_that_has_to_be_confirmed_goes_back_at_once_if_it_is_not_what_is_spoken(
    tmp_path: Path, peer_certificate: KeyPair
) -> None:
    with openssl_server(peer_certificate, Versions("1.2", "1.3")) as port:
        gate = Gateway(tmp_path / "home")
        settings = gate.settings()
        settings["listeners"][2]["port"] = port
        gate.load(settings)
        del gate.ports["private-tls"]
        try:
            gate.start()
            ask(gate.home, "edit", {"steps": [{"set": "tls.inbound_smtp.versions", "value": ["1.3"]}]})
            answer = ask(gate.home, "commit", {"minutes": 5})
            assert not answer["verification"]["passed"]
            gate.wait_for_log(rf"revision {answer['revision']} taken back: its verification failed")
            assert answer["taken_back"] == answer["revision"] + 1
            shown = ask(gate.home, "candidate")
            assert (shown["pending"], shown["base"]) == (True, answer["taken_back"])
            done = gate.command("commit", "--confirm", "5", check=False)
            assert done.returncode == 1
            assert "It was taken back at once, by revision" in done.stderr
            assert ask(gate.home, "candidate")["confirm_by"] is None
            assert gate.settings()["tls"]["inbound_smtp"]["versions"] == ["1.2", "1.3"]
            done = gate.command("commit", check=False)  # and without it
            assert done.returncode == 1
            assert "It is in force all the same, as revision" in done.stderr
            assert gate.settings()["tls"]["inbound_smtp"]["versions"] == ["1.3"]
        finally:
            gate.stop()


# -- files


def served(gate: Gateway) -> bytes:
    with closing(greeted(gate.ports["public"])) as client:
        client.start_tls()
        assert isinstance(client.socket, ssl.SSLSocket)
        return client.socket.getpeercert(binary_form=True) or b""


def der(pair: KeyPair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(
    gate: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = (certificate.self_signed(tmp_path_factory.mktemp(f"pair-{n}")) for n in (1, 2))
    old = certificate.Authority(tmp_path_factory.mktemp("authority"))
    folder = tmp_path_factory.mktemp("in-use")
    files = folder / "mx.crt", folder / "mx.key"

    def install(pair: KeyPair) -> None:
        files[1].write_bytes(pair.key.read_bytes())
        files[0].write_bytes(pair.certificate.read_bytes())

    install(first)
    settings = gate.settings()
    profile = {"name": "mx", "certificate_file": str(files[0]), "key_file": str(files[1])}
    settings["certificates"].append(profile)
    settings["listeners"][0]["certificates"] = ["mx"]
    gate.load(settings)
    revision = ask(gate.home, "status")["running"]["revision"]
    assert served(gate) == der(first)
    position = len(gate.log())
    files[0].write_bytes(second.certificate.read_bytes())  # its key is still to come, or never does
    gate.wait_for_log("cannot be used: .*'mx'.* the private key does not belong", after=position)
    assert served(gate) == der(first)
    install(second)
    gate.wait_for_log(f"Certificate files of configuration revision {revision} have changed", after=position)
    assert served(gate) == der(second)
    gate.wait_for_log(f"Configuration revision {revision} verified", after=position)
    assert gate.log()[position:].count("cannot be used") == 1
    position = len(gate.log())
    install(old.issue("mx.example", expired=True))
    gate.wait_for_log("cannot be used: 'mx' expired on", after=position)
    assert served(gate) == der(second)
    install(second)
    eventually(lambda: ask(gate.home, "verify")["passed"])
    assert ask(gate.home, "status")["running"]["revision"] == revision
