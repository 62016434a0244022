"""What is said of an AsyncOS configuration that was read: the same for a candidate and for a first configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def imported_lines(imported: Mapping[str, Any]) -> Iterator[str]:
    """From the answer to `load`: what was read, the banner, what changed, what was left out."""
    what = ", ".join(imported["read"]) or "nothing that differs"
    yield f"Read from {imported['source']}: {what}."
    yield ""
    for sentence in imported["banner"]:
        yield f"*** {sentence}"
    for title, key in (("Changed on the way:", "changed"), ("Left out:", "left_out")):
        if imported[key]:
            yield ""
            yield title
            yield from (f"  {place}: {sentence}" for place, sentence in imported[key])
    yield ""
