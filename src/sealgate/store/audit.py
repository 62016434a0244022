"""Who did what to the gateway, when, and from which face: kept beside the revisions."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealgate.store.database import open_database, sentences, transaction
from sealgate.store.revisions import MIGRATIONS

KEPT = 10_000
"""Rows kept; older ones are in the record of events."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act of an operator, or of the gateway itself. `detail` is what JSON knows, without secrets."""

    at: datetime.datetime
    who: str
    face: str
    act: str
    detail: Mapping[str, Any]


class Audit:
    """The audit record of one gateway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_database(path, MIGRATIONS)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def add(self, act: Act) -> None:
        """Keep it; it is on the disk when this returns."""
        row = (act.at.astimezone(datetime.UTC).isoformat(), act.who, act.face, act.act, json.dumps(dict(act.detail)))
        with sentences(self._path), transaction(self._database) as database:
            database.execute("INSERT INTO audit (at, who, face, act, detail) VALUES (?, ?, ?, ?, ?)", row)
            database.execute("DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - ?", (KEPT,))

    def list(self, limit: int) -> tuple[Act, ...]:
        """The newest acts, newest first."""
        query = "SELECT at, who, face, act, detail FROM audit ORDER BY number DESC LIMIT ?"
        with sentences(self._path):
            rows = self._database.execute(query, (limit,)).fetchall()
        return tuple(
            Act(datetime.datetime.fromisoformat(at), who, face, act, json.loads(detail))
            for at, who, face, act, detail in rows
        )
