"""Notices: RFC 3464 for programs, plain sentences for people, harmless whatever went into them."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.mail.envelope import ORDINARY, Demands
from sealgate.mail.notification import About, Issuer, Kind, Notice, Reported, write_notice

NOW = datetime(2024, 1, 22, 20, 11, 6, tzinfo=timezone(timedelta(hours=1)))
TLS_REASON = (
    "The message could not be delivered for 5.0 days; the last attempt ended with: TLS problem: "
    "The server accepts none of the versions offered: this gateway offers TLS 1.3."
)
HEAD = b"Received: from a\r\nMessage-ID: <1@x.example>\r\nSubject: hello\r\n"
ABOUT = About(511, NOW - timedelta(days=5), ORDINARY, HEAD)
UTF8 = Demands(body_8bit=True, utf8=True)
GIVEN: dict[str, Any] = {
    "kind": Kind.FAILED,
    "issuer": Issuer("gate.example", "postmaster@inside.example"),
    "recipient": "sender@x.example",
    "mid": 515,
    "now": NOW,
    "about": ABOUT,
    "reported": [
        Reported(
            "george@y.example", "5.1.1", "550", "Unknown address: 5.1.1 <george> unknown", said="5.1.1 <george> unknown"
        ),
        Reported('"a  b"@y.example', "5.7.5", "000", TLS_REASON),
    ],
}


def written(**changed: Any) -> Notice:
    return write_notice(**{**GIVEN, **changed})


def notice(**changed: Any) -> tuple[bytes, EmailMessage]:
    made = written(**changed)
    return made.text, email.message_from_bytes(made.text, policy=email.policy.SMTPUTF8)


def parts(message: EmailMessage) -> tuple[EmailMessage, EmailMessage, EmailMessage]:
    first, second, third = cast(list[EmailMessage], message.get_payload())
    return first, second, third


def blocks(message: EmailMessage) -> list[EmailMessage]:
    """The groups of fields in message/delivery-status."""
    return cast(list[EmailMessage], parts(message)[1].get_payload())


def text_of(message: EmailMessage) -> str:
    return " ".join(parts(message)[0].get_content().split())


def test_it_is_a_report_to_the_sender() -> None:
    _, message = notice()
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "delivery-status"
    assert [part.get_content_type() for part in parts(message)] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert message["From"].addresses[0].addr_spec == "postmaster@inside.example"
    assert message["To"].addresses[0].addr_spec == "sender@x.example"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Message-ID"] == "<515.20240122201106@gate.example>"
    assert message["In-Reply-To"] == message["References"] == "<1@x.example>"
    assert message["MIME-Version"] == "1.0"
    assert written().demands == ORDINARY


def test_programs_find_every_recipient() -> None:
    about, *recipients = blocks(notice()[1])
    assert about["Reporting-MTA"] == "dns; gate.example"
    assert about["Arrival-Date"] == "Wed, 17 Jan 2024 20:11:06 +0100"
    assert [each["Final-Recipient"] for each in recipients] == [
        "rfc822; george@y.example",
        'rfc822; "a  b"@y.example',
    ]
    assert [each["Action"] for each in recipients] == ["failed", "failed"]
    assert [each["Status"] for each in recipients] == ["5.1.1", "5.7.5"]
    assert recipients[0]["Diagnostic-Code"] == "smtp; 550 5.1.1 <george> unknown"
    assert " ".join(recipients[1]["Diagnostic-Code"].split()) == f"X-Sealgate; {TLS_REASON}"


def test_programs_find_what_the_sender_gave_them_to_know_it_by() -> None:
    demands = Demands(envid="QQ+2B314")
    reported = [Reported("a@b.example", "5.1.1", "550", "no", "rfc822;First+2BLast@b.example")]
    about, recipient = blocks(notice(about=replace(ABOUT, demands=demands), reported=reported)[1])
    assert about["Original-Envelope-Id"] == "QQ+314"
    assert recipient["Original-Recipient"] == "rfc822; First+Last@b.example"
    assert recipient.keys()[:2] == ["Original-Recipient", "Final-Recipient"]


def test_people_read_the_reason_in_words() -> None:
    text = text_of(notice()[1])
    assert "could not be delivered to the recipients below" in text
    assert "Wed, 17 Jan 2024" in text
    assert "<george@y.example> Unknown address: 5.1.1 <george> unknown" in text
    assert TLS_REASON in text
    assert "Ask postmaster@inside.example for help" in text


def test_a_delay_says_how_long_it_is_tried() -> None:
    about = replace(ABOUT, retry_until=NOW + timedelta(days=1))
    _, message = notice(kind=Kind.DELAYED, about=about, reported=[Reported("a@b.example", "4.4.1", "000", "dead")])
    assert message["Subject"] == "Delayed Mail, Still Being Tried"
    (recipient,) = blocks(message)[1:]
    assert (recipient["Action"], recipient["Status"]) == ("delayed", "4.4.1")
    assert recipient["Will-Retry-Until"] == "Tue, 23 Jan 2024 20:11:06 +0100"
    assert "it is tried until Tue, 23 Jan 2024 20:11:06 +0100" in text_of(message)
    assert "will not be tried again" not in text_of(message)


def test_mail_that_was_passed_on_is_not_called_delivered() -> None:
    _, message = notice(
        kind=Kind.RELAYED, reported=[Reported("a@b.example", "2.6.0", "250", "passed on", said="2.6.0 queued")]
    )
    (recipient,) = blocks(message)[1:]
    assert (recipient["Action"], recipient["Status"]) == ("relayed", "2.6.0")
    assert recipient["Diagnostic-Code"] == "smtp; 250 2.6.0 queued"
    assert "has been passed on for the recipient below" in text_of(message)


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (Kind.FAILED, "5.1.0", "5.1.0"),
        (Kind.FAILED, "4.7.5", "5.0.0"),
        (Kind.FAILED, "", "5.0.0"),
        (Kind.FAILED, "5.1.0\r\nX: y", "5.0.0"),
        (Kind.DELAYED, "4.7.5", "4.7.5"),
        (Kind.DELAYED, "5.7.5", "4.0.0"),
        (Kind.RELAYED, "", "2.0.0"),
        (Kind.RELAYED, "5.0.0", "2.0.0"),
    ],
)
def test_a_status_is_of_the_class_of_its_action(kind: Kind, status: str, expected: str) -> None:
    _, message = notice(kind=kind, reported=[Reported("a@b.example", status, "550", "no")])
    assert blocks(message)[1]["Status"] == expected
    assert "the recipient below" in text_of(message)


# -- what comes back


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (HEAD, "7bit"),
        (b"", "7bit"),
        (b"Subject: a\nTo: b\n", "7bit"),
        (b"Subject: \xfcber\r\nTo: b = c\r\n", "quoted-printable"),
        (b"Subject: a\0b\r\n", "quoted-printable"),
        (b"Subject: " + b"x" * 2000 + b"\r\n", "quoted-printable"),
    ],
)
def test_the_original_header_comes_back(head: bytes, encoding: str) -> None:
    _, message = notice(about=replace(ABOUT, text=head))
    returned = parts(message)[2]
    assert returned["Content-Transfer-Encoding"] == encoding
    body = cast(bytes, returned.get_payload(decode=True))
    assert body.replace(b"\r\n", b"\n").rstrip(b"\n") == head.replace(b"\r\n", b"\n").rstrip(b"\n")


@pytest.mark.parametrize(
    ("text", "kind", "encoding"),
    [
        (HEAD + b"\r\nHello.\r\n", "message/rfc822", "7bit"),
        (HEAD + b"\r\nGr\xfc\xdfe.\r\n", "message/rfc822", "8bit"),
        (b"Subject: \xc3\xa4\r\n\r\nHello.\r\n", "text/rfc822-headers", "quoted-printable"),
        (HEAD + b"\r\nbare\nfeed\r\n", "text/rfc822-headers", "7bit"),
        (HEAD + b"\r\nnul\0\r\n", "text/rfc822-headers", "7bit"),
        (HEAD + b"\r\n" + b"x" * 999 + b"\r\n", "text/rfc822-headers", "7bit"),
    ],
)
def test_a_whole_message_comes_back_if_it_can_be_enclosed_as_it_is(text: bytes, kind: str, encoding: str) -> None:
    made = written(about=replace(ABOUT, text=text, whole=True))
    _, message = notice(about=replace(ABOUT, text=text, whole=True))
    returned = parts(message)[2]
    assert (returned.get_content_type(), returned["Content-Transfer-Encoding"]) == (kind, encoding)
    assert (text in made.text) is kind.startswith("message")
    assert made.demands == Demands(body_8bit=encoding == "8bit")
    assert message["Content-Transfer-Encoding"] == ("8bit" if encoding == "8bit" else None)


def test_a_header_that_guesses_the_boundary_ends_nothing() -> None:
    head = b"Subject: a\r\n--=_515_0\r\n--=_515_0--\r\n--=_515_1\r\n"
    _, message = notice(about=replace(ABOUT, text=head))
    assert len(message.get_payload()) == 3
    assert b"--=_515_0--" in cast(bytes, parts(message)[2].get_payload(decode=True))


@pytest.mark.parametrize("given", ["<a b@c>", "a@b", "<a@b>\r\n <c@d>", "<caf\u00e9@x>", "<" + "a" * 600 + "@b>"])
def test_a_message_id_that_is_none_threads_nothing(given: str) -> None:
    _, message = notice(about=replace(ABOUT, text=f"Message-ID: {given}\r\n".encode()))
    assert message["In-Reply-To"] is None


# -- UTF-8


def test_internationalised_mail_is_reported_in_its_own_letters() -> None:
    about = replace(ABOUT, demands=UTF8, text="Subject: Grüße\r\n".encode())
    reported = [Reported("jürgen@b.example", "5.6.7", "000", "Nein", "utf-8;j\\x{FC}rgen@b.example")]
    made = written(recipient="änne@x.example", about=about, reported=reported)
    assert made.demands == UTF8
    text = made.text.decode()
    for expected in (
        "To: <änne@x.example>",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: message/global-delivery-status",
        "Final-Recipient: utf-8; jürgen@b.example",
        "Original-Recipient: utf-8; j\\x{FC}rgen@b.example",
        "Content-Type: message/global-headers",
        "Subject: Grüße",
    ):
        assert f"\r\n{expected}\r\n" in text


def test_what_needs_no_utf8_asks_for_none() -> None:
    made = written(about=replace(ABOUT, demands=UTF8))
    assert made.demands == ORDINARY
    assert b"message/delivery-status" in made.text


def test_a_sender_in_ascii_needs_no_utf8_for_a_report_about_others() -> None:
    reported = [Reported("jürgen@b.example", "5.6.7", "000", "Nein")]
    assert written(about=replace(ABOUT, demands=UTF8), reported=reported).demands == Demands(body_8bit=True)


WILD = st.text(max_size=1500)
ANY = st.builds(Reported, WILD, WILD, WILD, WILD, WILD)


@settings(deadline=None)
@given(
    kind=st.sampled_from(Kind),
    reported=st.lists(ANY, min_size=1, max_size=4),
    recipient=WILD,
    text=st.binary(max_size=3000),
    utf8=st.booleans(),
    whole=st.booleans(),
    envid=WILD,
)
def test_nothing_that_goes_in_breaks_it(
    kind: Kind, reported: list[Reported], recipient: str, text: bytes, utf8: bool, whole: bool, envid: str
) -> None:
    about = replace(ABOUT, text=text, whole=whole, demands=Demands(utf8=utf8, envid=envid), retry_until=NOW)
    made = written(kind=kind, reported=reported, recipient=recipient.strip() or "x@y", about=about)
    message = email.message_from_bytes(made.text, policy=email.policy.SMTPUTF8)
    assert made.text.isascii() or made.demands.body_8bit
    assert utf8 or whole or made.text.isascii()
    assert made.text.endswith(b"--\r\n")
    assert made.text.count(b"\n") == made.text.count(b"\r") == made.text.count(b"\r\n")
    assert b"\0" not in made.text
    assert set(message.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "X-Sealgate-Original-MID"),
    }
    assert len(message.get_payload()) == 3
    # The fields are read as RFC 3464 has them; the library splits neither global-delivery-status nor its lines.
    status = made.text.split(b"delivery-status\r\n")[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n\r\n--=_")[0].decode()
    first, *blocks = status.split("\r\n\r\n")
    assert set(fields(first)) <= {"Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"}
    assert len(blocks) == len(reported)
    for block in blocks:
        expected = ["Final-Recipient", "Action", "Status", "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until"]
        assert [name for name in fields(block) if name != "Original-Recipient"] == expected


def fields(block: str) -> list[str]:
    return [line.partition(":")[0] for line in block.strip("\r\n").split("\r\n") if not line.startswith(" ")]


@settings(deadline=None)
@given(
    reported=st.lists(st.builds(Reported, st.just("a@b"), WILD, WILD, WILD), min_size=1, max_size=4),
    utf8=st.booleans(),
)
def test_no_line_is_too_long_for_smtp(reported: list[Reported], utf8: bool) -> None:
    made = written(reported=reported, about=replace(ABOUT, demands=Demands(utf8=utf8)))
    assert max(map(len, made.text.split(b"\r\n"))) <= 998
