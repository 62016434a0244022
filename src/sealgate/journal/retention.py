"""How long rotated logs stay, whichever process wrote them, one that is no more included."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_ROTATED = re.compile(r"(?:mail|events-[a-z0-9-]+)\.(\d{8}T\d{6}\.\d{6}Z)\.(?:log|jsonl)")


def stamp_of(at: datetime) -> str:
    """The moment of a rotation as it stands in the name of a rotated log: names sort by time."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def remove_rotated(logs: Path, before: datetime) -> int:
    """Remove the logs that were rotated before this moment; how many. What cannot be removed stays until next time."""
    oldest = stamp_of(before)
    removed = 0
    for path in logs.iterdir():
        found = _ROTATED.fullmatch(path.name)
        if found and found[1] < oldest:
            with suppress(OSError):
                path.unlink()
                removed += 1
    return removed
