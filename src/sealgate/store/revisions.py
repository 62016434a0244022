"""Every configuration that has been in force, with who, when and why. The newest is the truth."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sealgate.config.schema import Configuration
from sealgate.config.upgrade import upgraded
from sealgate.store.database import StoreError, open_database, sentences, transaction

KEPT = 100
"""Revisions kept; older ones are forgotten, and their keys with them."""

MIGRATIONS = (
    (
        """
        CREATE TABLE revision (
            number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
            at TEXT NOT NULL,                          -- RFC 3339, UTC
            who TEXT NOT NULL,
            face TEXT NOT NULL,
            comment TEXT NOT NULL,
            configuration TEXT NOT NULL                -- JSON
        )
        """,
    ),
    (
        """
        CREATE TABLE candidate (
            who TEXT PRIMARY KEY,
            base INTEGER NOT NULL,                     -- the revision that it was begun on
            at TEXT NOT NULL,                          -- of its last change, RFC 3339, UTC
            configuration TEXT NOT NULL                -- JSON
        )
        """,
        """
        CREATE TABLE pending (                         -- a commit that waits to be confirmed: one row, or none
            revision INTEGER NOT NULL,
            back_to INTEGER NOT NULL,                  -- the revision that comes back if nobody confirms
            deadline TEXT NOT NULL,                    -- RFC 3339, UTC
            who TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,                          -- RFC 3339, UTC
            who TEXT NOT NULL,
            face TEXT NOT NULL,
            act TEXT NOT NULL,
            detail TEXT NOT NULL                       -- JSON, for people and programs; no secrets
        )
        """,
    ),
    (
        """
        CREATE TABLE token (
            number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice
            digest BLOB NOT NULL UNIQUE,               -- SHA-256 of the secret
            name TEXT NOT NULL,                        -- what it is for
            who TEXT NOT NULL,                         -- the operator whose it is
            scope TEXT NOT NULL,
            made TEXT NOT NULL,                        -- RFC 3339, UTC
            ends TEXT NOT NULL,
            used TEXT                                  -- last, to the hour
        )
        """,
    ),
)

_ENTRY = "number, at, who, face, comment"


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision as the list of revisions shows it; `face` is the way it came in, as "cli"."""

    number: int
    at: datetime.datetime
    who: str
    face: str
    comment: str


@dataclass(frozen=True, slots=True)
class Revision(Entry):
    """A revision with its configuration."""

    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Pending:
    """A commit that waits to be confirmed, and the revision that comes back at its deadline."""

    revision: int
    back_to: int
    deadline: datetime.datetime
    who: str


class Revisions:
    """The revision store of one gateway. Several processes may have it open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_database(path, MIGRATIONS)
        self._database.execute("PRAGMA secure_delete = ON")  # a key that was forgotten is not in the file either

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def check(self) -> None:
        """Raise `StoreError` if the file is damaged."""
        with sentences(self._path):
            (found,) = self._database.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreError(f"the revisions in {self._path} are damaged ({found})")

    def current(self) -> Revision | None:
        """The newest revision, or None before the first; `StoreError` if it cannot be read."""
        return self._one("ORDER BY number DESC LIMIT 1")

    def get(self, number: int) -> Revision | None:
        """The revision of that number, if it is kept; `StoreError` if it cannot be read."""
        return self._one("WHERE number = ?", number)

    def list(self) -> tuple[Entry, ...]:
        """All that are kept, newest first."""
        with sentences(self._path):
            rows = self._database.execute(f"SELECT {_ENTRY} FROM revision ORDER BY number DESC").fetchall()
        return tuple(_entry(*row) for row in rows)

    def add(
        self,
        configuration: Configuration,
        *,
        who: str,
        comment: str,
        at: datetime.datetime,
        face: str,
        deadline: datetime.datetime | None = None,
    ) -> Revision:
        """Store the next one; it is on the disk when this returns. `StoreError` leaves all as it was.

        With a `deadline` it has to be confirmed by then, or the one before comes back. Whatever waited to be
        confirmed before does so no more.
        """
        moment = at.astimezone(datetime.UTC)
        text = json.dumps(configuration.model_dump(mode="json"))
        with sentences(self._path), transaction(self._database) as database:
            (number,) = database.execute(
                "INSERT INTO revision (at, who, face, comment, configuration) VALUES (?, ?, ?, ?, ?) RETURNING number",
                (moment.isoformat(), who, face, comment, text),
            ).fetchone()
            database.execute("DELETE FROM revision WHERE number <= ?", (number - KEPT,))
            database.execute("DELETE FROM pending")
            if deadline is not None:
                row = (number, number - 1, deadline.astimezone(datetime.UTC).isoformat(), who)
                database.execute("INSERT INTO pending (revision, back_to, deadline, who) VALUES (?, ?, ?, ?)", row)
        return Revision(number, moment, who, face, comment, configuration)

    def pending(self) -> Pending | None:
        """The commit that waits to be confirmed; `StoreError` if it cannot be read."""
        with sentences(self._path):
            row = self._database.execute("SELECT revision, back_to, deadline, who FROM pending").fetchone()
        if row is None:
            return None
        revision, back_to, deadline, who = row
        return Pending(revision, back_to, datetime.datetime.fromisoformat(deadline), who)

    def confirm(self) -> None:
        """It stays."""
        with sentences(self._path), transaction(self._database) as database:
            database.execute("DELETE FROM pending")

    def _one(self, which: str, *values: int) -> Revision | None:
        with sentences(self._path):
            row = self._database.execute(f"SELECT {_ENTRY}, configuration FROM revision {which}", values).fetchone()
        if row is None:
            return None
        *entry, text = row
        head = _entry(*entry)
        try:
            configuration = Configuration.model_validate(upgraded(json.loads(text)))
        except ValidationError as error:
            raise StoreError(
                f"revision {head.number} in {self._path} is of another version of Sealgate and cannot be read: "
                f"{error.error_count()} of its settings are not as this version declares them"
            ) from error
        return Revision(head.number, head.at, head.who, head.face, head.comment, configuration)


def _entry(number: int, at: str, who: str, face: str, comment: str) -> Entry:
    return Entry(number, datetime.datetime.fromisoformat(at), who, face, comment)
