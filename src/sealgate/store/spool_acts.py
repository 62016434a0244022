"""The statements of what operators do to a spool, and of what they see of one message."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from sealgate.store.database import transaction

LONGEST_WORDS = 2000
"""Characters of what the last attempt said that a person is shown."""


_MESSAGE = (
    *("mid", "sender", "size", "received_at", "origin", "held", "delay_told"),
    *("body_8bit", "utf8", "bare", "ret", "envid"),
)
_RECIPIENT = ("rid", "address", "state", "attempts", "due", "notify", "orcpt")


def hold(connection: sqlite3.Connection, mids: Sequence[int], held: bool) -> None:
    """Put messages on hold, or end it."""
    with transaction(connection):
        connection.execute(
            "UPDATE message SET held = ? WHERE mid IN (SELECT value FROM json_each(?))", (held, json.dumps(list(mids)))
        )


def hasten(connection: sqlite3.Connection, recipients: Sequence[tuple[int, int]], due: float) -> None:
    """Make recipients due, those that wait for a later time."""
    with transaction(connection):
        connection.executemany(
            "UPDATE recipient SET due = ?1 WHERE mid = ?2 AND rid = ?3 AND state = 'deferred' AND due > ?1",
            [(due, mid, rid) for mid, rid in recipients],
        )


def showing(connection: sqlite3.Connection, mid: int, after: int, limit: int) -> dict[str, Any] | None:
    """A message, and those of its recipients behind the RID `after`, those with a final state included."""
    row = connection.execute(f"SELECT {', '.join(_MESSAGE)} FROM message WHERE mid = ?", (mid,)).fetchone()
    if row is None:
        return None
    shown = dict(zip(_MESSAGE, row, strict=True))
    rows = connection.execute(
        f"SELECT {', '.join(_RECIPIENT)}, substr(said, 1, {LONGEST_WORDS}) FROM recipient"
        " WHERE mid = ? AND rid > ? ORDER BY rid LIMIT ?",
        (mid, after, limit),
    )
    recipients = [dict(zip((*_RECIPIENT, "said"), one, strict=True)) for one in rows]
    return {**shown, "origin": json.loads(shown["origin"]), "recipients": recipients}
