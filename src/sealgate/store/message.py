"""What the spool keeps: messages, recipients, and what happens to them, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


class SpoolFault(Exception):
    """The spool could not do what was asked; nothing of it was done. "full" may pass, "error" wants a person."""

    def __init__(self, kind: Literal["full", "error"], sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient in the queue: `due` (seconds since the epoch) and what the last attempt said."""

    rid: int
    address: str
    attempts: int = 0
    due: float = 0.0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the queue with the recipients that have no final fate."""

    mid: int
    sender: str | None
    size: int
    body_8bit: bool
    received_at: float
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be kept. `origin` says where it came from, for people."""

    mid: int
    sender: str | None
    recipients: tuple[str, ...]
    size: int
    body_8bit: bool
    received_at: float
    origin: Mapping[str, object]

    def queued(self) -> Queued:
        """As it stands in the queue when it is new."""
        recipients = tuple(QueuedRecipient(rid, address) for rid, address in enumerate(self.recipients))
        return Queued(self.mid, self.sender, self.size, self.body_8bit, self.received_at, recipients)


State = Literal["queued", "deferred", "done", "bounced"]


@dataclass(frozen=True, slots=True)
class RecipientChange:
    """What became of a recipient."""

    rid: int
    state: State
    due: float
    attempts: int
    said: str

    @classmethod
    def done(cls, rid: int, said: str) -> RecipientChange:
        """Delivered."""
        return cls(rid, "done", 0.0, 0, said)

    @classmethod
    def bounced(cls, rid: int, said: str) -> RecipientChange:
        """Returned to the sender."""
        return cls(rid, "bounced", 0.0, 0, said)

    @classmethod
    def deferred(cls, rid: int, due: float, attempts: int, said: str) -> RecipientChange:
        """To be tried again."""
        return cls(rid, "deferred", due, attempts, said)
