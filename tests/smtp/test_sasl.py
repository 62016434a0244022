"""Logins: what the mechanisms make of responses, and that no passphrase is ever shown."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.reply import Reply
from sealgate.smtp import replies, sasl
from sealgate.smtp.server import INJECTION, Challenge, Event, Hangup, Login, Mail, Refusal, StartTls
from tests.smtp.cutting import cuts, pieces
from tests.smtp.gateway import Gateway

PASSPHRASE = "open sesame"


def encoded(response: str | bytes) -> bytes:
    """As it stands on the wire."""
    return b64encode(response.encode() if isinstance(response, str) else response)


def result(mechanism: bytes, *responses: bytes) -> Event | Reply:
    """What comes of an exchange with these lines."""
    exchange = sasl.begin(mechanism)
    assert isinstance(exchange, sasl.Exchange)
    for line in responses:
        assert isinstance(exchange.step(), Challenge)
        if (refusal := exchange.respond(line)) is not None:
            return refusal
    return exchange.step()


PLAIN: dict[str | bytes, Login | Reply] = {
    f"\0alice\0{PASSPHRASE}": Login("PLAIN", "alice", PASSPHRASE),
    f"alice\0alice\0{PASSPHRASE}": Login("PLAIN", "alice", PASSPHRASE),
    "\0jürgen@b.example\0grün": Login("PLAIN", "jürgen@b.example", "grün"),
    f"root\0alice\0{PASSPHRASE}": replies.AUTH_FOR_ANOTHER,
    f"ALICE\0alice\0{PASSPHRASE}": replies.AUTH_FOR_ANOTHER,
    "": replies.AUTH_MALFORMED,
    "alice": replies.AUTH_MALFORMED,
    "\0alice": replies.AUTH_MALFORMED,
    "\0alice\0": replies.AUTH_MALFORMED,
    "\0\0secret": replies.AUTH_MALFORMED,
    "\0\0": replies.AUTH_MALFORMED,
    f"\0{'x' * 256}\0secret": replies.AUTH_MALFORMED,
    "\0alice\0se\0cret": replies.AUTH_MALFORMED,
    "\0al\nice\0secret": replies.AUTH_MALFORMED,
    "\0al\u202eice\0secret": replies.AUTH_MALFORMED,
    b"\0alice\0\xff": replies.AUTH_UNREADABLE,
    b"\0\xc0\xafalice\0x": replies.AUTH_UNREADABLE,
}


@pytest.mark.parametrize("response", PLAIN)
def test_plain(response: str | bytes) -> None:
    assert result(b"PLAIN", encoded(response)) == PLAIN[response]
    initial = sasl.begin(b"PLAIN " + (encoded(response) or b"="))
    assert (initial.step() if isinstance(initial, sasl.Exchange) else initial) == PLAIN[response]


LOGIN: dict[tuple[str | bytes, str | bytes], Login | Reply] = {
    ("alice", PASSPHRASE): Login("LOGIN", "alice", PASSPHRASE),
    ("jürgen", "grün"): Login("LOGIN", "jürgen", "grün"),
    ("", PASSPHRASE): replies.AUTH_MALFORMED,
    ("alice", ""): replies.AUTH_MALFORMED,
    ("ali\0ce", PASSPHRASE): replies.AUTH_MALFORMED,
    ("alice", "sec\0ret"): replies.AUTH_MALFORMED,
    ("alice", b"\xff"): replies.AUTH_UNREADABLE,
}


@pytest.mark.parametrize("given", LOGIN)
def test_login(given: tuple[str | bytes, str | bytes]) -> None:
    assert result(b"login", *map(encoded, given)) == LOGIN[given]


@pytest.mark.parametrize("line", [b"!", b"QUJ", b"QUJD=", b"=QUJ", b"QUI=QUI=", b"QU JD", b"QUJD\t", b"QUI=A", b"="])
def test_what_is_not_base64_ends_the_exchange(line: bytes) -> None:
    assert result(b"PLAIN", line) is replies.AUTH_UNREADABLE
    assert result(b"LOGIN", encoded("alice"), line) is replies.AUTH_UNREADABLE


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"LOGIN"])
def test_a_star_cancels(mechanism: bytes) -> None:
    assert result(mechanism, b"*") is replies.AUTH_CANCELLED


@given(st.binary(), st.sampled_from([b"PLAIN", b"LOGIN"]), st.lists(st.binary(), max_size=2))
def test_no_response_is_a_surprise(initial: bytes, mechanism: bytes, more: list[bytes]) -> None:
    exchange = sasl.begin(mechanism + b" " + initial)
    for line in more:
        if isinstance(exchange, Reply) or not isinstance(exchange.step(), Challenge):
            break
        exchange = exchange.respond(encoded(line)) or exchange
    step = exchange if isinstance(exchange, Reply) else exchange.step()
    if isinstance(step, Login):
        assert step.name
        assert step.passphrase
        assert "\0" not in step.name + step.passphrase


# -- within a session

SECRET = encoded("\0alice\0open sesame").decode()
PLAINLY = [
    f"AUTH PLAIN {SECRET}",
    f"auth plain {SECRET}",
    f" AUTH PLAIN {SECRET}",
    f"AUTH\tPLAIN\t{SECRET}",
    f"a1 AUTH PLAIN {SECRET}",
    f"AUTH PLAIN {SECRET} {SECRET}",
    f"AUTH SCRAM-SHA-1 {SECRET}",
    f"AUTH PLAIN {SECRET}{'A' * 300}",
    f"AUTH PLAIN {SECRET}\0",
    f"AUTH PLAIN {SECRET}\rx",
    f"AUTH PLAIN\r\n{SECRET}",
    f"AUTH PLAIN\r\n{SECRET}{'A' * 300}",
    f"AUTH PLAIN\r\n{SECRET}!",
    f"AUTH PLAIN\r\n{SECRET}\n",
    f"AUTH LOGIN\r\n!\r\n{SECRET}",
    f"AUTH NTLM\r\n{SECRET}\r\n{SECRET}",
    f"AUTH LOGIN\n{SECRET}\r\n{SECRET}",
]


@pytest.mark.parametrize("lines", PLAINLY)
@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("auth", [True, False])
def test_no_passphrase_is_ever_shown(lines: str, encrypted: bool, auth: bool) -> None:
    peer = Gateway(encrypted=encrypted, auth=auth)
    said = peer.hear(b"EHLO x\r\n" + lines.encode() + b"\r\n")
    assert SECRET[:12] not in repr(peer.events)
    assert "sesame" not in repr(peer.events)
    assert SECRET[:12].encode() not in said
    refusals = [event for event in peer.events if isinstance(event, Refusal)]
    assert {refusal.command for refusal in refusals} <= {"AUTH ***"}


@pytest.mark.parametrize("response", [b"DATA", b"BDAT 5", b"BDAT!", b"QUIT x"])
def test_a_response_that_looks_like_a_command_is_a_response(response: bytes) -> None:
    peer = Gateway(encrypted=True)
    said = peer.hear(b"EHLO x\r\nAUTH LOGIN YWxpY2U=\r\n" + response + b"\r\n")
    assert said.endswith(replies.AUTH_UNREADABLE.encode())
    assert peer.events[-1] == Refusal(replies.AUTH_UNREADABLE, "AUTH ***")


def test_a_command_behind_a_refused_auth_is_shown_again() -> None:
    peer = Gateway(auth=False)
    peer.hear(b"AUTH LOGIN\r\nYWxpY2U=\r\nNOOP\r\nFOO\r\n")
    shown = [event.command for event in peer.events if isinstance(event, Refusal)]
    assert shown == ["AUTH ***", "AUTH ***", "FOO"]


@given(cuts())
def test_a_login_is_the_same_for_any_cutting(where: list[int]) -> None:
    peer = Gateway(encrypted=True)
    wire = b"EHLO x\r\nAUTH LOGIN\r\n%s\r\n%s\r\nMAIL FROM:<a@b.example>\r\n" % (encoded("jürgen"), encoded("secret"))
    for piece in pieces(wire, where):
        peer.hear(piece)
    assert Login("LOGIN", "jürgen", "secret") in peer.events
    assert peer.machine.logged_in
    assert isinstance(peer.events[-1], Mail)


@pytest.mark.parametrize("refusal", [replies.LOGIN_FAILED, replies.LOGIN_PUT_OFF])
def test_only_235_logs_in(refusal: Reply) -> None:
    machine = Gateway(encrypted=True, require_auth=True).machine
    machine.receive(b"EHLO x\r\nAUTH PLAIN " + encoded("\0alice\0x") + b"\r\nMAIL FROM:<a@b.example>\r\n")
    machine.next_event()
    machine.answer(replies.OK)
    assert machine.next_event() == Login("PLAIN", "alice", "x")
    assert machine.next_event() is None
    machine.answer(refusal)
    assert not machine.logged_in
    assert machine.next_event() == Refusal(replies.AUTH_REQUIRED, "MAIL FROM:<a@b.example>")


def test_a_challenge_that_the_driver_refuses_ends_the_exchange() -> None:
    machine = Gateway(encrypted=True).machine
    machine.receive(b"EHLO x\r\nAUTH PLAIN\r\nNOOP\r\n")
    machine.next_event()
    machine.answer(replies.OK)
    assert isinstance(machine.next_event(), Challenge)
    machine.answer(replies.LOGIN_PUT_OFF)
    assert machine.next_event() is not None
    assert not machine.logged_in


@pytest.mark.parametrize(
    "before",
    [
        b"AUTH PLAIN " + encoded("\0jürgen\0secret") + b"\r\n",
        b"AUTH LOGIN\r\n",
        b"BDAT 4\r\nQUIT",
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@inside.example>\r\n",
    ],
)
@pytest.mark.parametrize("behind", [b"AUTH PLAIN " + encoded("\0jürgen\0secret") + b"\r\n", b"BDAT 5 LAST\r\nx\r\n"])
def test_nothing_behind_starttls_is_obeyed(before: bytes, behind: bytes) -> None:
    peer = Gateway()
    peer.hear(b"EHLO x\r\n" + before)
    peer.hear(b"STARTTLS\r\n" + behind)
    assert isinstance(peer.events[-2], StartTls)
    assert peer.events[-1] == Hangup(None, INJECTION)
    assert peer.machine.pending_plaintext == len(behind)
    assert not peer.machine.logged_in
