"""Messages in chunks: whatever their borders, one message under the rules of DATA, and no dot that means anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.bdat import read_bdat
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import LOST_COUNT, Bdat, Chunk, ChunkEnd, Hangup, Mail, MessageEnd, ServerMachine, Simple
from tests.smtp.cutting import cuts, pieces
from tests.smtp.gateway import SIZE, Gateway
from tests.smtp.test_data import AWKWARD, NO_ENDS, SMUGGLED

ENVELOPE = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@inside.example>\r\n"


def chunked(body: bytes, lengths: list[int]) -> bytes:
    """The body in chunks of these lengths."""
    chunks = pieces(body, lengths) or [b""]
    wire = [b"BDAT %d\r\n%s" % (len(chunk), chunk) for chunk in chunks[:-1]]
    return b"".join(wire) + b"BDAT %d LAST\r\n%s" % (len(chunks[-1]), chunks[-1])


def with_envelope(**terms: object) -> Gateway:
    """A gateway that waits for a message."""
    peer = Gateway(**terms)  # type: ignore[arg-type]
    peer.hear(ENVELOPE)
    return peer


READ: dict[bytes, Bdat | Reply] = {
    b"0": Bdat(0, last=False),
    b"0 LAST": Bdat(0, last=True),
    b"86 last": Bdat(86, last=True),
    b" 007\t LAST ": Bdat(7, last=True),
    b"99999999999999999999": Bdat(10**20 - 1, last=False),
    b"": replies.BDAT_SYNTAX,
    b"LAST": replies.BDAT_SYNTAX,
    b"-1": replies.BDAT_SYNTAX,
    b"+1": replies.BDAT_SYNTAX,
    b"1e3": replies.BDAT_SYNTAX,
    b"0x10": replies.BDAT_SYNTAX,
    b"5 FIRST": replies.BDAT_SYNTAX,
    b"5LAST": replies.BDAT_SYNTAX,
    b"5 LAST LAST": replies.BDAT_SYNTAX,
    b"5\x0bLAST": replies.BDAT_SYNTAX,
    "٣".encode(): replies.BDAT_SYNTAX,
    b"1" * 30: replies.BDAT_SYNTAX,
}


@pytest.mark.parametrize("parameters", READ)
def test_the_parameters_are_a_number_and_perhaps_last(parameters: bytes) -> None:
    assert read_bdat(parameters) == READ[parameters]


LOST = [b"BDAT", b"BDAT x", b"BDAT 5 FIRST", b"BDAT5", b" BDAT 5", b"bdat\t5", b"BDAT -1", b"BDAT " + b"1" * 30]
LOST += [b"BDAT 5\n", b"BDAT 5\0", b"BDAT 5 " + b" " * 300]


@pytest.mark.parametrize("line", LOST)
@pytest.mark.parametrize("before", [b"", ENVELOPE, ENVELOPE + b"BDAT 1\r\nx"])
def test_nothing_is_read_behind_a_bdat_that_nobody_can_count(line: bytes, before: bytes) -> None:
    peer = Gateway()
    peer.hear(before)
    said = peer.hear(line + b"\r\n" + SMUGGLED)
    hangup = peer.events[-1]
    assert isinstance(hangup, Hangup)
    assert hangup.reason == LOST_COUNT
    assert hangup.reply is not None
    assert said == hangup.reply.encode()
    assert hangup.reply.code in (500, 501)
    assert peer.hear(SMUGGLED) == b""
    assert not peer.machine.in_transaction


def bare(body: bytes) -> bool:
    """Whether a CR or LF of it stands alone."""
    return b"\r" in (rest := body.replace(b"\r\n", b"")) or b"\n" in rest


@given(AWKWARD | st.binary(), cuts(), cuts(), st.sampled_from(BareLineEndings))
def test_any_chunks_give_the_message_or_its_fault(
    body: bytes, lengths: list[int], where: list[int], rule: BareLineEndings
) -> None:
    peer = with_envelope(bare=rule)
    wire = chunked(body, lengths) + b"NOOP\r\n"
    said = b"".join(peer.hear(piece) for piece in pieces(wire, where))
    assert said.endswith(replies.OK.encode())
    assert not peer.machine.in_transaction
    if bare(body) and rule is BareLineEndings.REFUSE:
        assert peer.messages == []
        assert said.count(replies.BARE_IN_BODY.encode()) == 1
    else:
        assert peer.messages == [body]
        assert MessageEnd(len(body), None, bare(body)) in peer.events


@given(cuts(), st.integers(SIZE - 3, SIZE + 3))
def test_the_limit_holds_over_all_chunks(lengths: list[int], size: int) -> None:
    peer = with_envelope()
    peer.hear(chunked(b"x" * size, lengths) + b"NOOP\r\n")
    assert len(peer.messages) == (size <= SIZE)
    assert peer.events[-1] == Simple(replies.OK)


@pytest.mark.parametrize("no_end", [*NO_ENDS, b"\r\n.\r\n"])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 1000])
def test_nothing_is_smuggled_in_chunks(no_end: bytes, length: int) -> None:
    peer = with_envelope()
    body = b"Subject: x\r\n\r\na" + no_end + SMUGGLED + b"b\r\n"
    peer.hear(chunked(body, [length]) + b"NOOP\r\n")
    assert peer.events[-1] == Simple(replies.OK)
    assert sum(isinstance(event, Mail) for event in peer.events) == 1
    assert peer.messages == ([] if bare(body) else [body])


def test_what_the_events_say() -> None:
    machine = with_envelope().machine
    machine.receive(b"BDAT 4\r\nab\r\nBDAT 2 LAST\r\n\r\n")
    assert machine.next_event() == Bdat(4, last=False)
    assert machine.in_transaction
    assert machine.next_event() == Chunk(b"ab\r\n")
    assert machine.next_event() == ChunkEnd(replies.chunk_ok(4))
    assert machine.next_event() is None
    machine.answer(replies.chunk_ok(4))
    assert machine.next_event() == Bdat(2, last=True)
    assert machine.next_event() == Chunk(b"\r\n")
    assert machine.next_event() == MessageEnd(6, None)
    assert machine.in_transaction
    machine.answer(replies.message_accepted(1))
    assert not machine.in_transaction


def test_a_size_over_the_limit_costs_no_memory_and_brings_no_octets() -> None:
    machine = with_envelope().machine
    machine.receive(b"BDAT 99999999999999999999 LAST\r\n")
    assert machine.next_event() == Bdat(10**20 - 1, last=True)
    for size in (1, 10, *[10_000] * 100):
        machine.receive(b"x" * size)
        assert machine.next_event() is None
        assert machine.pending_plaintext == 0


def test_a_driver_that_refuses_a_chunk_ends_the_transaction() -> None:
    machine = with_envelope().machine
    machine.receive(b"BDAT 2\r\nabBDAT 2 LAST\r\ncdNOOP\r\n")
    assert [machine.next_event() for _ in range(2)] == [Bdat(2, last=False), Chunk(b"ab")]
    assert machine.next_event() == ChunkEnd(replies.chunk_ok(2))
    machine.answer(replies.QUEUE_FULL)
    assert not machine.in_transaction
    refusal = machine.next_event()
    assert refusal is not None
    assert machine.answer(replies.MAIL_FIRST).startswith(b"503 ")
    assert machine.next_event() == Simple(replies.OK)


def test_a_421_to_a_chunk_ends_the_session() -> None:
    machine: ServerMachine = with_envelope().machine
    machine.receive(b"BDAT 2\r\nabNOOP\r\n")
    for _ in range(3):
        machine.next_event()
    machine.answer(replies.SHUTTING_DOWN)
    assert machine.next_event() is None
