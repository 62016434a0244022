"""Changes that operators have begun and not committed yet, one candidate for each of them."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sealgate.config.schema import Configuration
from sealgate.config.upgrade import upgraded
from sealgate.store.database import StoreError, open_database, sentences, transaction
from sealgate.store.revisions import MIGRATIONS


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an operator would make the running configuration, and the revision that this was begun on."""

    who: str
    base: int
    at: datetime.datetime
    configuration: Configuration


class Candidates:
    """The candidates of one gateway: beside its revisions, so that they outlive the control process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_database(path, MIGRATIONS)
        self._database.execute("PRAGMA secure_delete = ON")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def get(self, who: str) -> Candidate | None:
        """The candidate of this operator, or None; `StoreError` if it cannot be read."""
        with sentences(self._path):
            query = "SELECT base, at, configuration FROM candidate WHERE who = ?"
            row = self._database.execute(query, (who,)).fetchone()
        if row is None:
            return None
        base, at, text = row
        try:
            configuration = Configuration.model_validate(upgraded(json.loads(text)))
        except ValidationError as error:
            raise StoreError(
                f"the changes that {who} has begun are of another version of Sealgate and cannot be read: "
                "drop them with sealgate clearchanges"
            ) from error
        return Candidate(who, base, datetime.datetime.fromisoformat(at), configuration)

    def put(self, candidate: Candidate) -> None:
        """Keep this one in place of the operator's last."""
        text = json.dumps(candidate.configuration.model_dump(mode="json"))
        row = (candidate.who, candidate.base, candidate.at.astimezone(datetime.UTC).isoformat(), text)
        with sentences(self._path), transaction(self._database) as database:
            database.execute("INSERT OR REPLACE INTO candidate (who, base, at, configuration) VALUES (?, ?, ?, ?)", row)

    def discard(self, who: str) -> bool:
        """Forget it; whether there was one."""
        with sentences(self._path), transaction(self._database) as database:
            return database.execute("DELETE FROM candidate WHERE who = ?", (who,)).rowcount > 0

    def others(self, who: str) -> tuple[str, ...]:
        """Who else has begun changes."""
        with sentences(self._path):
            rows = self._database.execute("SELECT who FROM candidate WHERE who != ? ORDER BY who", (who,)).fetchall()
        return tuple(other for (other,) in rows)
