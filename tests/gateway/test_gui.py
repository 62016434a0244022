"""GUI HTTPS of a running gateway: its ports, its TLS, what it refuses, and commits while browsers are connected."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from sealgate.cli.client import ask as control
from tests import https_client
from tests.https_client import Client
from tests.peers.certificate import Authority, KeyPair, self_signed
from tests.peers.clients import openssl_client
from tests.peers.ports import HOST, free_port
from tests.peers.probes import offered_versions_gnutls, offered_versions_openssl
from tests.running import Gateway, Settings, eventually, gateway

LIVE = "/api/v1/health/live"
READY = "/api/v1/health/ready"

Change = Callable[..., None]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gui")) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def gui(gate: Gateway, first: Settings) -> Iterator[Change]:
    """The first configuration with other values for the GUI, or `tls` for its TLS; it takes effect at once."""

    def change(tls: dict[str, Any] | None = None, tables: dict[str, Any] | None = None, /, **values: Any) -> None:
        settings = copy.deepcopy(first)
        settings["gui"].update(values)
        settings["tls"]["gui_https"].update(tls or {})
        for table, rows in (tables or {}).items():
            settings[table] = settings[table] + rows
        gate.load(settings)

    change()
    yield change
    change()


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Closes what is entered."""
    with ExitStack() as stack:
        yield stack


def refused(port: int, host: str = HOST) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        return sock.connect_ex((host, port)) != 0


def is_live(port: int) -> bool:
    return https_client.ask(port, "GET", LIVE).status == 200


# -- its TLS


@pytest.mark.needs("openssl", "gnutls-cli")
@pytest.mark.parametrize("versions", [["1.3"], ["1.2"], ["1.0", "1.1"], ["1.0", "1.1", "1.2", "1.3"]])
def test_exactly_the_selected_versions_are_reached_on_both_ports(
    gate: Gateway, gui: Change, versions: list[str]
) -> None:
    gui({"versions": versions})
    answers = [offered_versions_openssl(port, False) for port in gate.gui_ports]
    assert [answer.reached for answer in answers] == [set(versions)] * 2
    assert answers[0].refused == answers[1].refused
    assert offered_versions_gnutls(gate.gui_ports[0], False).reached == set(versions)


@pytest.mark.needs("openssl")
def test_a_chosen_suite_is_the_one_negotiated(gate: Gateway, gui: Change) -> None:
    gui({"versions": ["1.2"], "ciphers": "ECDHE-RSA-AES256-GCM-SHA384"})
    for port in gate.gui_ports:
        said = openssl_client(port, version="1.2").stdout
        assert "Cipher is ECDHE-RSA-AES256-GCM-SHA384" in said
        assert (
            "Cipher is (NONE)" in openssl_client(port, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", version="1.2").stdout
        )


def test_a_failed_handshake_is_logged_in_the_words_of_mail(gate: Gateway, gui: Change) -> None:
    gui({"versions": ["1.3"]})
    for port in gate.gui_ports:
        position = len(gate.log())
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            Client(port, most=ssl.TLSVersion.TLSv1_2)
        line = gate.wait_for_log("HCID .* TLS failed", after=position)
        assert re.search(
            r"Info: HCID \d+ TLS failed: \(167772418, 'error:0A000102:SSL routines:"
            r"tls_early_post_process_client_hello:unsupported protocol'\)$",
            line,
        )
        said = gate.command("handshakes", "--limit", "1").stdout
        assert re.search(r"  HCID \d+ from 127\.0\.0\.1 to N?GUI HTTPS\n", said)
        assert "TLS 1.3" in said  # what would mend it
        with Client(port) as client:
            assert client.version == "TLSv1.3"
        gate.wait_for_log(r"HCID \d+ TLS success protocol TLSv1\.3 cipher TLS_AES_256_GCM_SHA384", after=position)


def test_the_certificate_is_the_one_that_is_named(gate: Gateway, gui: Change, tmp_path: Path) -> None:
    pair = self_signed(tmp_path, "pages.example")
    profile = {"name": "pages", "certificate": pair.certificate.read_text(), "key": pair.key.read_text()}
    gui({}, {"certificates": [profile]}, certificates=["pages"])
    for port in gate.gui_ports:
        with Client(port) as client:
            assert client.certificate == ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())
            # The names of the certificate are names of the gateway.
            assert client.get(LIVE, host="pages.example").status == 200
    gui()
    assert https_client.ask(gate.gui_ports[0], "GET", LIVE, host="pages.example").status == 421


