"""Our client talks to our server in memory: what one writes the other reads, with nothing between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.address import Address
from sealgate.mail.envelope import Notify
from sealgate.mail.reply import Reply
from sealgate.smtp.client import ClientMachine, capabilities
from sealgate.smtp.data import BareLineEndings, Stuffer
from sealgate.smtp.server import Mail, Rcpt
from tests.smtp.cutting import cuts, pieces
from tests.smtp.gateway import SIZE, Gateway


class Pair:
    """A client and a gateway, connected."""

    def __init__(self, bare: BareLineEndings = BareLineEndings.REFUSE) -> None:
        self.client = ClientMachine("client.example")
        self.server = Gateway(bare=bare)
        self.client.receive(self.server.machine.greeting())
        assert self.replies() == [Reply(220, ("mx.example ESMTP",))]

    def replies(self) -> list[Reply]:
        """All replies that have come."""
        found = []
        while (reply := self.client.next_reply()) is not None:
            found.append(reply)
        return found

    def say(self, *commands: bytes) -> list[int]:
        """Send, and give the codes of the answers."""
        self.client.receive(self.server.hear(b"".join(commands)))
        return [reply.code for reply in self.replies()]


def test_the_client_understands_the_offer_of_the_server() -> None:
    pair = Pair()
    pair.client.receive(pair.server.hear(pair.client.ehlo()))
    offered = capabilities(pair.replies()[0])
    assert offered.starttls
    assert offered.pipelining
    assert offered.eight_bit_mime
    assert offered.enhanced
    assert offered.dsn
    assert offered.smtputf8
    assert offered.chunking
    assert offered.size == SIZE


def test_starttls_on_both_sides() -> None:
    pair = Pair()
    client = pair.client
    assert pair.say(client.ehlo()) == [250]
    assert pair.say(client.starttls()) == [220]
    client.tls_started()
    pair.server.machine.tls_started()
    assert pair.say(client.mail("a@b.example")) == [503]
    pair.client.receive(pair.server.hear(client.ehlo()))
    assert not capabilities(pair.replies()[0]).starttls


@given(st.binary(max_size=SIZE - 2), cuts())
def test_a_message_arrives_as_it_was_sent(body: bytes, where: list[int]) -> None:
    pair = Pair(BareLineEndings.ALLOW)
    client, stuffer = pair.client, Stuffer()
    codes = pair.say(
        client.ehlo(),
        client.mail("a@b.example", [f"SIZE={len(body)}", "BODY=8BITMIME"]),
        client.rcpt("c@inside.example"),
        client.rcpt("d@refused.example"),
        client.data(),
    )
    assert codes == [250, 250, 250, 550, 354]
    wire = b"".join(stuffer.feed(piece) for piece in pieces(body, where)) + stuffer.end()
    assert pair.say(wire, client.quit()) == [250, 221]
    complete = not body or body.endswith(b"\r\n")
    assert pair.server.messages == [body if complete else body + b"\r\n"]


@given(st.binary(max_size=SIZE), cuts(), st.sampled_from(BareLineEndings))
def test_a_message_arrives_in_chunks_as_it_was_sent(body: bytes, where: list[int], bare: BareLineEndings) -> None:
    pair = Pair(bare)
    client = pair.client
    pair.say(client.ehlo(), client.mail("a@b.example"), client.rcpt("c@inside.example"))
    chunks = [*pieces(body, where), b""]
    codes = pair.say(*(client.bdat(len(c), last=n == len(chunks)) + c for n, c in enumerate(chunks, 1)), client.quit())
    assert len(codes) == len(chunks) + 1
    assert codes[-1] == 221
    assert pair.server.messages == ([body] if codes[-2] == 250 else [])
    if bare is BareLineEndings.ALLOW:
        assert codes[-2] == 250


def test_an_envelope_in_utf8_arrives_as_it_was_sent() -> None:
    pair = Pair()
    client = pair.client
    envelope = [
        client.mail("jürgen@b.example", ["SMTPUTF8", "BODY=8BITMIME", "RET=FULL", "ENVID=a+20b"]),
        client.rcpt("grün@inside.example", ["NOTIFY=SUCCESS,DELAY", "ORCPT=utf-8;grün@b.example"]),
    ]
    assert pair.say(client.ehlo(), *envelope) == [250, 250, 250]
    assert pair.server.events[1:] == [
        Mail(Address("jürgen", "b.example"), None, body_8bit=True, utf8=True, ret="FULL", envid="a+20b"),
        Rcpt(Address("grün", "inside.example"), Notify.SUCCESS | Notify.DELAY, "utf-8;grün@b.example"),
    ]


@pytest.mark.parametrize("sender", [None, "a@b.example", '"a> b"@[192.0.2.1]'])
def test_a_sender_arrives_as_it_was_sent(sender: str | None) -> None:
    pair = Pair()
    pair.say(pair.client.ehlo(), pair.client.mail(sender, ["SIZE=7"]))
    event = pair.server.events[-1]
    assert isinstance(event, Mail)
    assert (event.sender and str(event.sender)) == sender
    assert event.size == 7
    assert event.sender is None or isinstance(event.sender, Address)
