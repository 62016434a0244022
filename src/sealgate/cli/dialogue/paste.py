"""Tables as lines of text: pasted in as a whole, and shown to be copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sealgate.cli.dialogue.table import Table
from sealgate.cli.dialogue.talk import Talk

Row = Mapping[str, Any]


async def paste_table(talk: Talk, table: Table, form: str, read: Callable[[str], Row]) -> None:
    """Take the lines of a whole table in place of the rows that are there: all of them, or none.

    `form` says how a line looks; `read` makes a row of it, its `ValueError` is a sentence.
    """
    text = await talk.ask_lines(
        f"Paste the {table.plural} now, one a line, as:\n{form}\nA line that begins with # is passed over. "
        "They replace all that are there. Enter . on a line of its own to finish.",
        f"One a line, as {form}",
    )
    rows, wrong = _read(table, text, read)
    if wrong:
        talk.refuse("\n".join([*wrong, "Nothing was imported."]))
    elif not rows:
        talk.refuse("There was nothing to import; CLEAR removes all.")
    elif await table.replace(talk, rows):
        talk.say(f"{len(rows)} {table.noun if len(rows) == 1 else table.plural} imported.")


def _read(table: Table, text: str, read: Callable[[str], Row]) -> tuple[list[Row], list[str]]:
    """The rows, and what is wrong with lines that are none."""
    rows: dict[str, Row] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            row = read(line.strip())
        except ValueError as error:
            wrong.append(f"Line {number}: {error}.")
            continue
        name = str(row[table.identity])
        if name in rows:
            wrong.append(f"Line {number}: {name!r} stands here a second time; keep one.")
        rows[name] = row
    return list(rows.values()), wrong
