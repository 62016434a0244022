"""Delivery status notifications (RFC 3464): a report that people and programs can both read.

What goes into one comes from strangers, and so its reader must not be deceived: everything is ASCII, or declared
UTF-8 where the message itself was (RFC 6533), no value begins a line of its own, and the boundary occurs in no part.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import Enum
from itertools import count
from typing import NamedTuple

from sealgate.mail.envelope import Demands
from sealgate.mail.returned import LINE_LIMIT, Part, returned_header, returned_message
from sealgate.mail.text import escape, is_visible
from sealgate.mail.trace import header_facts
from sealgate.mail.xtext import decoded, original_recipient

_REPLY_CODE = re.compile(r"[2-5]\d\d")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_WIDTH = 76


class _Words(NamedTuple):
    """What tells one kind of notice from another: the action of RFC 3464, the class of its status, and its words."""

    action: str
    status: str
    subject: str
    sentence: str


class Kind(Enum):
    """What a notice tells. There is none of delivery: the gateway is never where a message ends."""

    FAILED = _Words(
        "failed",
        "5",
        "Undelivered Mail Returned to Sender",
        "Your message of {date} could not be delivered to the {recipients} below, and will not be tried again."
        " Ask {postmaster} for help, and send this notice along.",
    )
    DELAYED = _Words(
        "delayed",
        "4",
        "Delayed Mail, Still Being Tried",
        "Your message of {date} has not been delivered to the {recipients} below yet. You need not send it again:"
        " it is tried until {until}, and you will be told if that is in vain.",
    )
    RELAYED = _Words(
        "relayed",
        "2",
        "Mail Passed On",
        "Your message of {date} has been passed on for the {recipients} below, as you wished to know. The server that"
        " took it does not confirm deliveries: you will only hear of it again if it fails.",
    )


@dataclass(frozen=True, slots=True)
class Reported:
    """A recipient of whom a notice tells.

    `status` is the enhanced code (RFC 3463), `code` the reply of the next hop or "000" if it gave none, `said` the
    text of that reply, `sentence` the reason for people, `orcpt` the original recipient as its sender gave it (RFC
    3461 §4.2).
    """

    address: str
    status: str
    code: str
    sentence: str
    orcpt: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """The message a notice is about.

    `text` is its header, or with `whole` all of it; empty where it cannot be read any more. `demands` are those it came
    with; `retry_until` is given for a delay.
    """

    mid: int
    received_at: datetime
    demands: Demands
    text: bytes
    whole: bool = False
    retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who writes a notice: the name of the gateway, and the mailbox of the people who answer for it."""

    reporting_mta: str
    postmaster: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is sent, lines ending in CRLF, with what it needs of servers."""

    text: bytes
    demands: Demands


def write_notice(
    kind: Kind, issuer: Issuer, recipient: str, mid: int, now: datetime, about: About, reported: Sequence[Reported]
) -> Notice:
    """The message that tells `recipient`, usually the sender of the original; `mid` is the notice's own number."""
    utf8 = about.demands.utf8
    head = about.text.partition(b"\r\n\r\n")[0].removesuffix(b"\r\n") + b"\r\n" if about.text else b""
    returned = returned_message(about.text, utf8) if about.whole else None
    parts = [
        _part_of("text/plain", _for_people(kind, issuer, about, reported, utf8), charset=True),
        _part_of(_status_type(reported, utf8), _for_programs(kind, issuer, now, about, reported, utf8)),
        returned or returned_header(head, utf8),
    ]
    boundary = _boundary(mid, [part.body for part in parts])
    header = [
        f"From: Mail Delivery System <{_shown(issuer.postmaster)}>",
        f"To: <{_shown(recipient, utf8)}>",
        f"Subject: {kind.value.subject}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: <{mid}.{now:%Y%m%d%H%M%S}@{issuer.reporting_mta}>",
        *_thread(head),
        "Auto-Submitted: auto-replied",  # RFC 3834 §5: nobody's autoresponder answers it
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="{boundary}"',
        f"X-Sealgate-Original-MID: {about.mid}",
    ]
    if any(part.encoding == "8bit" for part in parts):
        header.append("Content-Transfer-Encoding: 8bit")  # RFC 2045 §6.4: a multipart is what its parts are
    top = "\r\n".join([*header, "", "This is a delivery status notification (RFC 3464) in MIME format.", ""]).encode()
    body = b"".join(_enclosed(boundary, part) for part in parts) + f"--{boundary}--\r\n".encode("ascii")
    eight_bit = not (top.isascii() and body.isascii())
    return Notice(top + body, Demands(body_8bit=eight_bit, utf8=not top.isascii()))


