"""The server machine beyond the wire: its events, STARTTLS, and what it demands of its driver."""

from __future__ import annotations

import pytest

from sealgate.mail.address import Address, AddressError, AddressNotAscii
from sealgate.mail.envelope import Notify
from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import (
    BAD_COMMANDS,
    INJECTION,
    Chunk,
    Data,
    Hangup,
    Hello,
    Mail,
    MessageEnd,
    Quit,
    Rcpt,
    Refusal,
    Reset,
    ServerMachine,
    Simple,
    StartTls,
)
from sealgate.smtp.table import COMMANDS
from tests.smtp.gateway import SIZE, Gateway
from tests.smtp.test_data import NO_ENDS, SMUGGLED

ENVELOPE = b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@inside.example>\r\nDATA\r\n"


def asked(data: bytes) -> ServerMachine:
    """A machine that has received this and given no event yet."""
    machine = Gateway().machine
    machine.receive(data)
    return machine


def test_what_the_events_say() -> None:
    peer = Gateway()
    peer.hear(
        b"EHLO client.example\r\nNOOP\r\nRSET\r\nfoo \x07\r\nMAIL FROM:<A@b.example> SIZE=9 BODY=8BITMIME\r\n"
        b"RCPT TO:<c@Inside.example>\r\nDATA\r\nbody\r\n.\r\nQUIT\r\n"
    )
    assert peer.events == [
        Hello("client.example", extended=True),
        Simple(replies.OK),
        Reset(replies.RESET),
        Refusal(replies.UNKNOWN_COMMAND, "foo \\x07"),
        Mail(Address("A", "b.example"), 9, body_8bit=True),
        Rcpt(Address("c", "Inside.example")),
        Data(),
        MessageEnd(6, None),
        Quit(replies.BYE),
    ]
    assert peer.messages == [b"body\r\n"]


def test_what_the_events_say_of_extensions() -> None:
    peer = Gateway()
    peer.hear(b"EHLO x\r\nMAIL FROM:<> SMTPUTF8 RET=HDRS ENVID=a+20b\r\n")
    peer.hear("RCPT TO:<ü@inside.example> NOTIFY=NEVER ORCPT=rfc822;a@b\r\n".encode())
    assert peer.events[1:] == [
        Mail(None, None, body_8bit=False, utf8=True, ret="HDRS", envid="a+20b"),
        Rcpt(Address("ü", "inside.example"), Notify.NEVER, "rfc822;a@b"),
    ]


def test_replies_are_utf8_only_within_a_transaction_that_asked_for_it() -> None:
    machine = asked(b"EHLO x\r\nMAIL FROM:<> SMTPUTF8\r\nNOOP\r\nRSET\r\nNOOP\r\nMAIL FROM:<>\r\n")
    said = []
    while machine.next_event() is not None:
        said.append(machine.answer(Reply(250, "ü")))
    wide, escaped = "250 ü\r\n".encode(), b"250 \\xfc\r\n"
    assert said == [escaped, wide, wide, wide, escaped, escaped]


def test_a_message_by_data_tells_of_bare_line_endings_that_are_allowed() -> None:
    peer = Gateway(bare=BareLineEndings.ALLOW)
    peer.hear(ENVELOPE + b"a\nb\r\n.\r\n")
    assert peer.events[-1] == MessageEnd(5, None, bare=True)


def test_the_greeting_names_the_host_and_esmtp() -> None:
    assert Gateway().machine.greeting() == b"220 mx.example ESMTP\r\n"


def test_a_small_message_is_one_chunk_per_read() -> None:
    peer = Gateway()
    peer.hear(ENVELOPE)
    peer.hear(b"Subject: x\r\n\r\n" + b"line\r\n" * 100)
    peer.hear(b"last\r\n.\r\n")
    assert peer.chunks == 2
    assert len(peer.messages) == 1


def test_pipelined_input_waits_for_the_answer_before() -> None:
    machine = asked(ENVELOPE)
    assert machine.next_event() == Hello("x", extended=False)
    assert machine.next_event() is None
    machine.answer(Reply(250, "mx.example"))
    assert isinstance(machine.next_event(), Mail)
    assert machine.pending_plaintext == len(b"RCPT TO:<c@inside.example>\r\nDATA\r\n")


def test_a_refused_data_brings_no_chunks() -> None:
    machine = asked(b"")
    for command in ENVELOPE.splitlines(keepends=True)[:-1]:
        machine.receive(command)
        assert machine.next_event() is not None
        machine.answer(replies.OK)
    machine.receive(b"DATA\r\nNOOP\r\n")
    assert machine.next_event() == Data()
    machine.answer(replies.SERVER_ERROR)
    assert machine.next_event() == Simple(replies.OK)


def test_an_answer_that_nobody_asked_for_is_a_mistake_of_the_driver() -> None:
    machine = asked(ENVELOPE)
    with pytest.raises(RuntimeError, match="no answer is owed"):
        machine.answer(replies.OK)
    machine.next_event()
    machine.answer(replies.OK)
    with pytest.raises(RuntimeError, match="no answer is owed"):
        machine.answer(replies.OK)


def test_nothing_is_read_after_a_421() -> None:
    machine = asked(b"MAIL FROM:<a@b.example>\r\nNOOP\r\n")
    machine.next_event()
    assert machine.answer(replies.SHUTTING_DOWN).startswith(b"421 ")
    machine.receive(b"NOOP\r\n")
    assert machine.next_event() is None


