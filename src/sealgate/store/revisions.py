"""Every configuration that has been in force, with who, when and why. The newest is the truth."""

from __future__ import annotations

import datetime
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sealgate.config.schema import Configuration
from sealgate.store.database import StoreError, open_database

KEPT = 100
"""Revisions kept; older ones are forgotten."""

_MIGRATIONS = (
    (
        """
    CREATE TABLE revision (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        face TEXT NOT NULL,
        comment TEXT NOT NULL,
        configuration TEXT NOT NULL
    )
    """,
    ),
)


@dataclass(frozen=True, slots=True)
class Revision:
    """One configuration as it was committed; `face` is the way it came in."""

    number: int
    at: datetime.datetime
    who: str
    face: str
    comment: str
    configuration: Configuration


class Revisions:
    """The revision store of one gateway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_database(path, _MIGRATIONS)

    def current(self) -> Revision | None:
        """The newest revision, or None before the first."""
        row = self._database.execute("SELECT * FROM revision ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else self._read(row)

    def get(self, number: int) -> Revision | None:
        """The revision of that number, if it is kept."""
        row = self._database.execute("SELECT * FROM revision WHERE number = ?", (number,)).fetchone()
        return None if row is None else self._read(row)

    def list(self) -> list[Revision]:
        """All that are kept, newest first."""
        rows = self._database.execute("SELECT * FROM revision ORDER BY number DESC").fetchall()
        return [self._read(row) for row in rows]

    def add(
        self, configuration: Configuration, *, who: str, comment: str, at: datetime.datetime, face: str
    ) -> Revision:
        """Store a new one; durable when this returns. `StoreError` if it cannot be."""
        text = json.dumps(configuration.model_dump(mode="json"))
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                row = self._database.execute(
                    "INSERT INTO revision (at, who, face, comment, configuration)"
                    " VALUES (?, ?, ?, ?, ?) RETURNING number",
                    (at.isoformat(), who, face, comment, text),
                ).fetchone()
                self._database.execute("DELETE FROM revision WHERE number <= ?", (row[0] - KEPT,))
        except sqlite3.Error as error:
            raise StoreError(f"cannot store the revision in {self._path}: {error}") from error
        return Revision(row[0], at, who, face, comment, configuration)

    def _read(self, row: tuple[int, str, str, str, str, str]) -> Revision:
        number, at, who, face, comment, text = row
        try:
            configuration = Configuration.model_validate_json(text)
        except ValueError as error:
            raise StoreError(f"revision {number} in {self._path} cannot be read: {error}") from error
        return Revision(number, datetime.datetime.fromisoformat(at), who, face, comment, configuration)
