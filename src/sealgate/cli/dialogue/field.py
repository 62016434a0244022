"""Prompts that follow from the schema: one for each declared setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.config.edit import Set, setting_named, value_at
from sealgate.config.text import help_of, kind_of, text_of, value_of, words_of


class Kept:
    """The answer Enter: what stands in the bracket stays."""


KEPT = Kept()


def field(path: str, present: Any = None, text: str = "", *, needed: bool = False) -> Question[Any]:
    """The prompt of a setting; Enter keeps (`KEPT`), unless a value is `needed` and there is none yet."""
    setting = setting_named(path)

    def read(typed: str) -> Any:
        if not typed:
            if needed and present is None:
                raise ValueError(f"this cannot be left empty; type {kind_of(setting)}")
            return KEPT
        return value_of(setting, typed)

    shown = "" if needed and present is None else text_of(setting, present)
    return Question(text or f"{setting.help}", read, shown, help_of(setting), words_of(setting))


async def ask_setting(talk: Talk, path: str, text: str = "") -> bool:
    """Ask for the value of a setting of the candidate, and set it; whether it was changed."""
    while True:
        present = value_at(await talk.configuration(), path)
        value = await talk.ask(field(path, present, text))
        if value is KEPT or value == present:
            return False
        if await talk.edit(Set(path, value)):
            return True


async def ask_row(
    talk: Talk, table: str, names: Sequence[str], given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Ask for these settings of a new row; what is kept stays at its default."""
    row: dict[str, Any] = dict(given or {})
    for name in names:
        setting = setting_named(f"{table}.{name}")
        present = None if setting.field.is_required() else setting.field.get_default(call_default_factory=False)
        question = field(f"{table}.{name}", present, needed=setting.field.is_required())
        value = await talk.ask(question)
        if value is not KEPT and value is not None:
            row[name] = value
    return row
