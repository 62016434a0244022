"""Whatever comes, and however it is cut: the same conversation, and replies that are replies."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import Bdat, Chunk, ChunkEnd, Hangup, Login, Mail, MessageEnd
from tests.smtp import test_extensions, test_transcript
from tests.smtp.cutting import cuts, pieces
from tests.smtp.gateway import Gateway
from tests.smtp.transcript import client_lines

TRANSCRIPTS = [*test_transcript.TRANSCRIPTS.values(), *test_extensions.TRANSCRIPTS.values()]
FRAGMENTS = sorted(
    {line for transcript in TRANSCRIPTS for line in client_lines(transcript)}
    | {b"\r", b"\n", b"\0", b".\r\n", b"\r\n.\r\n", b"\n.\n", b"x" * 250, b"EHLO x\r\n", b"<", b'"', b"\xff"}
    | {
        b"BDAT 7\r\n",
        b"BDAT 30 LAST\r\n",
        b"BDAT 0 LAST\r\n",
        b"BDAT 999999999999 LAST\r\n",
        b"*\r\n",
        b"AUTH LOGIN\r\n",
    }
)
ENVELOPE = b"EHLO x\r\nMAIL FROM:<a@b.c> SMTPUTF8\r\nRCPT TO:<a@b.c>\r\n"

talk = st.builds(
    lambda begin, lines, garbage: begin + b"".join(lines) + garbage,
    st.sampled_from([b"", b"HELO x\r\n", ENVELOPE, ENVELOPE + b"DATA\r\n", ENVELOPE + b"BDAT 9\r\n"]),
    st.lists(st.sampled_from(FRAGMENTS), max_size=20),
    st.binary(max_size=40),
)
terms = st.fixed_dictionaries(
    {
        "encrypted": st.booleans(),
        "require_tls": st.booleans(),
        "require_auth": st.booleans(),
        "bare": st.sampled_from(BareLineEndings),
        "hidden": st.sampled_from([(), ("CHUNKING",), ("8BITMIME", "DSN")]),
    }
)


def heard(data: list[bytes], given: dict[str, Any]) -> tuple[bytes, Gateway]:
    """What a gateway answers to the pieces."""
    peer = Gateway(**given)
    return b"".join(peer.hear(piece) for piece in data), peer


@given(talk, cuts(), terms)
def test_any_cutting_gives_the_same_conversation(data: bytes, where: list[int], given: dict[str, Any]) -> None:
    said, peer = heard([data], given)
    cut_said, cut_peer = heard(pieces(data, where), given)
    assert cut_said == said
    assert cut_peer.events == peer.events
    assert cut_peer.messages == peer.messages


@given(talk, terms)
def test_garbage_gives_well_formed_replies_and_nothing_else(data: bytes, given: dict[str, Any]) -> None:
    said, peer = heard([data], given)
    for line in said.decode().split("\r\n")[:-1]:
        assert line.isprintable()
        assert line[:3].isdecimal()
        assert line[3] in " -"
        assert len(line.encode()) <= 510
    assert said == b"" or said.endswith(b"\r\n")
    assert peer.machine.pending_plaintext <= max(len(data), 1)


@given(talk, terms)
def test_whatever_is_said_the_terms_hold(data: bytes, given: dict[str, Any]) -> None:
    _, peer = heard([data], given)
    if given["require_tls"] and not given["encrypted"]:
        assert peer.messages == []
    if given["require_auth"]:
        assert peer.messages == [] or any(isinstance(event, Login) for event in peer.events)
    if not given["encrypted"]:
        assert not any(isinstance(event, Login) for event in peer.events)
    if "CHUNKING" in given["hidden"]:
        assert not any(isinstance(event, Bdat) for event in peer.events)
    for event in peer.events:
        if isinstance(event, MessageEnd) and event.fault is None and event.bare:
            assert given["bare"] is BareLineEndings.ALLOW


COMMANDS = st.lists(st.sampled_from([b"NOOP\r\n", b"MAIL FROM:<x@y.z>\r\n", b"\r\n.\r\n", b"BDAT 5\r\n", b"QUIT\r\n"]))


@given(COMMANDS.map(b"".join), cuts(), st.sampled_from([b"", b"EHLO x\r\n", b"EHLO x\r\nMAIL FROM:<a@b.c>\r\n"]))
def test_octets_of_a_refused_chunk_are_no_commands(octets: bytes, where: list[int], before: bytes) -> None:
    peer = Gateway()
    peer.hear(before)
    heard_before = len(peer.events)
    wire = b"BDAT %d LAST\r\n%sNOOP\r\n" % (len(octets), octets)
    said = b"".join(peer.hear(piece) for piece in pieces(wire, where))
    refusal: Reply = (
        replies.HELLO_FIRST if not before else replies.RCPT_FIRST if b"MAIL" in before else replies.MAIL_FIRST
    )
    assert said == refusal.encode() + replies.OK.encode()
    assert len(peer.events) == heard_before + 2
    assert not peer.machine.in_transaction


ANSWERS = [replies.OK, replies.GO_AHEAD, replies.LOGGED_IN, replies.QUEUE_FULL, replies.RELAYING_DENIED]
ANSWERS += [Reply(334, ""), replies.READY_FOR_TLS, replies.SHUTTING_DOWN]


@given(talk, cuts(), st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=9), st.booleans())
def test_whatever_a_driver_answers_a_refusal_takes_nothing(
    data: bytes, where: list[int], answers: list[Reply], encrypted: bool
) -> None:
    """Also a driver that makes mistakes: no chunk comes outside of a transaction, no event behind the last."""
    machine = Gateway(encrypted=encrypted).machine
    said = 0
    for piece in pieces(data, where):
        machine.receive(piece)
        while (event := machine.next_event()) is not None:
            if isinstance(event, Bdat | Chunk):
                assert machine.in_transaction
            elif isinstance(event, Hangup):
                assert machine.next_event() is None
            else:
                reply, said = answers[said % len(answers)], said + 1
                machine.answer(reply)
                over = isinstance(event, MessageEnd) or (isinstance(event, ChunkEnd) and not reply.is_positive)
                assert not (over and machine.in_transaction)
                assert not (isinstance(event, Mail) and not reply.is_positive and machine.in_transaction)
