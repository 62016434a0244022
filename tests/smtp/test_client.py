"""The client machine: replies read whole or refused with the reason, commands written, STARTTLS guarded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.reply import Reply
from sealgate.smtp.client import (
    LINE_LIMIT,
    LINES_LIMIT,
    TEXT_LIMIT,
    Capabilities,
    ClientMachine,
    InjectionFault,
    ProtocolFault,
    capabilities,
)
from tests.smtp.cutting import cuts, pieces


def heard(data: list[bytes]) -> tuple[list[Reply], str]:
    """All replies in the pieces, and the fault that ended them."""
    machine = ClientMachine("gate.example")
    found: list[Reply] = []
    try:
        for piece in data:
            machine.receive(piece)
            while (reply := machine.next_reply()) is not None:
                found.append(reply)
    except ProtocolFault as fault:
        return found, str(fault)
    return found, ""


REPLIES = {
    b"220 mx.example ESMTP\r\n": Reply(220, ("mx.example ESMTP",)),
    b"250\r\n": Reply(250, ("",)),
    b"250 \r\n": Reply(250, ("",)),
    b"250 ok\n": Reply(250, ("ok",)),
    b"250-a\r\n250-\r\n250-b\r\n250 c\r\n": Reply(250, ("a", "", "b", "c")),
    b"250-a\r\n250\r\n": Reply(250, ("a", "")),
    b"550 5.1.1 no such user\r\n": Reply(550, ("5.1.1 no such user",), "5.1.1"),
    b"550 #5.1.1 no such user\r\n": Reply(550, ("#5.1.1 no such user",), "5.1.1"),
    b"452-4.2.2 full\r\n452 4.2.2 later\r\n": Reply(452, ("4.2.2 full", "4.2.2 later"), "4.2.2"),
    b"250 2.0.0\r\n": Reply(250, ("2.0.0",), "2.0.0"),
    b"550 4.1.1 of two minds\r\n": Reply(550, ("4.1.1 of two minds",)),
    b"550 5.1.1234 no status\r\n": Reply(550, ("5.1.1234 no status",)),
    b"250 1.2.3.4 is an address\r\n": Reply(250, ("1.2.3.4 is an address",)),
    "550 für später\r\n".encode(): Reply(550, ("für später",)),
    b"550 \xff\r\n": Reply(550, ("\\xff",)),
    b"550 a\x00b\x1b[2Jc\td\re\x7f\r\n": Reply(550, ("a\\x00b\\x1b[2Jc\\td\\re\\x7f",)),
    "550 \u202eright to left\r\n".encode(): Reply(550, ("\\u202eright to left",)),
}


@pytest.mark.parametrize("wire", REPLIES)
def test_a_reply_is_read(wire: bytes) -> None:
    assert heard([wire]) == ([REPLIES[wire]], "")


FAULTS = {
    b"\r\n": "is no SMTP reply line",
    b"hello\r\n": "'hello' is no SMTP reply line",
    b"SSH-2.0-OpenSSH_9.2p1\r\n": "is no SMTP reply line",
    b"HTTP/1.1 400 Bad Request\r\n": "is no SMTP reply line",
    b"\x15\x03\x01\x00\x02\x02F\n": "is no SMTP reply line",
    b"25 ok\r\n": "is no SMTP reply line",
    b"2500 ok\r\n": "is no SMTP reply line",
    b"250_ok\r\n": "is no SMTP reply line",
    b" 250 ok\r\n": "is no SMTP reply line",
    b"100 go on\r\n": "is no SMTP reply line",
    b"600 what\r\n": "is no SMTP reply line",
    "\uff12\uff15\uff10 ok\r\n".encode(): "is no SMTP reply line",
    b"x" * 1000 + b"\r\n": f"'{'x' * 60}' is no SMTP reply line",
    b"250-a\r\n550 b\r\n": "changes its code from 250 to 550",
    b"250 " + b"x" * LINE_LIMIT + b"\r\n": "more than 4096 bytes",
    b"250-x\r\n" * (LINES_LIMIT + 1): "more than 200 lines",
}


@pytest.mark.parametrize("wire", FAULTS)
def test_what_is_no_reply_is_a_fault(wire: bytes) -> None:
    found, fault = heard([b"220 hello\r\n" + wire])
    assert found == [Reply(220, ("hello",))]
    assert FAULTS[wire] in fault
    assert fault.isprintable()


def test_the_longest_line_and_the_longest_reply_are_read() -> None:
    assert heard([b"250 " + b"x" * (LINE_LIMIT - 6) + b"\r\n"])[1] == ""
    ((reply,), fault) = heard([b"250-x\r\n" * (LINES_LIMIT - 1) + b"250 x\r\n"])
    assert not fault
    assert len(reply.lines) == LINES_LIMIT


def test_of_a_reply_only_so_much_is_kept() -> None:
    """A hostile server could say 800 kB, and that for every recipient and every attempt."""
    line = b"x" * (LINE_LIMIT - 6)
    ((reply,), fault) = heard([b"550-" + line + b"\r\n"] * (LINES_LIMIT - 1) + [b"550 " + line + b"\r\n"])
    assert not fault
    assert (reply.code, sum(map(len, reply.lines))) == (550, TEXT_LIMIT)
    ((reply,), _) = heard([b"550 " + b"\xff" * (LINE_LIMIT - 6) + b"\r\n"])
    assert len(reply.lines[0]) == TEXT_LIMIT


def test_a_reply_without_end_is_waited_for() -> None:
    assert heard([b"250-a\r\n", b"250 b"]) == ([], "")


WIRE = st.lists(st.sampled_from([*REPLIES, *FAULTS, b"250", b"-", b" ", b"\r", b"\n", b"a"])).map(b"".join)


@given(WIRE | st.binary(), cuts())
def test_any_cutting_gives_the_same_replies_or_the_same_fault(data: bytes, where: list[int]) -> None:
    replies, fault = heard([data])
    assert heard(pieces(data, where)) == (replies, fault)
    for reply in replies:
        assert all(line.isprintable() for line in reply.lines)
        assert 200 <= reply.code < 600


# -- commands


def test_commands_as_they_stand_on_the_wire() -> None:
    machine = ClientMachine("gate.example")
    assert machine.ehlo() == b"EHLO gate.example\r\n"
    assert machine.helo() == b"HELO gate.example\r\n"
    assert machine.starttls() == b"STARTTLS\r\n"
    assert machine.mail(None) == b"MAIL FROM:<>\r\n"
    said = machine.mail("a@b.example", ("SIZE=42", "BODY=8BITMIME"))
    assert said == b"MAIL FROM:<a@b.example> SIZE=42 BODY=8BITMIME\r\n"
    assert machine.rcpt('"a b"@c.example') == b'RCPT TO:<"a b"@c.example>\r\n'
    assert machine.rcpt("a@b.example", ("NOTIFY=NEVER",)) == b"RCPT TO:<a@b.example> NOTIFY=NEVER\r\n"
    assert machine.data() == b"DATA\r\n"
    assert machine.bdat(5, last=False) == b"BDAT 5\r\n"
    assert machine.bdat(0, last=True) == b"BDAT 0 LAST\r\n"
    assert machine.rset() == b"RSET\r\n"
    assert machine.quit() == b"QUIT\r\n"


@pytest.mark.parametrize("address", ["a@b.example>\r\nRSET\r\n", "a\nb@c.example", "a\0@b.example", "ä@b.example"])
def test_an_address_cannot_become_a_command(address: str) -> None:
    machine = ClientMachine("gate.example")
    with pytest.raises(ValueError, match="cannot be sent"):
        machine.rcpt(address)
    with pytest.raises(ValueError, match="cannot be sent"):
        machine.mail(address)


def test_utf8_is_said_where_mail_has_announced_it_and_nowhere_else() -> None:
    machine = ClientMachine("gate.example")
    assert machine.mail("ä@b.example", ("SMTPUTF8",)) == "MAIL FROM:<ä@b.example> SMTPUTF8\r\n".encode()
    assert machine.rcpt("न\u200dम@c.example") == "RCPT TO:<न\u200dम@c.example>\r\n".encode()
    for address in ("ä\r\nRSET@b.example", "ä\u2028@b.example", "ä\x85@b.example"):
        with pytest.raises(ValueError, match="cannot be sent"):
            machine.rcpt(address)
    machine.mail("a@b.example")
    with pytest.raises(ValueError, match="cannot be sent"):
        machine.rcpt("ä@b.example")


ANNOUNCED = {
    (): Capabilities(),
    ("STARTTLS", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 1000"): Capabilities(
        starttls=True, size=1000, pipelining=True, eight_bit_mime=True, enhanced=True
    ),
    ("DSN", "SMTPUTF8", "CHUNKING"): Capabilities(dsn=True, smtputf8=True, chunking=True),
    ("starttls", "Size 5"): Capabilities(starttls=True, size=5),
    ("SIZE",): Capabilities(size=0),
    ("SIZE 0",): Capabilities(size=0),
    ("SIZE lots",): Capabilities(size=0),
    ("SIZE ²",): Capabilities(size=0),
    ("SIZE " + "9" * 5000,): Capabilities(size=0),
    ("", "AUTH PLAIN", "XSTARTTLS", "XCLIENT STARTTLS"): Capabilities(),
}


@pytest.mark.parametrize("lines", ANNOUNCED)
def test_capabilities(lines: tuple[str, ...]) -> None:
    assert capabilities(Reply(250, ("mx.example greets STARTTLS", *lines))) == ANNOUNCED[lines]


def test_the_name_of_the_server_announces_nothing() -> None:
    assert capabilities(Reply(250, "STARTTLS")) == Capabilities()


# -- STARTTLS


def in_starttls() -> ClientMachine:
    """A machine whose EHLO was answered and which has asked for TLS."""
    machine = ClientMachine("gate.example")
    machine.ehlo()
    machine.receive(b"250-mx.example\r\n250 STARTTLS\r\n")
    assert machine.next_reply() == Reply(250, ("mx.example", "STARTTLS"))
    machine.starttls()
    return machine


def test_nothing_behind_the_220_and_tls_starts() -> None:
    machine = in_starttls()
    machine.receive(b"220 go\r\n")
    assert machine.next_reply() == Reply(220, ("go",))
    machine.tls_started()
    machine.receive(b"250 mx.example\r\n")
    assert machine.next_reply() == Reply(250, ("mx.example",))


@pytest.mark.parametrize("behind", [b"250 fake\r\n", b"250-fake", b"\r\n", b"\x16\x03\x03"])
@pytest.mark.parametrize("later", [False, True])
def test_bytes_behind_the_220_are_never_a_reply(behind: bytes, later: bool) -> None:
    machine = in_starttls()
    machine.receive(b"220 go\r\n" + (b"" if later else behind))
    assert machine.next_reply() == Reply(220, ("go",))
    machine.receive(behind if later else b"")
    assert machine.next_reply() is None
    with pytest.raises(InjectionFault) as caught:
        machine.tls_started()
    assert caught.value.size == len(behind)


def test_a_refused_starttls_changes_nothing() -> None:
    machine = in_starttls()
    machine.receive(b"454 4.7.0 later\r\n250 ok\r\n")
    assert machine.next_reply() == Reply(454, ("4.7.0 later",), "4.7.0")
    assert machine.next_reply() == Reply(250, ("ok",))
