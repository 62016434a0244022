"""Notices: RFC 3464 for programs, plain sentences for people, harmless whatever went into them."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.mail.notification import FailedRecipient, failure_notice

NOW = datetime(2024, 1, 22, 20, 11, 6, tzinfo=timezone(timedelta(hours=1)))
TLS_REASON = (
    "The message could not be delivered for 5.0 days; the last attempt ended with: TLS problem: "
    "The server accepts none of the versions offered: this gateway offers TLS 1.3."
)
HEAD = b"Received: from a\r\nMessage-ID: <1@x.example>\r\nSubject: hello\r\n"
GIVEN: dict[str, Any] = {
    "reporting_mta": "gate.example",
    "postmaster": "postmaster@inside.example",
    "recipient": "sender@x.example",
    "mid": 515,
    "original_mid": 511,
    "received_at": NOW - timedelta(days=5),
    "now": NOW,
    "failures": [
        FailedRecipient("george@y.example", "5.1.1", "550", "Unknown address: 5.1.1 <george> unknown"),
        FailedRecipient('"a  b"@y.example', "5.7.5", "000", TLS_REASON),
    ],
    "original_head": HEAD,
}


def notice(**changed: Any) -> tuple[bytes, EmailMessage]:
    made = failure_notice(**{**GIVEN, **changed})
    return made, email.message_from_bytes(made, policy=email.policy.SMTP)


def parts(message: EmailMessage) -> tuple[EmailMessage, EmailMessage, EmailMessage]:
    first, second, third = cast(list[EmailMessage], message.get_payload())
    return first, second, third


def blocks(message: EmailMessage) -> list[EmailMessage]:
    """The groups of fields in message/delivery-status."""
    return cast(list[EmailMessage], parts(message)[1].get_payload())


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
    assert recipients[0]["Diagnostic-Code"] == "smtp; 550 Unknown address: 5.1.1 <george> unknown"
    assert " ".join(recipients[1]["Diagnostic-Code"].split()) == f"X-Sealgate; {TLS_REASON}"


def test_people_read_the_reason_in_words() -> None:
    text = " ".join(parts(notice()[1])[0].get_content().split())
    assert "could not be delivered to the recipients below" in text
    assert "Wed, 17 Jan 2024" in text
    assert "<george@y.example> Unknown address: 5.1.1 <george> unknown" in text
    assert TLS_REASON in text
    assert "Ask postmaster@inside.example for help" in text


@pytest.mark.parametrize(
    ("status", "expected"), [("5.1.0", "5.1.0"), ("4.7.5", "5.0.0"), ("", "5.0.0"), ("5.1.0\r\nX: y", "5.0.0")]
)
def test_a_failure_has_a_status_of_failure(status: str, expected: str) -> None:
    _, message = notice(failures=[FailedRecipient("a@b.example", status, "550", "no")])
    assert blocks(message)[1]["Status"] == expected
    assert "to the recipient below" in " ".join(parts(message)[0].get_content().split())


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
    _, message = notice(original_head=head)
    returned = parts(message)[2]
    assert returned["Content-Transfer-Encoding"] == encoding
    body = cast(bytes, returned.get_payload(decode=True))
    assert body.replace(b"\r\n", b"\n").rstrip(b"\n") == head.replace(b"\r\n", b"\n").rstrip(b"\n")


def test_a_header_that_guesses_the_boundary_ends_nothing() -> None:
    head = b"Subject: a\r\n--=_515_0\r\n--=_515_0--\r\n--=_515_1\r\n"
    _, message = notice(original_head=head)
    assert len(message.get_payload()) == 3
    assert b"--=_515_0--" in cast(bytes, parts(message)[2].get_payload(decode=True))


@pytest.mark.parametrize("given", ["<a b@c>", "a@b", "<a@b>\r\n <c@d>", "<caf\u00e9@x>", "<" + "a" * 600 + "@b>"])
def test_a_message_id_that_is_none_threads_nothing(given: str) -> None:
    _, message = notice(original_head=f"Message-ID: {given}\r\n".encode())
    assert message["In-Reply-To"] is None


WILD = st.text(max_size=1500)


@settings(deadline=None)
@given(
    failures=st.lists(st.builds(FailedRecipient, WILD, WILD, WILD, WILD), min_size=1, max_size=4),
    recipient=WILD,
    head=st.binary(max_size=3000),
)
def test_nothing_that_goes_in_breaks_it(failures: list[FailedRecipient], recipient: str, head: bytes) -> None:
    made, message = notice(failures=failures, recipient=recipient.strip() or "x@y", original_head=head)
    assert made.isascii()
    assert made.endswith(b"--\r\n")
    assert made.count(b"\n") == made.count(b"\r") == made.count(b"\r\n")
    assert b"\0" not in made
    assert set(message.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "X-Sealgate-Original-MID"),
    }
    assert len(message.get_payload()) == 3
    about, *recipients = blocks(message)
    assert about.keys() == ["Reporting-MTA", "Arrival-Date"]
    assert len(recipients) == len(failures)
    for each in recipients:
        expected = ["Final-Recipient", "Action", "Status", "Diagnostic-Code", "Last-Attempt-Date"]
        assert each.keys() == expected


@settings(deadline=None)
@given(failures=st.lists(st.builds(FailedRecipient, st.just("a@b"), WILD, WILD, WILD), min_size=1, max_size=4))
def test_no_line_is_too_long_for_smtp(failures: list[FailedRecipient]) -> None:
    made, _ = notice(failures=failures)
    assert max(map(len, made.split(b"\r\n"))) <= 998
