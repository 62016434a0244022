"""The statements of the spool. A small body lies in its row, a large one in a file that the row names."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from sealgate.store.message import NewMessage, Queued, QueuedRecipient, RecipientChange

MIGRATIONS = (
    (
        """
    CREATE TABLE message (
        mid INTEGER PRIMARY KEY,
        sender TEXT,               -- NULL is the null path
        size INTEGER NOT NULL,
        body_8bit INTEGER NOT NULL,
        received_at REAL NOT NULL, -- seconds since the epoch
        origin TEXT NOT NULL,      -- JSON
        body BLOB,                 -- one of these two
        body_file TEXT
    )""",
        """CREATE TABLE recipient (
        mid INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
        rid INTEGER NOT NULL,
        address TEXT NOT NULL,
        state TEXT NOT NULL,       -- queued, deferred, done, bounced
        attempts INTEGER NOT NULL,
        due REAL NOT NULL,
        said TEXT NOT NULL,
        PRIMARY KEY (mid, rid)
    ) WITHOUT ROWID
    """,
    ),
)


def insert(database: sqlite3.Connection, message: NewMessage, body: bytes | None, body_file: str | None) -> None:
    """Keep a message."""
    database.execute(
        "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.mid,
            message.sender,
            message.size,
            message.body_8bit,
            message.received_at,
            json.dumps(message.origin),
            body,
            body_file,
        ),
    )
    database.executemany(
        "INSERT INTO recipient VALUES (?, ?, ?, 'queued', 0, 0, '')",
        [(message.mid, rid, address) for rid, address in enumerate(message.recipients)],
    )


def change(database: sqlite3.Connection, mid: int, changes: Sequence[RecipientChange]) -> None:
    """Record fates of recipients whose message stays."""
    database.executemany(
        "UPDATE recipient SET state = ?, due = ?, attempts = ?, said = ? WHERE mid = ? AND rid = ?",
        [(each.state, each.due, each.attempts, each.said, mid, each.rid) for each in changes],
    )


def remove(database: sqlite3.Connection, mid: int) -> str | None:
    """Forget a message; gives the name of its body file, if it has one."""
    row = database.execute("DELETE FROM message WHERE mid = ? RETURNING body_file", (mid,)).fetchone()
    return None if row is None else row[0]


def read_body(database: sqlite3.Connection, mid: int) -> tuple[bytes | None, str | None] | None:
    """Body or file name; None if there is no such message."""
    row = database.execute("SELECT body, body_file FROM message WHERE mid = ?", (mid,)).fetchone()
    return None if row is None else (row[0], row[1])


def body_files(database: sqlite3.Connection) -> set[str]:
    """Every file that a message names."""
    return {row[0] for row in database.execute("SELECT body_file FROM message WHERE body_file IS NOT NULL")}


def undelivered(database: sqlite3.Connection) -> list[Queued]:
    """Every message with a recipient that waits, oldest first."""
    waiting: dict[int, list[QueuedRecipient]] = {}
    for mid, *fields in database.execute(
        "SELECT mid, rid, address, attempts, due, said FROM recipient WHERE state IN ('queued', 'deferred')"
    ):
        waiting.setdefault(mid, []).append(QueuedRecipient(*fields))
    rows = database.execute("SELECT mid, sender, size, body_8bit, received_at FROM message ORDER BY mid")
    return [
        Queued(mid, sender, size, bool(body_8bit), received_at, tuple(waiting[mid]))
        for mid, sender, size, body_8bit, received_at in rows
        if mid in waiting
    ]


def listing(database: sqlite3.Connection, limit: int, mid: int | None = None) -> list[dict[str, Any]]:
    """Messages with all their recipients, for people."""
    rows = database.execute(
        "SELECT mid, sender, size, received_at, origin FROM message WHERE ?1 IS NULL OR mid = ?1 ORDER BY mid LIMIT ?2",
        (mid, limit),
    ).fetchall()
    found = []
    for number, sender, size, received_at, origin in rows:
        recipients = database.execute(
            "SELECT rid, address, state, attempts, due, said FROM recipient WHERE mid = ? ORDER BY rid",
            (number,),
        )
        keys = ("rid", "address", "state", "attempts", "due", "said")
        found.append(
            {
                "mid": number,
                "sender": sender,
                "size": size,
                "received_at": received_at,
                "origin": json.loads(origin),
                "recipients": [dict(zip(keys, each, strict=True)) for each in recipients],
            }
        )
    return found


def copy_from(database: sqlite3.Connection, other: str) -> None:
    """Take over every message of another spool; those that are here already stay as they are."""
    database.execute("ATTACH DATABASE ? AS other", (other,))
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT OR IGNORE INTO message SELECT * FROM other.message")
        database.execute("INSERT OR IGNORE INTO recipient SELECT * FROM other.recipient")
        database.execute("COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    finally:
        database.execute("DETACH DATABASE other")
