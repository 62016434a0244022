"""Which messages and recipients of a queue an operator means: one value for every act and every list. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from sealgate.delivery.message import Message, Waiting
from sealgate.mail.address import Address

QueueState = Literal["queued", "deferred", "held"]
"""Of a recipient that waits: not tried yet, to be tried again, or on hold with its message."""

STATES: tuple[QueueState, ...] = get_args(QueueState)


class SelectionError(ValueError):
    """A selection that means nothing; the sentence says what would be right."""


@dataclass(frozen=True)
class Selection:
    """All conditions together; one that is empty holds for everything.

    `recipient` and `sender` are an address, a domain, `.domain` for all below it, or any of these with `*` for any
    run of characters; `<>` is the null path. `domain` is the destination, in the same words. `before` is the time
    (seconds since the epoch) before which a message must have been received.
    """

    mids: tuple[int, ...] = ()
    recipient: str = ""
    sender: str = ""
    domain: str = ""
    state: QueueState | None = None
    before: float | None = None

    def __post_init__(self) -> None:
        if self.state is not None and self.state not in STATES:
            raise SelectionError(f"{self.state!r} is no state; it is one of {', '.join(STATES)}")
        for pattern in (self.recipient, self.sender, self.domain):
            if pattern != "<>" and re.search(r"[\s<>]", pattern):
                raise SelectionError(f"{pattern!r} is no address and no domain: write it without brackets and spaces")
        if "@" in self.domain:
            raise SelectionError(f"{self.domain!r} is an address; a destination is a domain")

    @property
    def is_all(self) -> bool:
        """Whether it means the whole queue."""
        return self == EVERYTHING

    @property
    def words(self) -> str:
        """For the log, and for the person who asked."""
        said = [f"MID {', '.join(map(str, self.mids[:10]))}{' and more' if len(self.mids) > 10 else ''}"] * bool(
            self.mids
        )
        said += [
            f"{name} {value}" for name in ("recipient", "sender", "domain", "state") if (value := getattr(self, name))
        ]
        said += ["older than a time"] * (self.before is not None)
        return ", ".join(said) or "all messages"

    def to_body(self) -> dict[str, Any]:
        """As it travels on a channel."""
        return {name: value for name, value in vars(self).items() if name in _FIELDS}

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Selection:
        """The other end. Raises `SelectionError`."""
        return cls(**{**{name: body[name] for name in _FIELDS if name in body}, "mids": tuple(body.get("mids", ()))})

    def chosen(self, message: Message) -> list[int]:
        """The RIDs it means of this message; none if it does not mean the message."""
        if self._mids and message.mid not in self._mids:
            return []
        if self.before is not None and message.received_at >= self.before:
            return []
        if self._sender is not None and not self._sender.fullmatch((message.sender or "<>").lower()):
            return []
        return [rid for rid, one in message.waiting.items() if self._means(message, one)]

    def _means(self, message: Message, one: Waiting) -> bool:
        if self.state is not None and state_of(message, one) != self.state:
            return False
        if self._domain is not None and not self._domain.fullmatch(f"@{one.domain}"):
            return False
        return self._recipient is None or self._recipient.fullmatch(one.address.lower()) is not None

    @cached_property
    def _mids(self) -> frozenset[int]:
        return frozenset(self.mids)

    @cached_property
    def _recipient(self) -> re.Pattern[str] | None:
        return _pattern(self.recipient)

    @cached_property
    def _sender(self) -> re.Pattern[str] | None:
        return _pattern(self.sender)

    @cached_property
    def _domain(self) -> re.Pattern[str] | None:
        return _pattern(self.domain if self.domain.isascii() else Address("", self.domain).domain_key)


_FIELDS = tuple(Selection.__dataclass_fields__)
EVERYTHING = Selection()


def state_of(message: Message, one: Waiting) -> QueueState:
    """What a recipient waits for."""
    if message.held:
        return "held"
    return "deferred" if one.attempts or one.due else "queued"


def _pattern(text: str) -> re.Pattern[str] | None:
    """What an address in lower case must look like; a domain stands for every address in it."""
    if not text:
        return None
    wild = ".*".join(re.escape(part) for part in re.split(r"\*+", text.lower()))
    if text == "<>" or "@" in text:
        return re.compile(wild, re.DOTALL)
    return re.compile(rf".*@.*{wild}" if text.startswith(".") else rf".*@{wild}", re.DOTALL)