def profile_of(pair: KeyPair, name: str) -> Settings:
    return {"name": name, "certificate_file": str(pair.certificate), "key_file": str(pair.key)}


def test_hsts_is_told_with_a_certificate_of_an_authority_and_refused_with_a_self_signed_one(
    gate: Gateway, first: Settings, gui: Change, tmp_path: Path
) -> None:
    assert "strict-transport-security" not in https_client.ask(gate.gui_ports[0], "GET", LIVE).headers
    answer = control(gate.home, "edit", {"steps": [{"set": "gui.hsts_max_age", "value": 86400}]})
    assert "refused" not in answer
    (problem,) = control(gate.home, "commit")["problems"]
    assert "self-signed-rsa' is self-signed, and with hsts_max_age browsers let nobody past it" in problem[1]
    control(gate.home, "discard")
    pair = Authority(tmp_path).issue("gate.inside.example")
    gui({}, {"certificates": [profile_of(pair, "signed")]}, certificates=["signed"], hsts_max_age=86400)
    for port in gate.gui_ports:
        assert https_client.ask(port, "GET", LIVE).headers["strict-transport-security"] == "max-age=86400"


# -- its ports


def test_it_is_switched_off_and_on(gate: Gateway, gui: Change) -> None:
    assert all(is_live(port) for port in gate.gui_ports)
    gui(enabled=False)
    assert all(refused(port) for port in gate.gui_ports)
    said = control(gate.home, "candidate")["remarks"]
    assert [path for path, _ in said] == ["gui.enabled"]
    gui()
    assert all(is_live(port) for port in gate.gui_ports)


def test_it_is_served_at_its_addresses_and_no_other(gate: Gateway, gui: Change) -> None:
    assert all(refused(port, "127.0.0.3") for port in gate.gui_ports)
    gui(addresses=["127.0.0.3", "::1"])
    for port in gate.gui_ports:
        assert refused(port)
        for host in ("127.0.0.3", "::1"):
            with Client(port, host=host) as client:
                assert client.get(LIVE).status == 200


