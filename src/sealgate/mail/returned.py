"""What a notice gives back of the message it is about: the header, or all of it (RFC 6522 §4, RFC 6533 §4)."""

from __future__ import annotations

import binascii
from typing import NamedTuple

LINE_LIMIT = 998
"""Bytes of one line (RFC 5322 §2.1.1)."""


class Part(NamedTuple):
    """One part of a notice: its media type, its transfer encoding, its body."""

    kind: str
    encoding: str
    body: bytes


def returned_header(head: bytes, utf8: bool) -> Part:
    """The header. One that is not clean text is encoded; with `utf8` one in UTF-8 is declared to be that."""
    text = b"\r\n".join(_split(head))
    if _is_clean(text):
        if text.isascii():
            return Part("text/rfc822-headers", "7bit", text)
        if utf8 and _is_utf8(text):
            return Part("message/global-headers", "8bit", text)
    return Part("text/rfc822-headers", "quoted-printable", binascii.b2a_qp(text, istext=True))


def returned_message(text: bytes, utf8: bool) -> Part | None:
    """The whole message, which must not be encoded (RFC 2046 §5.2.1): None if it cannot be enclosed as it is."""
    if not text or text.count(b"\r\n") != text.count(b"\n") or text.count(b"\r\n") != text.count(b"\r"):
        return None
    if not _is_clean(text):
        return None
    if text.isascii():
        return Part("message/rfc822", "7bit", text)
    head = text.partition(b"\r\n\r\n")[0]
    if head.isascii():
        return Part("message/rfc822", "8bit", text)
    return Part("message/global", "8bit", text) if utf8 and _is_utf8(head) else None


def _split(text: bytes) -> list[bytes]:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def _is_clean(text: bytes) -> bool:
    """Whether it may stand in a message as it is: lines of a legal length, no NUL."""
    return b"\0" not in text and all(len(line) <= LINE_LIMIT for line in text.split(b"\r\n"))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
