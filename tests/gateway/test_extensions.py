"""CHUNKING, DSN and SMTPUTF8 on a running gateway: what a client asks for is kept, and no way of sending smuggles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.peers.hop import Hop, hop
from tests.running import Gateway, eventually, gateway
from tests.smtp_client import Client, greeted


@pytest.fixture(scope="module")
def peer() -> Iterator[Hop]:
    with hop() as running:
        yield running


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, peer: Hop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("extensions"), next_hop=peer.port) as running:
        yield running


@pytest.fixture
def client(gate: Gateway) -> Iterator[Client]:
    with closing(greeted(gate.ports["public"])) as connected:
        yield connected


def envelope(client: Client, recipient: str = "you@inside.example", parameters: str = "") -> None:
    assert client.say(f"MAIL FROM:<me@me.example>{parameters}").startswith("250")
    assert client.say(f"RCPT TO:<{recipient}>").startswith("250")


def bdat(client: Client, data: bytes, *, last: bool) -> str:
    return client.say(b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b"") + data)


def arrived(peer: Hop, text: bytes) -> bytes:
    message: bytes = eventually(lambda: [each for each in peer.messages if text in each])[0]
    return message


# -- CHUNKING


@pytest.mark.parametrize("tls", [False, True])
def test_a_message_in_chunks_is_one_message(client: Client, peer: Hop, tls: bool) -> None:
    if tls:
        client.start_tls()
        client.say("EHLO me.example")
    envelope(client)
    mark = b"chunks-tls" if tls else b"chunks-clear"
    text = b"Subject: " + mark + b"\r\n\r\n.leading dot\r\n..two\r\n" + b"x" * 200_000 + b"\r\n.\r\nnot the end\r\n"
    assert bdat(client, text[:17], last=False).startswith("250")
    assert bdat(client, text[17:18], last=False).startswith("250")
    assert bdat(client, text[18:70_000], last=False).startswith("250")
    assert client.say("NOOP").startswith("250")
    assert bdat(client, text[70_000:], last=False).startswith("250")
    assert client.say("BDAT 0 LAST").startswith("250 2.0.0 ok:  Message")
    message = arrived(peer, mark)
    # As the wire of DATA has it: the dots are stuffed, and undone by whoever reads it as SMTP.
    assert message.endswith(b"\r\n..leading dot\r\n...two\r\n" + b"x" * 200_000 + b"\r\n..\r\nnot the end\r\n")


def test_chunks_can_be_pipelined_with_the_envelope(client: Client, peer: Hop) -> None:
    commands = b"MAIL FROM:<me@me.example>\r\nRCPT TO:<you@inside.example>\r\n"
    answer = client.say(commands + b"BDAT 19\r\nSubject: pipelined\n" + b"BDAT 7 LAST\r\nHello\r\n")
    replies = [answer, *(client.reply() for _ in range(3))]
    assert [each[:3] for each in replies] == ["250", "250", "554", "503"]  # the first chunk ends in a bare LF
    answer = client.say(commands + b"BDAT 22\r\nSubject: pipelined\r\n\r\n" + b"BDAT 7 LAST\r\nHello\r\n")
    replies = [answer, *(client.reply() for _ in range(3))]
    assert [each[:3] for each in replies] == ["250"] * 4
    arrived(peer, b"Subject: pipelined")


@pytest.mark.parametrize(
    "ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\r.\r\n", b"\n"], ids=repr
)
@pytest.mark.parametrize("cut", [0, 1, 2])
def test_bare_line_endings_are_refused_in_chunks_too(client: Client, peer: Hop, ending: bytes, cut: int) -> None:
    """However the chunks are cut, in the chunk that shows it; the connection stays in step."""
    envelope(client)
    text = b"Subject: outer\r\n\r\nbody" + ending + b"MAIL FROM:<forged@me.example>\r\n"
    at = text.index(ending) + cut
    answers = [bdat(client, text[:at], last=False), bdat(client, text[at:], last=True)]
    refused = [each for each in answers if not each.startswith("250")]
    assert refused[0].startswith("554 5.6.0 message body contains illegal bare CR/LF")
    assert refused[1:] in ([], ["503 5.5.1 MAIL first"])
    assert client.say("NOOP").startswith("250")
    assert not any(b"forged" in message for message in peer.messages)


def test_chunks_nobody_asked_for_are_swallowed_and_obeyed_never(client: Client, peer: Hop) -> None:
    inner = b"MAIL FROM:<forged@me.example>\r\nRCPT TO:<you@inside.example>\r\nDATA\r\n"
    assert bdat(client, inner, last=True).startswith("503")
    client.say("MAIL FROM:<me@me.example>")
    assert client.say("RCPT TO:<you@elsewhere.example>").startswith("550")
    assert bdat(client, inner, last=False).startswith("503")
    assert bdat(client, inner, last=True).startswith("503")
    assert client.say("NOOP").startswith("250")


def test_data_behind_a_chunk_is_out_of_order(client: Client) -> None:
    envelope(client)
    assert bdat(client, b"Subject: x\r\n", last=False).startswith("250")
    assert client.say("DATA").startswith("503")
    assert client.say("MAIL FROM:<other@me.example>").startswith("503")
    assert client.say("RSET").startswith("250")
    envelope(client)
    assert client.say("DATA").startswith("354")
    assert client.say("Subject: y", "", ".").startswith("250")


def test_an_endless_chunk_costs_nothing_and_is_too_large(gate: Gateway, client: Client) -> None:
    envelope(client)
    size = 200 << 20
    client.socket.sendall(b"BDAT %d LAST\r\n" % size)
    piece = b"y" * (1 << 20)
    for _ in range(200):
        client.socket.sendall(piece)
    assert client.reply().startswith("552 5.3.4")
    assert client.say("NOOP").startswith("250")


def test_a_malformed_chunk_is_refused(gate: Gateway) -> None:
    for words in ("BDAT", "BDAT x", "BDAT -1", "BDAT 5 FIRST", "BDAT 5 LAST LAST", "BDAT " + "9" * 30):
        with closing(greeted(gate.ports["public"])) as client:
            envelope(client)
            assert client.say(words).startswith("501"), words


# -- DSN


def rows(gate: Gateway, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{gate.home}/spool/worker-1/spool.db?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def test_what_a_sender_wants_to_be_told_is_kept_with_the_message(gate: Gateway, peer: Hop) -> None:
    peer.answers["RCPT"] = "450 4.2.1 not now"
    try:
        with closing(greeted(gate.ports["public"])) as client:
            assert client.say("MAIL FROM:<me@me.example> RET=HDRS ENVID=QQ+2B314").startswith("250")
            rcpt = "RCPT TO:<{}@inside.example> {}"
            asked = {
                "a": "NOTIFY=NEVER",
                "b": "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Original+40me.example",
                "c": "ORCPT=rfc822;c@inside.example",
            }
            for local, parameters in asked.items():
                assert client.say(rcpt.format(local, parameters)).startswith("250")
            for wrong in (
                "NOTIFY=NEVER,SUCCESS",
                "NOTIFY=SOMETIMES",
                "NOTIFY=",
                "ORCPT=nothing",
                "NOTIFY=NEVER NOTIFY=NEVER",
            ):
                assert client.say(rcpt.format("d", wrong)).startswith("501"), wrong
            assert client.say("DATA").startswith("354")
            assert client.say("Subject: dsn", "", ".").startswith("250")
        assert rows(gate, "SELECT ret, envid FROM message WHERE envid != ''") == [("HDRS", "QQ+2B314")]
        query = "SELECT address, notify, orcpt FROM recipient JOIN message USING (mid) WHERE envid != '' ORDER BY rid"
        assert rows(gate, query) == [
            ("a@inside.example", "NEVER", ""),
            ("b@inside.example", "SUCCESS,DELAY", "rfc822;Original+40me.example"),
            ("c@inside.example", "", "rfc822;c@inside.example"),
        ]
    finally:
        peer.answers.clear()
    gate.command("queue", "retry")
    eventually(lambda: rows(gate, "SELECT mid FROM message") == [])


# -- SMTPUTF8


def test_utf8_addresses_are_taken_only_where_they_are_announced(gate: Gateway, client: Client) -> None:
    assert client.say("MAIL FROM:<jürgen@me.example>").startswith("553 5.6.7")
    assert client.say("MAIL FROM:<jürgen@me.example> SMTPUTF8").startswith("250")
    assert client.say("RCPT TO:<grüße@inside.example>").startswith("250")
    assert client.say("RCPT TO:<you@bücher.example>").startswith("550 5.7.1")
    client.say("RSET")
    settings = gate.settings()
    settings["gateway"]["accepted_domains"].append("xn--bcher-kva.example")
    gate.load(settings)
    client.say("MAIL FROM:<me@me.example> SMTPUTF8")
    for form in ("you@bücher.example", "you@BÜCHER.example", "you@xn--bcher-kva.example"):
        assert client.say(f"RCPT TO:<{form}>").startswith("250"), form
    assert client.say(b"RCPT TO:<broken\xff@inside.example>\r\n").startswith("5")
    assert "Traceback" not in (gate.home / "output").read_text()


def test_the_log_shows_what_strangers_write_by_escapes(gate: Gateway, client: Client) -> None:
    position = len(gate.log())
    assert client.say(b"MAIL FROM:<\xe2\x80\xae@me.example> SMTPUTF8\r\n").startswith("553")
    envelope(client)
    client.say("DATA")
    client.say("Subject: turned \u202e round \x1b[31m", "", ".")
    line = gate.wait_for_log("Subject .turned", after=position)
    assert "turned \\u202e round \\x1b[31m" in line
    assert "\u202e" not in gate.log()[position:]


def test_a_message_whose_transaction_ends_is_said_to_be_aborted(gate: Gateway, client: Client) -> None:
    """However it ends: no number of a message is left without its end in the log."""
    endings = [lambda: client.say("RSET"), lambda: client.say("EHLO me.example"), lambda: bdat(client, b"x", last=True)]
    for ending in endings:
        position = len(gate.log())
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")
        ending()
        line = gate.wait_for_log(r"Start MID \d+ ICID", after=position)
        gate.wait_for_log(f"Message aborted MID {line.split()[8]} ", after=position)
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")
        client.say("RSET")