def test_a_port_moves_and_open_connections_stay(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    before = [clients.enter_context(Client(port)) for port in gate.gui_ports]
    moved = free_port(), free_port()
    gui(port=moved[0], ngui_port=moved[1])
    assert all(is_live(port) for port in moved)
    assert all(refused(port) for port in gate.gui_ports)
    assert all(client.get(LIVE).status == 200 for client in before)
    gui(port=gate.gui_ports[1], ngui_port=gate.gui_ports[0])  # the same two sockets, the other way round
    assert all(is_live(port) for port in gate.gui_ports)


def test_a_control_that_is_started_again_serves_the_same_sockets(gate: Gateway, gui: Change) -> None:
    position = len(gate.log())
    os.kill(gate.children()["control"], signal.SIGKILL)
    gate.wait_for_log("Process control .* started", after=position)
    # They are never closed: whoever comes meanwhile waits, and is served.
    assert all(is_live(port) for port in gate.gui_ports)


def test_a_port_that_is_taken_is_refused_and_nothing_changes(gate: Gateway, gui: Change) -> None:
    with socket.create_server((HOST, 0)) as other:
        taken = other.getsockname()[1]
        control(gate.home, "edit", {"steps": [{"set": "gui.port", "value": taken}]})
        (problem,) = control(gate.home, "commit")["problems"]
        assert f"cannot listen on 127.0.0.1 port {taken} for GUI HTTPS: it is in use" in problem[1]
        control(gate.home, "discard")
    assert all(is_live(port) for port in gate.gui_ports)


# -- what it refuses


def test_a_request_for_another_name_is_refused(gate: Gateway, gui: Change) -> None:
    for name in ("gate.inside.example", "GATE.inside.example:8443", "localhost", "[::1]", "192.0.2.1"):
        assert https_client.ask(gate.gui_ports[0], "GET", LIVE, host=name).status == 200
    answer = https_client.ask(gate.gui_ports[0], "GET", LIVE, host="pages.example")
    assert answer.status == 421
    assert "gui.hostnames" in answer.json["detail"]
    gui(hostnames=["pages.example"])
    assert https_client.ask(gate.gui_ports[0], "GET", LIVE, host="pages.example").status == 200


def test_a_larger_body_is_refused(gate: Gateway, gui: Change) -> None:
    gui(max_body=65536)
    assert https_client.ask(gate.gui_ports[0], "POST", "/", b"x" * 65536).status == 404
    with Client(gate.gui_ports[0]) as client:
        answer = client.ask("POST", "/", b"x" * 65537)
        assert answer.status == 413
        assert "65536 bytes" in answer.json["detail"]
        assert answer.headers["connection"] == "close"
        assert client.is_over()


@pytest.mark.parametrize("number", [0, 1])
def test_http_on_the_port_of_https_is_told_so(gate: Gateway, gui: Change, number: int) -> None:
    port = gate.gui_ports[number]
    looked = spoken(port, b"GET /a?b=c HTTP/1.1\r\nHost: gate.inside.example:8443\r\n\r\n")
    assert looked.startswith(b"HTTP/1.1 308 ")
    assert b"\r\nLocation: https://gate.inside.example:8443/a?b=c\r\n" in looked
    sent = spoken(port, b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
    assert sent.startswith(b"HTTP/1.1 400 ")
    assert b"speaks HTTPS" in sent
    elsewhere = spoken(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert elsewhere.startswith(b"HTTP/1.1 400 ")


def spoken(port: int, data: bytes) -> bytes:
    """What comes back until the other side closes."""
    with socket.create_connection((HOST, port), timeout=20) as sock:
        sock.sendall(data)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := sock.recv(65536):
                parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_and_leaves_no_trace_but_a_line(
    gate: Gateway, gui: Change, nonsense: bytes
) -> None:
    with Client(gate.gui_ports[0]) as client, contextlib.suppress(ConnectionError, ssl.SSLError):
        client.socket.sendall(nonsense)
        assert re.match(rb"HTTP/1\.1 4\d\d ", client.socket.recv(65536))
        assert client.is_over()
    assert is_live(gate.gui_ports[0])
    assert (gate.home / "output").read_text() == ""


def test_every_answer_has_the_fields_of_a_careful_server(gate: Gateway, gui: Change) -> None:
    for port in gate.gui_ports:
        for path in (LIVE, "/nothing", "/api/v1/nothing"):
            fields = https_client.ask(port, "GET", path).headers
            policy = fields["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert fields["x-content-type-options"] == "nosniff"
            assert fields["x-frame-options"] == "DENY"
            assert fields["referrer-policy"] == "no-referrer"
            assert fields["cache-control"] == "no-store"
            assert re.fullmatch("[0-9a-f]{16}", fields["x-request-id"])
            assert "server" not in fields


def test_a_request_that_is_refused_is_on_record_without_what_it_carried(gate: Gateway, gui: Change) -> None:
    position = len(gate.log())
    https_client.ask(gate.gui_ports[0], "POST", "/x?token=sesame", b"secret", authorization="Bearer sesame")
    gate.wait_for_log(r"HCID \d+ POST /x by nobody \(127\.0\.0\.1\) answered 404", after=position)
    https_client.ask(gate.gui_ports[0], "GET", LIVE)
    record = (gate.home / "logs" / "events-control.jsonl").read_text()
    assert "sesame" not in record + gate.log()
    assert f"GET {LIVE}" not in gate.log()[position:]


# -- commits while browsers are connected


def test_a_commit_ends_what_is_withdrawn_and_nothing_else(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    old = [clients.enter_context(Client(port, most=ssl.TLSVersion.TLSv1_2)) for port in gate.gui_ports]
    new = [clients.enter_context(Client(port)) for port in gate.gui_ports]
    assert {client.version for client in old} == {"TLSv1.2"}
    assert all(client.get(LIVE).status == 200 for client in (*old, *new))
    position = len(gate.log())
    gui({"versions": ["1.3"]})
    assert all(client.is_over() for client in old)
    assert all(client.get(LIVE).status == 200 for client in new)
    gate.wait_for_log(r"GUI HTTPS: 2 connections asked to reconnect, \d+ stay: it speaks .*1\.3 now", after=position)
    # A suite is withdrawn in the same way.
    gui()
    aes = clients.enter_context(Client(gate.gui_ports[0], most=ssl.TLSVersion.TLSv1_2))
    suite = aes.socket.cipher()
    assert suite is not None
    gui({"ciphers": f"ECDHE:!{suite[0]}:!SHA"})
    assert aes.is_over()
    assert all(client.get(LIVE).status == 200 for client in new)


def test_a_request_under_way_is_answered_before_its_connection_ends(
    gate: Gateway, gui: Change, clients: ExitStack
) -> None:
    begun = clients.enter_context(Client(gate.gui_ports[0], most=ssl.TLSVersion.TLSv1_2))
    begun.socket.sendall(f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\n".encode())
    half = clients.enter_context(Client(gate.gui_ports[1], most=ssl.TLSVersion.TLSv1_2))
    half.socket.sendall(b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n")
    assert half.socket.recv(16384).startswith(b"HTTP/1.1 404")  # its body is still to come
    gui({"versions": ["1.3"]})
    begun.socket.sendall(b"\r\n")
    answer = begun.socket.recv(16384)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nconnection: close\r\n" in answer
    assert begun.is_over()
    half.socket.sendall(b"body")
    assert half.is_over()


@pytest.mark.parametrize("killed", [False, True], ids=["", "control-killed"])
def test_a_selection_that_locks_its_operator_out_comes_back_by_itself(gate: Gateway, gui: Change, killed: bool) -> None:
    gui({"versions": ["1.2"]})
    control(gate.home, "edit", {"steps": [{"set": "tls.gui_https.versions", "value": ["1.3"]}]})
    number = control(gate.home, "commit", {"minutes": 0.05})["revision"]
    assert not enters(gate.gui_ports[0])
    if killed:
        os.kill(gate.children()["control"], signal.SIGKILL)
    gate.wait_for_log(f"Configuration revision {number} taken back: it was not confirmed in time")
    for port in gate.gui_ports:
        eventually(partial(enters, port))


def enters(port: int) -> bool:
    """Whether a browser that knows nothing newer than TLS 1.2 gets in."""
    try:
        with Client(port, most=ssl.TLSVersion.TLSv1_2) as client:
            return client.get(LIVE).status == 200
    except ssl.SSLError:
        return False


def test_no_connection_is_dropped_by_other_commits(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    open_ = [clients.enter_context(Client(port)) for port in gate.gui_ports * 10]
    pids = gate.children()
    for n in range(10):
        gui({"versions": ["1.2", "1.3"] if n % 2 else ["1.1", "1.2", "1.3"]}, idle_timeout=75 + n)
        assert all(client.get(LIVE).status == 200 for client in open_)
    assert gate.children() == pids


# -- what it knows


def test_ready_means_that_every_service_really_shakes_hands(tmp_path: Path) -> None:
    gate = Gateway(tmp_path)
    with socket.create_server((HOST, gate.ports.pop("private-tls"))):
        try:
            gate.start()
            for port in gate.gui_ports:
                assert is_live(port)
                answer = https_client.ask(port, "GET", READY)
                assert answer.status == 503
                assert any("private-tls at 127.0.0.1 port" in reason for reason in answer.json["reasons"])
        finally:
            gate.stop()


def test_a_gateway_whose_services_work_is_ready(gate: Gateway, gui: Change) -> None:
    for port in gate.gui_ports:
        answer = https_client.ask(port, "GET", READY)
        assert (answer.status, answer.json) == (200, {"status": "ready", "reasons": []})


def test_a_bad_certificate_keeps_the_gui_away_and_mail_goes_on(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    pair = self_signed(tmp_path, "pages.example")

    def with_files(settings: Settings) -> None:
        settings["certificates"].append(profile_of(pair, "pages"))
        settings["gui"]["certificates"] = ["pages"]

    gate.configure(with_files)
    pair.certificate.write_text("nothing of the kind")
    try:
        gate.start()
        gate.wait_for_log("is not available: GUI HTTPS is not started: certificate profile 'pages'")
        assert all(refused(port) for port in gate.gui_ports)
        fresh = self_signed(tmp_path, "pages.example")
        assert fresh.certificate == pair.certificate
        gate.wait_for_log("Certificate files of configuration revision .* are in force")
        assert all(is_live(port) for port in gate.gui_ports)
    finally:
        gate.stop()


def test_an_upgrade_opens_no_port_that_nobody_asked_for(tmp_path: Path) -> None:
    """A configuration of a version without a GUI comes up without one, and says how to switch it on."""
    gate = Gateway(tmp_path)
    settings = gate.settings()
    del settings["gui"]
    gate.load(settings)
    try:
        gate.start()
        assert all(refused(port) for port in gate.gui_ports)
        assert control(gate.home, "status")["running"]["children"]
        assert (
            "Note: gui.enabled: there are neither pages nor a REST API"
            in gate.command("loadconfig", "-", text=tomli_w.dumps(settings)).stdout
        )
    finally:
        gate.stop()


def test_gateway_stops_while_browsers_are_connected(tmp_path: Path) -> None:
    gate = Gateway(tmp_path)
    gate.start()
    with Client(gate.gui_ports[0]) as idle, Client(gate.gui_ports[1]) as asked:
        assert asked.get(LIVE).status == 200
        assert gate.stop() == 0
        assert idle.is_over()
        assert asked.is_over()
    assert "is killed" not in gate.log()
