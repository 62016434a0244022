"""Delivery status notifications (RFC 3464): a report that people and programs can both read.

What goes into one comes from strangers, and so its reader must not be deceived: everything is ASCII, no
value begins a line of its own, and the boundary occurs in no part.
"""

from __future__ import annotations

import binascii
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import count

from sealgate.mail.trace import header_facts

_FAILED_STATUS = re.compile(r"5\.\d{1,3}\.\d{1,3}")
_REPLY_CODE = re.compile(r"[2-5]\d\d")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_LINE_LIMIT = 998
_WIDTH = 76


@dataclass(frozen=True, slots=True)
class FailedRecipient:
    """A recipient that will not get the message.

    `status` is the enhanced code (RFC 3463), `code` the reply of the next hop or "000" if it gave none,
    `sentence` the reason for people.
    """

    address: str
    status: str
    code: str
    sentence: str


def failure_notice(
    *,
    reporting_mta: str,
    postmaster: str,
    recipient: str,
    mid: int,
    original_mid: int,
    received_at: datetime,
    now: datetime,
    failures: Sequence[FailedRecipient],
    original_head: bytes,
) -> bytes:
    """The message that tells `recipient`, the sender of the original, who will not get it.

    Seven-bit, lines end in CRLF. `mid` is the notice's own number; `original_head` is the header of the
    message that could not be delivered, or empty where it cannot be read any more.
    """
    parts = [
        ("text/plain; charset=us-ascii", "7bit", _for_people(reporting_mta, postmaster, received_at, failures)),
        ("message/delivery-status", "7bit", _for_programs(reporting_mta, received_at, now, failures)),
        ("text/rfc822-headers", *_returned_header(original_head)),
    ]
    boundary = _boundary(mid, [body for _, _, body in parts])
    header = [
        f"From: Mail Delivery System <{_ascii(postmaster)}>",
        f"To: <{_ascii(recipient)}>",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(now)}",
        f"Message-ID: <{mid}.{now:%Y%m%d%H%M%S}@{reporting_mta}>",
        *_thread(original_head),
        "Auto-Submitted: auto-replied",  # RFC 3834 §5: nobody's autoresponder answers it
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="{boundary}"',
        f"X-Sealgate-Original-MID: {original_mid}",
    ]
    text = "\r\n".join([*header, "", "This is a delivery status notification (RFC 3464) in MIME format.", ""])
    body = b"".join(_part(boundary, *part) for part in parts)
    return text.encode("ascii") + body + f"--{boundary}--\r\n".encode("ascii")


def _part(boundary: str, kind: str, encoding: str, body: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body + b"\r\n"


def _boundary(mid: int, bodies: Sequence[bytes]) -> str:
    """One that occurs nowhere, although strangers know how it is made."""
    candidates = (f"=_{mid}_{number}" for number in count())
    return next(each for each in candidates if not any(each.encode("ascii") in body for body in bodies))


def _thread(original_head: bytes) -> list[str]:
    """Lets the sender's mail program show the notice beside the message (RFC 3834 §3.1.5)."""
    original = header_facts(original_head).message_id or ""
    if not _MESSAGE_ID.fullmatch(original):
        return []
    return [f"In-Reply-To: {original}", f"References: {original}"]


def _for_people(
    reporting_mta: str, postmaster: str, received_at: datetime, failures: Sequence[FailedRecipient]
) -> bytes:
    many = len(failures) > 1
    lines = [
        *_wrapped(f"This is the mail gateway {reporting_mta}.", ""),
        "",
        *_wrapped(
            f"Your message of {format_datetime(received_at)} could not be delivered to the"
            f" recipient{'s' if many else ''} below, and will not be tried again."
            f" Ask {postmaster} for help, and send this notice along.",
            "",
        ),
    ]
    for failure in failures:
        lines += ["", f"<{_ascii(failure.address)}>", *_wrapped(failure.sentence, "    ")]
    return _lines(lines)


def _for_programs(
    reporting_mta: str, received_at: datetime, now: datetime, failures: Sequence[FailedRecipient]
) -> bytes:
    """RFC 3464 §2: a block about the message, and one about each recipient."""
    lines = [f"Reporting-MTA: dns; {reporting_mta}", f"Arrival-Date: {format_datetime(received_at)}"]
    for failure in failures:
        lines += [
            "",
            f"Final-Recipient: rfc822; {_ascii(failure.address)}",
            "Action: failed",
            f"Status: {failure.status if _FAILED_STATUS.fullmatch(failure.status) else '5.0.0'}",
            *_wrapped(_diagnosis(failure), "", "    "),
            f"Last-Attempt-Date: {format_datetime(now)}",
        ]
    return _lines(lines)


def _diagnosis(failure: FailedRecipient) -> str:
    """The next hop's reply, or our own words where it gave none."""
    if _REPLY_CODE.fullmatch(failure.code):
        return f"Diagnostic-Code: smtp; {failure.code} {failure.sentence}"
    return f"Diagnostic-Code: X-Sealgate; {failure.sentence}"


def _returned_header(head: bytes) -> tuple[str, bytes]:
    """The original header and its transfer encoding; one that is not clean text is encoded (RFC 6522 §4)."""
    lines = head.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    text = b"\r\n".join(lines)
    if text.isascii() and b"\0" not in text and all(len(line) <= _LINE_LIMIT for line in lines):
        return "7bit", text
    return "quoted-printable", binascii.b2a_qp(text, istext=True)


def _wrapped(text: str, indent: str, hanging: str | None = None) -> list[str]:
    return textwrap.wrap(
        _ascii(" ".join(text.split())),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=len(text) > _LINE_LIMIT // 2,
        break_on_hyphens=False,
    )


def _ascii(text: str) -> str:
    """Printable ASCII; all else as escapes."""
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


def _lines(lines: Sequence[str]) -> bytes:
    return "\r\n".join([*lines, ""]).encode("ascii")
