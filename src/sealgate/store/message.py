"""What the spool keeps, as values: messages, their recipients, what becomes of them, and what can go wrong."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sealgate.mail.envelope import ORDINARY, Demands, Notify, Recipient

State = Literal["queued", "deferred", "done", "bounced"]
"""Of a recipient: not tried yet; to be tried again; delivered; given up. The last two are final."""


@dataclass(frozen=True, slots=True)
class SpoolFault:
    """Why the spool could not do what was asked; nothing of it was done. "full" passes, "error" wants a person."""

    kind: Literal["full", "error"]
    sentence: str

    @classmethod
    def of(cls, error: Exception, what: str) -> SpoolFault:
        """An error of the disk or of the database; `what` says what it prevented."""
        if isinstance(error, sqlite3.Error):
            full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        else:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if full:
            return cls("full", f"{what}: there is no room left; make some on that file system")
        return cls("error", f"{what}: {getattr(error, 'strerror', None) or error}")


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient in the queue: `due` (seconds since the epoch), and what the last attempt said.

    `notify` and `orcpt` as in `Recipient`.
    """

    rid: int
    address: str
    attempts: int = 0
    due: float = 0.0
    said: str = ""
    notify: Notify | None = None
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the queue with those of its recipients that have no final state.

    `held`: an operator has put it on hold. `delay_told`: its sender has been told that it is late.
    """

    mid: int
    sender: str | None
    size: int
    received_at: float
    recipients: tuple[QueuedRecipient, ...]
    demands: Demands = ORDINARY
    held: bool = False
    delay_told: bool = False


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be kept.

    `sender` None is the null path; the position of a recipient is its RID; `size` is in bytes; `received_at` in
    seconds since the epoch; `origin` says where it came from, for people, in values that JSON knows.
    """

    mid: int
    sender: str | None
    recipients: tuple[Recipient, ...]
    size: int
    received_at: float
    origin: Mapping[str, object]
    demands: Demands = ORDINARY

    def queued(self) -> Queued:
        """As it stands in the queue when it is new."""
        recipients = tuple(
            QueuedRecipient(rid, each.address, notify=each.notify, orcpt=each.orcpt)
            for rid, each in enumerate(self.recipients)
        )
        return Queued(self.mid, self.sender, self.size, self.received_at, recipients, self.demands)


@dataclass(frozen=True, slots=True)
class RecipientChange:
    """What became of a recipient. `attempts` None is one more than before."""

    rid: int
    state: State
    due: float
    attempts: int | None
    said: str

    @classmethod
    def done(cls, rid: int, said: str) -> RecipientChange:
        """Delivered."""
        return cls(rid, "done", 0.0, None, said)

    @classmethod
    def bounced(cls, rid: int, said: str) -> RecipientChange:
        """Given up."""
        return cls(rid, "bounced", 0.0, None, said)

    @classmethod
    def deferred(cls, rid: int, due: float, attempts: int, said: str) -> RecipientChange:
        """To be tried again at `due`."""
        return cls(rid, "deferred", due, attempts, said)