def test_too_many_bad_commands_end_the_session() -> None:
    peer = Gateway()
    peer.hear(b"FOO\r\n" * 9 + b"HELO x\r\n")
    assert peer.events[-1] == Hangup(replies.BAD_COMMAND_LIMIT, BAD_COMMANDS)
    assert len(peer.events) == 4
    assert peer.hear(b"HELO x\r\n") == b""


@pytest.mark.parametrize("no_end", NO_ENDS)
def test_nothing_is_smuggled(no_end: bytes) -> None:
    peer = Gateway()
    peer.hear(ENVELOPE)
    said = peer.hear(b"Subject: x\r\n\r\na" + no_end + SMUGGLED + b"b\r\n.\r\nNOOP\r\n")
    assert said == replies.BARE_IN_BODY.encode() + replies.OK.encode()
    assert sum(isinstance(event, Mail) for event in peer.events) == 1
    assert peer.messages == []


# -- STARTTLS

BEHIND = b"MAIL FROM:<evil@b.example>\r\n"


def test_bytes_in_the_read_of_starttls_end_the_session() -> None:
    machine = asked(b"STARTTLS\r\n" + BEHIND)
    assert machine.next_event() == StartTls()
    assert machine.next_event() == Hangup(None, INJECTION)
    assert machine.pending_plaintext == len(BEHIND)
    assert machine.next_event() is None


def test_bytes_in_a_later_read_end_the_session_before_the_answer() -> None:
    machine = asked(b"STARTTLS\r\n")
    assert machine.next_event() == StartTls()
    assert machine.next_event() is None
    machine.receive(BEHIND)
    assert machine.next_event() == Hangup(None, INJECTION)


def test_bytes_behind_starttls_end_the_session_after_the_answer_too() -> None:
    machine = asked(b"STARTTLS\r\n" + BEHIND)
    machine.next_event()
    assert machine.answer(replies.READY_FOR_TLS) == b"220 2.0.0 Go ahead with TLS\r\n"
    with pytest.raises(RuntimeError, match="nothing stood behind"):
        machine.tls_started()
    assert machine.next_event() == Hangup(None, INJECTION)
    with pytest.raises(RuntimeError, match="nothing stood behind"):
        machine.tls_started()


def test_starttls_refused_for_now_leaves_the_session_as_it_was() -> None:
    machine = asked(b"STARTTLS\r\n")
    machine.next_event()
    machine.answer(replies.TLS_NOT_AVAILABLE)
    machine.receive(b"NOOP\r\n")
    assert machine.next_event() == Simple(replies.OK)


def test_tls_cannot_start_unasked() -> None:
    with pytest.raises(RuntimeError, match="STARTTLS was answered 220"):
        Gateway().machine.tls_started()


def test_a_session_that_began_with_tls_offers_none() -> None:
    peer = Gateway(encrypted=True, require_tls=True)
    assert b"STARTTLS" not in peer.hear(b"EHLO x\r\n")
    assert peer.hear(b"MAIL FROM:<a@b.example>\r\n").startswith(b"250 ")


# -- tables


def test_only_four_commands_work_before_required_tls() -> None:
    assert {verb for verb, command in COMMANDS.items() if command.before_tls} == {
        b"NOOP",
        b"EHLO",
        b"STARTTLS",
        b"QUIT",
    }


ALL_REPLIES = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)} | {
    "bad sender": replies.bad_address(AddressError("reason"), recipient=False),
    "bad recipient": replies.bad_address(AddressError("reason"), recipient=True),
    "wide recipient": replies.bad_address(AddressNotAscii("reason"), recipient=True),
    "all commands": replies.commands(verb.decode() for verb in COMMANDS),
    "largest chunk": replies.chunk_ok(10**20 - 1),
    "null sender": replies.sender_ok(None),
    "longest sender": replies.sender_ok(Address("l" * 66, "d" * 253)),
    "longest recipient": replies.recipient_ok(Address("l" * 66, "d" * 253)),
    "message": replies.message_accepted(2**63),
}


@pytest.mark.parametrize("name", ALL_REPLIES)
def test_every_reply_keeps_the_rules(name: str) -> None:
    """RFC 2034 §4: a status of the reply's class on 2xx, 4xx, 5xx; RFC 5321 §4.5.3.1.5: 512 bytes a line."""
    reply = ALL_REPLIES[name]
    assert reply.enhanced[:1] == ("" if reply.code == 354 else str(reply.code)[0])
    for line in reply.lines:
        assert line.isascii()
        assert line.isprintable()
    assert all(len(line) <= 512 for line in reply.encode().splitlines(keepends=True))


def test_the_size_of_a_message_counts_no_stuffed_dots() -> None:
    peer = Gateway()
    peer.hear(ENVELOPE)
    peer.hear(b"." + b"x" * (SIZE - 2) + b"\r\n")
    assert peer.hear(b"..\r\n.\r\n").startswith(b"552 ")
    peer.hear(ENVELOPE)
    peer.hear(b"." * (SIZE - 1) + b"\r\n.\r\n")
    assert peer.events[-1] == MessageEnd(SIZE, None)


def test_chunks_end_with_the_limit() -> None:
    machine = asked(b"")
    for command in ENVELOPE.splitlines(keepends=True):
        machine.receive(command)
        event = machine.next_event()
        machine.answer(replies.GO_AHEAD if event == Data() else replies.OK)
    taken = 0
    for _ in range(100):
        machine.receive(b"x" * 98 + b"\r\n")
        while isinstance(event := machine.next_event(), Chunk):
            taken += len(event.data)
    assert 0 < taken <= SIZE
