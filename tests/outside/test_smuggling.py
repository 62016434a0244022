"""SMTP smuggling: no way of writing an end of data but CRLF.CRLF ends a message, coming in or going out.

Coming in, a message with a bare CR or LF is refused whole, however it is cut and whatever carries it. Where a
listener allows such messages, real next hops get one message and no second one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.conftest import require
from tests.matrix.table import FALSE_ENDS as ENDS
from tests.peers import exim, opensmtpd, postfix
from tests.peers.hop import Hop, hop
from tests.peers.ports import free_port
from tests.peers.server import MailServer
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import Client, greeted

NO_ENDS = {"NUL before the dot": b"\r\n\0.\r\n", "NUL behind the dot": b"\r\n.\0\r\n", "two dots": b"\r\n..\r\n"}
"""No end either, and no bare line ending: such a message is taken, as one."""

INNER = b"MAIL FROM:<forged@me.example>\r\nRCPT TO:<%b>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n"
KINDS = ("postfix", "exim", "opensmtpd", "hand")
LENIENT = free_port()


def smuggling(end: bytes, mark: str, recipient: str) -> bytes:
    """A message that would be two, with a second envelope, if `end` ended it; without its real end."""
    return b"Subject: %b\r\n\r\nouter" % mark.encode() + end + INNER % recipient.encode()


@pytest.fixture(scope="module")
def hand() -> Iterator[Hop]:
    """A next hop that keeps every byte as it came."""
    with hop() as running:
        yield running


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, MailServer]]:
    """Real next hops."""
    for name in ("postfix", "exim", "opensmtpd"):
        require(name)
    with ExitStack() as stack:
        yield {
            "postfix": stack.enter_context(postfix.running(domains=("postfix.example",))),
            "exim": stack.enter_context(exim.running(domains=("exim.example",))),
            "opensmtpd": stack.enter_context(opensmtpd.running(domains=("opensmtpd.example",))),
        }


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, servers: dict[str, MailServer], hand: Hop) -> Iterator[Gateway]:
    """A gateway with a second listener, which allows bare line endings."""

    def prepare(settings: Settings) -> None:
        public = settings["listeners"][0]
        settings["listeners"].append({**public, "name": "lenient", "port": LENIENT, "bare_line_endings": "allow"})
        settings["gateway"]["accepted_domains"] = [f"{kind}.example" for kind in KINDS]
        ports = {**{kind: server.port for kind, server in servers.items()}, "hand": hand.port}
        settings["routes"] = [
            *({"domain": f"{kind}.example", "hosts": [f"127.0.0.1:{port}"]} for kind, port in ports.items()),
            {"domain": "*", "hosts": [f"127.0.0.1:{hand.port}"]},
        ]

    with gateway(tmp_path_factory.mktemp("smuggling")) as running:
        running.configure(prepare)
        yield running


# -- ways of sending


def at_once(client: Client, text: bytes, at: int) -> str:
    """The message in one piece."""
    assert client.say("DATA").startswith("354")
    return client.say(text + b"\r\n.\r\n")


def in_pieces(client: Client, text: bytes, at: int) -> str:
    """Byte by byte where it matters: in packets, or inside TLS in records, of their own."""
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert client.say("DATA").startswith("354")
    client.socket.sendall(text[:at])
    for byte in text[at : at + 8]:
        client.socket.sendall(bytes([byte]))
    return client.say(text[at + 8 :] + b"\r\n.\r\n")


def in_a_chunk(client: Client, text: bytes, at: int) -> str:
    """By BDAT, in one chunk."""
    return client.say(b"BDAT %d LAST\r\n" % len(text) + text)


def in_chunks(client: Client, text: bytes, at: int) -> str:
    """By BDAT, with the dot at the beginning of a chunk: the first refusal, or the last answer."""
    cut = text.index(b".", at)
    answers = [client.say(b"BDAT %d\r\n" % cut + text[:cut]), in_a_chunk(client, text[cut:], 0)]
    return next((answer for answer in answers if not answer.startswith("250")), answers[-1])


WAYS = (at_once, in_pieces, in_a_chunk, in_chunks)
Way = Callable[[Client, bytes, int], str]


def unstuffed(text: bytes) -> bytes:
    """Without the dots that DATA adds, or takes away, at the beginning of lines (RFC 5321 §4.5.2)."""
    return text.replace(b"\r\n.", b"\r\n")


def envelope(client: Client, recipient: str) -> None:
    assert client.say("MAIL FROM:<me@me.example>").startswith("250")
    assert client.say(f"RCPT TO:<{recipient}>").startswith("250")


# -- coming in


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("way", WAYS)
def test_a_false_end_is_refused(gate: Gateway, hand: Hop, way: Way, tls: bool) -> None:
    before = len(hand.messages)
    for name, end in ENDS.items():
        with closing(greeted(gate.ports["public"])) as client:
            if tls:
                client.start_tls()
                client.say("EHLO me.example")
            envelope(client, "you@hand.example")
            text = smuggling(end, name, "victim@hand.example")
            answer = way(client, text, text.index(end))
            assert answer.startswith("554 5.6.0 message body contains illegal bare CR/LF"), (name, answer)
            assert client.say("NOOP").startswith("250"), name  # nothing that was inside was obeyed
            assert client.say("RCPT TO:<you@hand.example>").startswith("503"), name
    assert len(hand.messages) == before


@pytest.mark.parametrize("way", WAYS)
def test_what_only_looks_like_an_end_is_a_part_of_its_message(gate: Gateway, hand: Hop, way: Way) -> None:
    for name, end in NO_ENDS.items():
        mark = f"{way.__name__} {name}"
        with closing(greeted(gate.ports["public"])) as client:
            envelope(client, "you@hand.example")
            text = smuggling(end, mark, "victim@hand.example")
            answer = way(client, text, text.index(end))
            assert answer.startswith("250"), answer
        (message,) = eventually(
            lambda mark=mark: [each for each in hand.messages if b"Subject: %b\r\n" % mark.encode() in each]
        )
        assert b"Subject: smuggled" in message
    assert not any(command.startswith("RCPT TO:<victim") for visit in hand.visits for command in visit.commands)


# -- going out, where bare line endings are allowed


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_a_message_that_came_in_chunks_is_one_message_there(
    gate: Gateway, servers: dict[str, MailServer], kind: str
) -> None:
    """By BDAT to a server with CHUNKING: where it ends is said in octets."""
    recipient = f"you@{kind}.example"
    names = [f"{kind} {way.__name__} {name}" for way in (in_a_chunk, in_chunks) for name in ENDS]
    for way in (in_a_chunk, in_chunks):
        for name, end in ENDS.items():
            with closing(greeted(LENIENT)) as client:
                envelope(client, recipient)
                text = smuggling(end, f"{kind} {way.__name__} {name}", f"victim@{kind}.example")
                answer = way(client, text, text.index(end))
                assert answer.startswith("250"), (name, answer)
    server = servers[kind]
    arrived = server.wait_for_messages(len(names), within=60)
    assert sorted(str(message["Subject"]) for message in arrived) == sorted(names)
    assert not any("victim@" in str(message["Delivered-To"] or message["Envelope-to"]) for message in arrived)


def test_a_message_that_came_in_chunks_comes_back_from_a_server_without_them(
    gate: Gateway, servers: dict[str, MailServer], hand: Hop
) -> None:
    position = len(gate.log())
    with closing(greeted(LENIENT)) as client:
        envelope(client, "you@opensmtpd.example")
        text = smuggling(ENDS["LF.CRLF"], "returned", "victim@opensmtpd.example")
        assert in_a_chunk(client, text, 0).startswith("250")
    gate.wait_for_log(r"Bounced: .* 5\.6\.1 .*CHUNKING", after=position)
    (notice,) = eventually(lambda: [each for each in hand.messages if b"multipart/report" in each])
    assert b"5.6.1" in notice
    assert servers["opensmtpd"].messages() == []


@pytest.mark.parametrize("way", [at_once, in_pieces])
def test_an_allowed_message_passes_unchanged(gate: Gateway, hand: Hop, way: Way) -> None:
    """What the setting promises, to the byte; how the next server reads it is its own affair."""
    for name, end in ENDS.items():
        mark = f"allowed {way.__name__} {name}"
        with closing(greeted(LENIENT)) as client:
            envelope(client, "you@hand.example")
            text = smuggling(end, mark, "victim@hand.example")
            answer = way(client, text, text.index(end))
            assert answer.startswith("250"), (name, answer)
        raw = eventually(
            lambda mark=mark: [each for each in hand.messages if b"Subject: %b\r\n" % mark.encode() in each], why=str
        )
        (message,) = raw
        assert unstuffed(message).endswith(unstuffed(text + b"\r\n")), name


def test_an_allowed_message_by_data_is_one_message_at_a_server_that_knows_better(
    gate: Gateway, servers: dict[str, MailServer]
) -> None:
    """Exim, since it was mended (CVE-2023-51766), takes only CRLF.CRLF from a client that ends its lines with CRLF."""
    before = len(servers["exim"].messages())
    for name, end in ENDS.items():
        with closing(greeted(LENIENT)) as client:
            envelope(client, "you@exim.example")
            text = smuggling(end, f"data {name}", "victim@exim.example")
            assert at_once(client, text, 0).startswith("250"), name
    arrived = servers["exim"].wait_for_messages(before + len(ENDS))
    subjects = [str(message["Subject"]) for message in arrived]
    assert sorted(each for each in subjects if each.startswith("data ")) == sorted(f"data {name}" for name in ENDS)
    assert "smuggled" not in subjects
