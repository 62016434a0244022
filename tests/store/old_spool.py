"""Spools as Sealgate 0.1 left them: written by its statements, with nothing of today's code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE message (
    mid INTEGER PRIMARY KEY,
    sender TEXT,
    size INTEGER NOT NULL,
    body_8bit INTEGER NOT NULL,
    received_at REAL NOT NULL,
    origin TEXT NOT NULL
) STRICT;
CREATE TABLE recipient (
    mid INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    rid INTEGER NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'deferred', 'done', 'bounced')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    said TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (mid, rid)
) STRICT, WITHOUT ROWID;
CREATE TABLE body (
    mid INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    data BLOB NOT NULL
) STRICT;
PRAGMA user_version = 1;
"""


@dataclass(frozen=True)
class OldMessage:
    """A message of 0.1. `states` has one entry for each of its recipients."""

    mid: int
    body: bytes
    received_at: float
    states: tuple[str, ...] = ("queued",)
    sender: str | None = "me@me.example"
    eight_bit: bool = False

    def address(self, rid: int) -> str:
        """Of a recipient."""
        return f"one-{self.mid}-{rid}@inside.example"


def make(folder: Path, messages: list[OldMessage]) -> None:
    """A spool of schema 1; bodies of more than 64 KB are in files, as they were then."""
    (folder / "bodies").mkdir(parents=True, mode=0o700)
    with closing(sqlite3.connect(folder / "spool.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(SCHEMA)
        for each in messages:
            database.execute(
                "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)",
                (each.mid, each.sender, len(each.body), each.eight_bit, each.received_at, json.dumps({"icid": 1})),
            )
            for rid, state in enumerate(each.states):
                tried = (3, each.received_at + 1e9, "451 later") if state == "deferred" else (0, 0, "")
                database.execute(
                    "INSERT INTO recipient VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (each.mid, rid, each.address(rid), state, *tried),
                )
            if len(each.body) > 64 * 1024:
                (folder / "bodies" / str(each.mid)).write_bytes(each.body)
            else:
                database.execute("INSERT INTO body VALUES (?, ?)", (each.mid, each.body))
