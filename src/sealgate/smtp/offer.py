"""What a session offers its client and what it takes from it: known to both the server machine and its commands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sealgate.mail.reply import ReplyStyle
from sealgate.smtp.data import BareLineEndings

HIDEABLE = ("PIPELINING", "8BITMIME", "SIZE", "CHUNKING", "DSN", "SMTPUTF8")
"""The extensions that every session has, unless its offer hides them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a session offers. `size` in bytes.

    `auth`: logins are taken, inside TLS only. `hidden` extensions are not announced, and their commands and
    parameters are unknown.
    """

    starttls: bool
    size: int
    reply_style: ReplyStyle = ReplyStyle.RFC2034
    auth: bool = False
    hidden: frozenset[str] = frozenset()

    def extensions(self, *, encrypted: bool) -> frozenset[str]:
        """The names of what there is."""
        return _extensions(self, encrypted)

    def lines(self, *, encrypted: bool) -> tuple[str, ...]:
        """As EHLO announces it, in one order whatever is there."""
        there = self.extensions(encrypted=encrypted)
        words = {"SIZE": f"SIZE {self.size}", "AUTH": "AUTH PLAIN LOGIN"}
        return tuple(words.get(name, name) for name in _ORDER if name in there)


@lru_cache  # every command asks, and there are few offers
def _extensions(offer: Offer, encrypted: bool) -> frozenset[str]:
    names = {name for name in HIDEABLE if name not in offer.hidden}
    if "8BITMIME" not in names:
        names.discard("SMTPUTF8")  # which may not come without it (RFC 6531 §3.1)
    if offer.auth and encrypted:
        names.add("AUTH")
    if offer.starttls and not encrypted:
        names.add("STARTTLS")
    if offer.reply_style is ReplyStyle.RFC2034:
        names.add("ENHANCEDSTATUSCODES")
    return frozenset(names)


_ORDER = ("PIPELINING", "8BITMIME", "SIZE", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN", "SMTPUTF8", "AUTH", "STARTTLS")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask of a session. `line` in bytes with its CRLF, `size` in bytes.

    `bad_commands` not understood are answered, one more ends the session; a message taken clears the count.
    A command that only comes out of order, or names a bad address, is not counted: a client that pipelines
    sends such commands innocently, behind one that was refused.
    """

    line: int = 2048
    bad_commands: int = 5
    recipients: int = 1000
    size: int = 100 * 1024 * 1024
    bare_line_endings: BareLineEndings = BareLineEndings.REFUSE
