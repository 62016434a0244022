"""The statements of the spool.

A message leaves its tables in the transaction in which its last recipient gets a final state, so what they hold is
the queue. History is in the record of events.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sealgate.mail.envelope import Demands, Notify
from sealgate.store.database import Migration, StoreError, transaction
from sealgate.store.message import NewMessage, Queued, QueuedRecipient, RecipientChange

MIGRATIONS: Sequence[Migration] = (
    (
        """
        CREATE TABLE message (
            mid INTEGER PRIMARY KEY,
            sender TEXT,                -- NULL is the null path
            size INTEGER NOT NULL,      -- bytes
            body_8bit INTEGER NOT NULL, -- 1 if it was announced with BODY=8BITMIME (RFC 6152)
            received_at REAL NOT NULL,  -- seconds since the epoch
            origin TEXT NOT NULL        -- JSON, for people
        ) STRICT
        """,
        """
        CREATE TABLE recipient (
            mid INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
            rid INTEGER NOT NULL,
            address TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'deferred', 'done', 'bounced')),
            attempts INTEGER NOT NULL DEFAULT 0,
            due REAL NOT NULL DEFAULT 0, -- of the next attempt, seconds since the epoch
            said TEXT NOT NULL DEFAULT '', -- by the last attempt
            PRIMARY KEY (mid, rid)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE body ( -- a message without a row here has its body in the file bodies/<mid>
            mid INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
            data BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE message ADD COLUMN utf8 INTEGER NOT NULL DEFAULT 0",  # 1: it needs SMTPUTF8 (RFC 6531)
        "ALTER TABLE message ADD COLUMN bare INTEGER NOT NULL DEFAULT 0",  # 1: it may leave by BDAT only
        "ALTER TABLE message ADD COLUMN ret TEXT NOT NULL DEFAULT ''",  # FULL or HDRS (RFC 3461 §4.3)
        "ALTER TABLE message ADD COLUMN envid TEXT NOT NULL DEFAULT ''",  # xtext (RFC 3461 §4.4)
        "ALTER TABLE message ADD COLUMN held INTEGER NOT NULL DEFAULT 0",  # 1: an operator has put it on hold
        "ALTER TABLE message ADD COLUMN delay_told INTEGER NOT NULL DEFAULT 0",  # 1: its sender knows that it is late
        "ALTER TABLE recipient ADD COLUMN notify TEXT NOT NULL DEFAULT ''",  # as SMTP writes it (RFC 3461 §4.1)
        "ALTER TABLE recipient ADD COLUMN orcpt TEXT NOT NULL DEFAULT ''",  # type;xtext (RFC 3461 §4.2)
    ),
)

_DELETE_FINISHED = """
    DELETE FROM message WHERE NOT EXISTS (
        SELECT 1 FROM recipient WHERE recipient.mid = message.mid AND state IN ('queued', 'deferred')
    )
"""


CHECKPOINT = 8192
"""Pages of 4 KiB in the write-ahead log at which they move to the database: rarely, since that takes syncs too."""

CACHE = 16384
"""KiB of the database that its writer keeps in memory: what is deleted soon after it came need not be read."""


SHRINK = 64 << 20
"""Unused bytes of the database that are worth giving back at a start."""

SHRINK_COPIES = 256 << 20
"""Bytes that may be copied for it: a start must not take long."""


def tune(connection: sqlite3.Connection) -> None:
    """Make ready for the one writer of a busy spool."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
    connection.execute(f"PRAGMA cache_size = -{CACHE}")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` if the file is damaged."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(
            f"the spool {path} is damaged ({found}): move its folder away, start again, "
            "and save what can be read with the command .recover of the program sqlite3"
        )


def spare(connection: sqlite3.Connection) -> int:
    """Bytes inside the database that nothing uses: what is deleted does not make the file smaller."""
    (pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def shrink(connection: sqlite3.Connection) -> None:
    """Give the disk back what a queue of the past has left behind, where that is much and the rest is little."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    unused = spare(connection)
    used = pages * size - unused
    if unused > SHRINK and used < unused // 2 and used < SHRINK_COPIES:
        with suppress(sqlite3.OperationalError):  # a full disk has no room for the copy that this makes
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def insert(connection: sqlite3.Connection, new: Sequence[tuple[NewMessage, bytes | None]]) -> None:
    """Keep messages with their bodies; None is a body in a file."""
    connection.executemany(
        "INSERT INTO message (mid, sender, size, received_at, origin, body_8bit, utf8, bare, ret, envid)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (each.mid, each.sender, each.size, each.received_at, json.dumps(each.origin), *_row(each.demands))
            for each, _ in new
        ],
    )
    connection.executemany(
        "INSERT INTO recipient (mid, rid, address, notify, orcpt) VALUES (?, ?, ?, ?, ?)",
        [
            (each.mid, rid, one.address, "" if one.notify is None else one.notify.word, one.orcpt)
            for each, _ in new
            for rid, one in enumerate(each.recipients)
        ],
    )
    connection.executemany(
        "INSERT INTO body (mid, data) VALUES (?, ?)",
        [(each.mid, body) for each, body in new if body is not None],
    )


