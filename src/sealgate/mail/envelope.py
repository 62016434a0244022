"""The envelope of a message: what SMTP says of it besides its data, delivery status requests included (RFC 3461)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import Literal

ReturnKind = Literal["", "FULL", "HDRS"]
"""What a notice of failure should return of the message (RFC 3461 §4.3); empty: its sender left it open."""


class Notify(Flag):
    """Of what a sender wants to be told about a recipient (RFC 3461 §4.1)."""

    NEVER = 0
    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()

    @classmethod
    def read(cls, text: str) -> Notify | None:
        """`NEVER`, or a list such as `SUCCESS,DELAY`; None for an empty text: nothing was asked. Else `ValueError`."""
        if not text:
            return None
        words = text.upper().split(",")
        if words == ["NEVER"]:
            return cls.NEVER
        chosen = cls.NEVER
        for word in words:
            if word not in ("SUCCESS", "FAILURE", "DELAY") or cls[word] in chosen:
                raise ValueError(f"{text!r} is no NOTIFY; it is NEVER, or a list of SUCCESS, FAILURE and DELAY")
            chosen |= cls[word]
        return chosen

    @property
    def word(self) -> str:
        """As SMTP writes it."""
        return ",".join(each.name or "" for each in Notify if each in self and each) or "NEVER"


USUAL = Notify.FAILURE | Notify.DELAY
"""What a sender is told of who asked for nothing (RFC 3461 §4.1 leaves DELAY to us)."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient with what was asked about it; `orcpt` is the original recipient, `type;xtext` as it came."""

    address: str
    notify: Notify | None = None
    orcpt: str = ""

    def wants(self, what: Notify) -> bool:
        """Whether the sender wants to be told of `what`."""
        return what in (USUAL if self.notify is None else self.notify)


@dataclass(frozen=True, slots=True)
class Demands:
    """What a message asks of every server that takes it.

    `body_8bit`: its body is 8BITMIME (RFC 6152). `utf8`: addresses or header fields in UTF-8 (RFC 6531). `bare`: it
    holds bare CR or LF and came by BDAT: over DATA the next server could see an early end in it, so it leaves by BDAT
    or not at all. `ret` and `envid` (xtext, as it came) are for notices (RFC 3461 §4.3, §4.4).
    """

    body_8bit: bool = False
    utf8: bool = False
    bare: bool = False
    ret: ReturnKind = ""
    envid: str = ""


ORDINARY = Demands()
"""Seven bits, ASCII addresses, nothing asked."""
