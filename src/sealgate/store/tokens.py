"""API tokens: of each a digest, whose it is, how far it goes and until when. Kept beside the revisions.

They are no part of the configuration, so that no rollback brings one back that has been revoked.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealgate.store.database import open_database, sentences, transaction
from sealgate.store.revisions import MIGRATIONS

_COLUMNS = "number, name, who, scope, made, ends, used"


@dataclass(frozen=True, slots=True)
class Token:
    """One token without its secret. `name` says what it is for; `used` is known to the hour."""

    number: int
    name: str
    who: str
    scope: str
    made: datetime.datetime
    ends: datetime.datetime
    used: datetime.datetime | None


class Tokens:
    """The API tokens of one gateway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_database(path, MIGRATIONS)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(
        self, digest: bytes, name: str, who: str, scope: str, made: datetime.datetime, ends: datetime.datetime
    ) -> Token:
        """Keep one; it is on the disk when this returns. What has ended long ago is forgotten."""
        row = (digest, name, who, scope, _text(made), _text(ends))
        with sentences(self._path), transaction(self._database) as database:
            database.execute("DELETE FROM token WHERE ends < ?", (_text(made - datetime.timedelta(days=30)),))
            insert = "INSERT INTO token (digest, name, who, scope, made, ends) VALUES (?, ?, ?, ?, ?, ?)"
            number = database.execute(insert, row).lastrowid
        return Token(number or 0, name, who, scope, made, ends, None)

    def find(self, digest: bytes) -> Token | None:
        """The token with this digest, or None."""
        found = self._select("WHERE digest = ?", digest)
        return found[0] if found else None

    def list(self, who: str | None = None) -> tuple[Token, ...]:
        """All, or those of one operator, in the order they were made."""
        return self._select("ORDER BY number") if who is None else self._select("WHERE who = ? ORDER BY number", who)

    def get(self, number: int) -> Token | None:
        """The token of this number, or None."""
        found = self._select("WHERE number = ?", number)
        return found[0] if found else None

    def use(self, number: int, at: datetime.datetime) -> None:
        """Remember when it was used last."""
        with sentences(self._path), transaction(self._database) as database:
            database.execute("UPDATE token SET used = ? WHERE number = ?", (_text(at), number))

    def remove(self, number: int) -> bool:
        """Forget it; whether there was one."""
        with sentences(self._path), transaction(self._database) as database:
            return database.execute("DELETE FROM token WHERE number = ?", (number,)).rowcount > 0

    def _select(self, which: str, *values: Any) -> tuple[Token, ...]:
        with sentences(self._path):
            rows = self._database.execute(f"SELECT {_COLUMNS} FROM token {which}", values).fetchall()
        return tuple(_token(row) for row in rows)


def _token(row: Sequence[Any]) -> Token:
    number, name, who, scope, *times = row
    made, ends, used = (None if text is None else datetime.datetime.fromisoformat(text) for text in times)
    assert made is not None
    assert ends is not None
    return Token(number, name, who, scope, made, ends, used)


def _text(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).isoformat()