def _part_of(kind: str, body: bytes, *, charset: bool = False) -> Part:
    plain = body.isascii()
    if charset:
        kind += "; charset=us-ascii" if plain else "; charset=utf-8"
    return Part(kind, "7bit" if plain else "8bit", body)


def _status_type(reported: Sequence[Reported], utf8: bool) -> str:
    plain = not utf8 or all(each.address.isascii() and each.orcpt.isascii() for each in reported)
    return "message/delivery-status" if plain else "message/global-delivery-status"


def _enclosed(boundary: str, part: Part) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {part.kind}\r\nContent-Transfer-Encoding: {part.encoding}\r\n\r\n"
    return head.encode("ascii") + part.body + b"\r\n"


def _boundary(mid: int, bodies: Sequence[bytes]) -> str:
    """One that occurs nowhere, although strangers know how it is made."""
    candidates = (f"=_{mid}_{number}" for number in count())
    return next(each for each in candidates if not any(each.encode("ascii") in body for body in bodies))


def _thread(text: bytes) -> list[str]:
    """Lets the sender's mail program show the notice beside the message (RFC 3834 §3.1.5)."""
    original = header_facts(text).message_id or ""
    if not _MESSAGE_ID.fullmatch(original):
        return []
    return [f"In-Reply-To: {original}", f"References: {original}"]


def _for_people(kind: Kind, issuer: Issuer, about: About, reported: Sequence[Reported], utf8: bool) -> bytes:
    sentence = kind.value.sentence.format(
        date=format_datetime(about.received_at),
        recipients="recipients" if len(reported) > 1 else "recipient",
        postmaster=issuer.postmaster,
        until="" if about.retry_until is None else format_datetime(about.retry_until),
    )
    lines = [*_wrapped(f"This is the mail gateway {issuer.reporting_mta}.", ""), "", *_wrapped(sentence, "")]
    for each in reported:
        lines += ["", f"<{_shown(each.address, utf8)}>", *_wrapped(each.sentence, "    ", utf8=utf8)]
    return _lines(lines)


def _for_programs(
    kind: Kind, issuer: Issuer, now: datetime, about: About, reported: Sequence[Reported], utf8: bool
) -> bytes:
    """RFC 3464 §2: a block about the message, and one about each recipient."""
    envid = decoded(about.demands.envid)
    lines = [f"Original-Envelope-Id: {envid}"] if envid else []
    lines += [f"Reporting-MTA: dns; {issuer.reporting_mta}", f"Arrival-Date: {format_datetime(about.received_at)}"]
    for each in reported:
        lines.append("")
        if original := original_recipient(each.orcpt, utf8=utf8):
            lines.append(f"Original-Recipient: {original}")
        lines += [
            f"Final-Recipient: {_final_type(each.address, utf8)}; {_shown(each.address, utf8)}",
            f"Action: {kind.value.action}",
            f"Status: {_status(kind, each.status)}",
            *_wrapped(_diagnosis(each), "", "    ", utf8=utf8),
            f"Last-Attempt-Date: {format_datetime(now)}",
        ]
        if about.retry_until is not None:
            lines.append(f"Will-Retry-Until: {format_datetime(about.retry_until)}")
    return _lines(lines)


def _final_type(address: str, utf8: bool) -> str:
    return "utf-8" if utf8 and not address.isascii() else "rfc822"


def _status(kind: Kind, status: str) -> str:
    """A status of the class that belongs to the action, whatever a next hop said."""
    right = re.fullmatch(rf"{kind.value.status}\.\d{{1,3}}\.\d{{1,3}}", status, re.ASCII)
    return status if right else f"{kind.value.status}.0.0"


def _diagnosis(reported: Reported) -> str:
    """The next hop's reply, word for word (RFC 3461 §9.2), or our own words where it gave none."""
    if _REPLY_CODE.fullmatch(reported.code):
        return f"Diagnostic-Code: smtp; {reported.code} {reported.said}"
    return f"Diagnostic-Code: X-Sealgate; {reported.sentence}"


def _wrapped(text: str, indent: str, hanging: str | None = None, *, utf8: bool = False) -> list[str]:
    return textwrap.wrap(
        _shown(" ".join(text.split()), utf8),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=len(text.encode("utf-8", "surrogatepass")) > LINE_LIMIT // 2,
        break_on_hyphens=False,
    )


def _shown(text: str, utf8: bool = False) -> str:
    """Printable ASCII, with `utf8` anything that can be seen; all else as escapes."""
    return "".join(c if is_visible(c) and (utf8 or c.isascii()) else escape(c) for c in text)


def _lines(lines: Sequence[str]) -> bytes:
    return "\r\n".join([*lines, ""]).encode()