def _row(demands: Demands) -> tuple[bool, bool, bool, str, str]:
    return demands.body_8bit, demands.utf8, demands.bare, demands.ret, demands.envid


def change(connection: sqlite3.Connection, changes: Iterable[tuple[int, RecipientChange]]) -> None:
    """Record what became of recipients; those that have left, or have a final state, are passed over.

    A change that is written again after a fault may come behind a later one: it must not bring back what is done.
    """
    connection.executemany(
        "UPDATE recipient SET state = ?, due = ?, attempts = coalesce(?, attempts + 1), said = ?"
        " WHERE mid = ? AND rid = ? AND state IN ('queued', 'deferred')",
        [(each.state, each.due, each.attempts, each.said, mid, each.rid) for mid, each in changes],
    )


def mark_delay_told(connection: sqlite3.Connection, mids: Iterable[int]) -> None:
    """Record that the senders of these messages have been told that they are late."""
    connection.executemany("UPDATE message SET delay_told = 1 WHERE mid = ?", [(mid,) for mid in mids])


def delete_finished(connection: sqlite3.Connection, mids: Sequence[int]) -> list[int]:
    """Delete those of these messages that no recipient waits for; gives their numbers."""
    rows = connection.execute(
        f"{_DELETE_FINISHED} AND mid IN (SELECT value FROM json_each(?)) RETURNING mid", (json.dumps(mids),)
    )
    return [mid for (mid,) in rows.fetchall()]


def delete_all_finished(connection: sqlite3.Connection) -> None:
    """Delete every message that no recipient waits for."""
    connection.execute(_DELETE_FINISHED)


def messages(connection: sqlite3.Connection) -> list[Queued]:
    """The queue, oldest first."""
    waiting: dict[int, list[QueuedRecipient]] = {}
    for mid, rid, address, attempts, due, said, notify, orcpt in connection.execute(
        "SELECT mid, rid, address, attempts, due, said, notify, orcpt FROM recipient"
        " WHERE state IN ('queued', 'deferred') ORDER BY mid, rid"
    ):
        recipient = QueuedRecipient(rid, address, attempts, due, said, Notify.read(notify), orcpt)
        waiting.setdefault(mid, []).append(recipient)
    rows = connection.execute(
        "SELECT mid, sender, size, received_at, held, delay_told, body_8bit, utf8, bare, ret, envid"
        " FROM message ORDER BY mid"
    )
    return [
        Queued(
            mid,
            sender,
            size,
            received_at,
            tuple(waiting.get(mid, ())),
            Demands(bool(body_8bit), bool(utf8), bool(bare), ret, envid),
            held=bool(held),
            delay_told=bool(delay_told),
        )
        for mid, sender, size, received_at, held, delay_told, body_8bit, utf8, bare, ret, envid in rows
    ]


def with_body_in_file(connection: sqlite3.Connection) -> set[int]:
    """The messages whose bodies are in files."""
    rows = connection.execute("SELECT mid FROM message WHERE mid NOT IN (SELECT mid FROM body)")
    return {mid for (mid,) in rows}


def body(connection: sqlite3.Connection, mid: int) -> bytes | None:
    """A body that is not in a file."""
    row = connection.execute("SELECT data FROM body WHERE mid = ?", (mid,)).fetchone()
    return None if row is None else row[0]


def take_over(connection: sqlite3.Connection, other: Path) -> tuple[list[Queued], set[int]]:
    """Copy the messages of another spool that are not here yet, in one transaction.

    Gives those messages, and which of them have their bodies in files.
    """
    connection.execute("ATTACH DATABASE ? AS other", (str(other),))
    try:
        with transaction(connection):
            here = {mid for (mid,) in connection.execute("SELECT mid FROM main.message")}
            for table in ("message", "recipient", "body"):
                names = ", ".join(name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})"))
                connection.execute(f"INSERT OR IGNORE INTO main.{table} ({names}) SELECT {names} FROM other.{table}")
    finally:
        connection.execute("DETACH DATABASE other")
    new = [message for message in messages(connection) if message.mid not in here]
    return new, with_body_in_file(connection) - here
