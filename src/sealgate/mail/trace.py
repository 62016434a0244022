"""The trace a message carries: the Received field we add (RFC 5321 §4.4), and what its header tells us."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import format_datetime
from typing import NamedTuple, Protocol

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_PATH = re.compile(r"[!-~ ]{1,320}")
_NAME_LIMIT = 255

VALUE_LIMIT = 998
"""Characters of a header field that are kept: as many as a line may have (RFC 5322 §2.1.1)."""


class Version(Protocol):
    """A TLS version by its usual name."""

    @property
    def label(self) -> str: ...


class Agreement(Protocol):
    """What the Received field says of TLS; `sealgate.tls.verdict.Outcome` is one."""

    @property
    def version(self) -> Version: ...
    @property
    def cipher(self) -> str: ...
    @property
    def group(self) -> str | None: ...


def received_field(
    *,
    hello: str,
    peer_ip: str,
    peer_name: str | None = None,
    hostname: str,
    esmtp: bool,
    utf8: bool = False,
    logged_in: bool = False,
    outcome: Agreement | None,
    mid: int,
    recipient: str | None,
    date: datetime,
) -> bytes:
    """Our Received field, folded, with its line end.

    `hello` is what the peer called itself, made harmless here, `peer_name` what DNS calls it; `recipient` is given
    only where it is the single one, so that no recipient learns of another; `date` must know its zone.
    """
    protocol = _protocol(esmtp, utf8=utf8, encrypted=outcome is not None, logged_in=logged_in)
    with_ = f"with {protocol}{_tls(outcome)}"
    name = f"{_name(peer_name)} " if peer_name else ""
    for_ = f" for <{recipient}>" if recipient is not None and _PATH.fullmatch(recipient) else ""
    lines = (
        f"Received: from {_name(hello)} ({name}[{_literal(peer_ip)}])",
        f"by {hostname} {with_}",
        f"id {mid}{for_}; {format_datetime(date)}",
    )
    return "\r\n\t".join(lines).encode("ascii", "replace") + b"\r\n"


def _name(hello: str) -> str:
    return _NOT_IN_NAME.sub("?", hello[:_NAME_LIMIT]) or "unknown"


def _literal(ip: str) -> str:
    """An address literal (RFC 5321 §4.1.3), without the zone that means something here only."""
    address = ip.partition("%")[0]
    return f"IPv6:{address}" if ":" in address else address


def _protocol(esmtp: bool, *, utf8: bool, encrypted: bool, logged_in: bool) -> str:
    """The registered words (RFC 3848, RFC 6531 §4.3): there is none for TLS without EHLO."""
    if not esmtp:
        return "SMTP"
    word = "UTF8SMTP" if utf8 else "ESMTP"
    return f"{word}{'S' * encrypted}{'A' * logged_in}"


def _tls(outcome: Agreement | None) -> str:
    if outcome is None:
        return ""
    group = f" group {outcome.group}" if outcome.group else ""
    return f" ({outcome.version.label} cipher {outcome.cipher}{group})"


class HeaderFacts(NamedTuple):
    """What the header of a message says; None where a field is missing."""

    message_id: str | None
    subject: str | None
    received_count: int
    dated: bool = False


def header_facts(prefix: bytes) -> HeaderFacts:
    """Look at a message by its beginning; whatever follows its header is not looked at.

    The Subject is unfolded and decoded (RFC 2047). Never fails: a field that cannot be decoded is given raw.
    """
    header = b"\n" + prefix
    ends = [end for end in (header.find(b"\n\r\n"), header.find(b"\n\n")) if end >= 0]
    header = header[: min(ends, default=len(header)) + 1]
    names = header.lower()
    message_id = _value(header, names, b"\nmessage-id:")
    subject = _value(header, names, b"\nsubject:")
    return HeaderFacts(
        message_id or None,
        None if subject is None else _decoded(subject),
        names.count(b"\nreceived:"),
        b"\ndate:" in names,
    )


def missing_fields(facts: HeaderFacts, mid: int, hostname: str, now: datetime) -> bytes:
    """The Date and Message-ID that a message lacks where it begins its way (RFC 6409 §8.2, §8.3), or nothing."""
    fields = []
    if not facts.dated:
        fields.append(f"Date: {format_datetime(now)}\r\n")
    if facts.message_id is None:
        fields.append(f"Message-ID: <{mid}.{now:%Y%m%d%H%M%S}@{hostname}>\r\n")
    return "".join(fields).encode("ascii")


def _value(header: bytes, names: bytes, name: bytes) -> str | None:
    """The unfolded value of the first field of this name (RFC 5322 §2.2.3)."""
    start = names.find(name)
    if start < 0:
        return None
    start += len(name)
    end = header.find(b"\n", start)
    while end >= 0 and header[end + 1 : end + 2] in (b" ", b"\t"):
        end = header.find(b"\n", end + 1)
    raw = header[start : len(header) if end < 0 else end][: 4 * VALUE_LIMIT]
    text = raw.replace(b"\r\n", b"").replace(b"\n", b"").decode("utf-8", "backslashreplace")
    return text.strip()[:VALUE_LIMIT]


def _decoded(text: str) -> str:
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))[:VALUE_LIMIT]
    except (MessageError, LookupError, ValueError):
        return text
