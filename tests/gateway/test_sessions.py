"""What listeners do with clients that are honest, careless or hostile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.running import Gateway, NextHop, gateway, next_hop
from tests.smtp_client import Client, greeted


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextHop]:
    with next_hop(tmp_path_factory.mktemp("hop")) as running:
        yield running


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, hop: NextHop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("sessions"), next_hop=hop.port, workers=2) as running:
        yield running


@pytest.fixture
def client(gate: Gateway) -> Iterator[Client]:
    with closing(Client(gate.ports["public"])) as connected:
        assert connected.reply() == "220 gate.inside.example ESMTP"
        yield connected


def test_ehlo_announces_what_there_is(client: Client) -> None:
    lines = client.say("EHLO me.example").splitlines()
    assert {line[4:].split()[0] for line in lines[1:]} == {
        "PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES", "STARTTLS", "CHUNKING", "DSN", "SMTPUTF8",
    }  # fmt: skip
    client.start_tls()
    assert "STARTTLS" not in client.say("EHLO me.example")


def test_it_is_no_open_relay(client: Client) -> None:
    client.say("EHLO me.example")
    assert client.say("MAIL FROM:<me@me.example>").startswith("250 2.1.0")
    assert client.say("RCPT TO:<you@elsewhere.example>").startswith("550 5.7.1")
    assert client.say("RCPT TO:<you%elsewhere.example@inside.example.elsewhere.example>").startswith("550 5.7.1")
    assert client.say("RCPT TO:<@inside.example:you@elsewhere.example>").startswith("550 5.7.1")


def test_postmaster_is_always_accepted(client: Client) -> None:
    client.say("EHLO me.example")
    client.say("MAIL FROM:<>")
    assert client.say("RCPT TO:<postmaster>").startswith("250")
    assert client.say("RCPT TO:<postmaster@inside.example>").startswith("250")


def test_a_private_listener_takes_nothing_without_tls(gate: Gateway) -> None:
    with closing(Client(gate.ports["private"])) as client:
        client.reply()
        client.say("EHLO me.example")
        assert client.say("MAIL FROM:<me@me.example>") == "530 5.7.0 Must issue a STARTTLS command first"
        assert client.say("NOOP").startswith("250")
        gate.wait_for_log(r"ICID \d+ TLS was required but remote host did not initiate it")
        client.start_tls()
        client.say("EHLO me.example")
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")
        assert client.say("RCPT TO:<you@elsewhere.example>").startswith("250")  # loopback is a relay network


def test_bytes_behind_starttls_end_the_connection(gate: Gateway, client: Client) -> None:
    client.say("EHLO me.example")
    client.socket.sendall(b"STARTTLS\r\nMAIL FROM:<thief@me.example>\r\n")
    assert b"250" not in client.file.read()
    line = gate.wait_for_log("behind STARTTLS")
    assert "ICID" in line
    assert "thief@me.example" not in gate.log()


def test_after_tls_everything_is_forgotten(client: Client) -> None:
    client.say("EHLO me.example")
    client.say("MAIL FROM:<me@me.example>")
    client.start_tls()
    assert client.say("RCPT TO:<you@inside.example>").startswith("503")


SMUGGLING = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\r.\r\n"]


@pytest.mark.parametrize("ending", SMUGGLING, ids=[repr(each) for each in SMUGGLING])
def test_only_crlf_dot_crlf_ends_a_message(client: Client, hop: NextHop, ending: bytes) -> None:
    client.say("EHLO me.example")
    client.say("MAIL FROM:<me@me.example>")
    client.say("RCPT TO:<you@inside.example>")
    assert client.say("DATA").startswith("354")
    inner = b"MAIL FROM:<forged@me.example>\r\nRCPT TO:<you@inside.example>\r\nDATA\r\nforged\r\n"
    answer = client.say(b"Subject: outer\r\n\r\nbody" + ending + inner + b".\r\n")
    assert answer.startswith("554 5.6.0 message body contains illegal bare CR/LF"), answer
    assert client.say("NOOP").startswith("250")  # one message, one answer: the connection is in step
    assert not any(b"forged" in message for message in hop.messages())


def test_allowed_bare_line_endings_pass_unchanged_and_end_nothing(gate: Gateway, hop: NextHop) -> None:
    def allow(settings: dict[str, object]) -> None:
        settings["listeners"][0]["bare_line_endings"] = "allow"  # type: ignore[index]

    gate.configure(allow)
    body = b"Subject: bare\r\n\r\none\ntwo\n.\nthree\rfour\r\n.\r\n"
    with closing(Client(gate.ports["public"])) as client:
        client.reply()
        client.say("EHLO me.example")
        client.say("MAIL FROM:<me@me.example>")
        client.say("RCPT TO:<you@inside.example>")
        client.say("DATA")
        assert client.say(body).startswith("250")
    (message,) = [each for each in hop.wait_for_messages(1) if b"Subject: bare" in each] or [b""]
    assert message == b"" or message.endswith(b"one\ntwo\n.\nthree\rfour\r\n")


def test_five_bad_commands_are_enough(client: Client) -> None:
    for _ in range(5):
        assert client.say("NONSENSE").startswith("500 5.5.1 command not recognized")
    assert client.say("NONSENSE").startswith("421")
    assert client.file.read() == b""


def test_a_limit_of_five_connections_admits_five_over_two_workers(tmp_path: Path) -> None:
    with gateway(tmp_path / "home", workers=2) as gate:
        gate.configure(lambda settings: settings["limits"].update(connections_per_host=5))
        greetings: list[str] = []
        clients = [Client(gate.ports["public"]) for _ in range(20)]
        threads = [threading.Thread(target=lambda c=each: greetings.append(c.reply())) for each in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(greeting.startswith("220") for greeting in greetings) == 5
        assert sum(greeting.startswith("421 4.4.5 Too many connections from your host") for greeting in greetings) == 15
        for each in clients:
            each.close()


def test_a_message_larger_than_the_limit_is_refused(gate: Gateway, client: Client) -> None:
    client.say("EHLO me.example")
    assert client.say("MAIL FROM:<me@me.example> SIZE=999999999999") == "552 5.3.4 message size exceeds limit"


def test_an_open_session_survives_a_change_in_mid_message(gate: Gateway, hop: NextHop, client: Client) -> None:
    client.say("EHLO me.example")
    client.start_tls()
    client.say("EHLO me.example")
    client.say("MAIL FROM:<me@me.example>")
    client.say("RCPT TO:<you@inside.example>")
    client.say("DATA")
    client.socket.sendall(b"Subject: half way\r\n\r\nfirst half\r\n")
    gate.versions("inbound_smtp", "1.2")
    assert client.say(b"second half\r\n.\r\n").startswith("250")
    gate.versions("inbound_smtp", "1.2", "1.3")


def test_a_handshake_that_dawdles_is_ended(tmp_path: Path) -> None:
    with gateway(tmp_path / "home") as gate:
        gate.configure(lambda settings: settings["limits"].update(handshake_timeout=0.5))
        with closing(Client(gate.ports["public"])) as client:
            client.reply()
            client.say("EHLO me.example")
            assert client.say("STARTTLS").startswith("220")
            assert client.file.read() == b""
            assert "0.5 seconds" in gate.wait_for_log(r"ICID \d+ TLS failed")


def test_clear_text_on_the_implicit_port_is_one_quiet_line(gate: Gateway) -> None:
    position = len(gate.log())
    with closing(Client(gate.ports["private-tls"])) as client:
        client.socket.sendall(b"EHLO me.example\r\n")
        client.file.read()
    line = gate.wait_for_log(r"ICID \d+ TLS failed", after=position)
    assert "error:" in line
    assert "Traceback" not in (gate.home / "output").read_text()


@pytest.mark.parametrize("end", ["QUIT\r\n", ""])
def test_a_client_that_closes_its_side_hears_what_became_of_its_message(gate: Gateway, end: str) -> None:
    """As Exim does behind QUIT: a client that is not told would send the message again."""
    position = len(gate.log())
    with closing(greeted(gate.ports["public"])) as client:
        for command in ("MAIL FROM:<me@me.example>", "RCPT TO:<you@inside.example>", "DATA"):
            client.say(command)
        client.socket.sendall(f"Subject: half closed\r\n\r\nHello.\r\n.\r\n{end}".encode())
        client.socket.shutdown(socket.SHUT_WR)
        assert client.reply().startswith("250")
        assert client.reply()[:3] == ("221" if end else "")
    line = gate.wait_for_log(r"MID \d+ ICID \d+ RID 0", after=position)
    icid = line.split("ICID ")[1].split()[0]
    gate.wait_for_log(f"ICID {icid} close", after=position)
    assert (f"ICID {icid} lost" in gate.log()[position:]) is not bool(end)
