"""Prompts that follow from the schema: one for each declared setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sealgate.cli.dialogue.question import near
from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.config.edit import Set, setting_named, value_at
from sealgate.config.references import names_of, no_such_row
from sealgate.config.setting import Setting, settings_of
from sealgate.config.text import NONE, help_of, kind_of, text_of, value_of, words_of


class Kept:
    """The answer Enter: what stands in the bracket stays."""


KEPT = Kept()


def field(
    path: str, present: Any = None, text: str = "", *, needed: bool = False, known: Sequence[str] | None = None
) -> Question[Any]:
    """The prompt of a setting; Enter keeps (`KEPT`), unless a value is `needed` and there is none yet.

    `known` are the names of the rows that it may name.
    """
    setting = setting_named(path)

    def read(typed: str) -> Any:
        if not typed:
            if needed and present is None:
                raise ValueError(f"this cannot be left empty; type {kind_of(setting)}")
            return KEPT
        value = value_of(setting, typed)
        for name in [value] if isinstance(value, str) else value or () if known is not None else ():
            if known is not None and name not in known:
                raise ValueError(no_such_row(setting.names or "", name, known))
        return value

    shown = "" if needed and present is None else text_of(setting, present)
    words = words_of(setting) if known is None else tuple(known)
    meaning = _meaning_of_unset(setting, present)
    asked = f"{text or setting.help}\n({shown}: {meaning})" if shown and meaning else text or setting.help
    return Question(asked, read, shown, _help(setting, known), words)


def _help(setting: Setting, known: Sequence[str] | None) -> str:
    there = f"\nThere are {', '.join(known)}." if known else ""
    return f"{help_of(setting)}{there}"


async def _known(talk: Talk, setting: Setting) -> list[str] | None:
    return None if setting.names is None else names_of(await talk.configuration(), setting.names)


async def ask_setting(talk: Talk, path: str, text: str = "") -> bool:
    """Ask for the value of a setting of the candidate, and set it; whether it was changed."""
    while True:
        present = value_at(await talk.configuration(), path)
        value = await talk.ask(field(path, present, text, known=await _known(talk, setting_named(path))))
        if value is KEPT or value == present:
            return False
        if await talk.edit(Set(path, value)):
            return True


async def ask_settings(talk: Talk, path: str, names: Iterable[str]) -> None:
    """Ask for these settings of a group or of a row, one after another."""
    for name in names:
        await ask_setting(talk, f"{path}.{name}")


async def ask_needed(talk: Talk, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A new row with what is given, after asking for each other setting that has no default."""
    group = setting_named(table).group
    row = dict(given)
    for setting in settings_of(group) if group is not None else ():
        if setting.field.is_required() and setting.path not in row:
            known = await _known(talk, setting)
            row[setting.path] = await talk.ask(field(f"{table}.{setting.path}", needed=True, known=known))
    return row


async def ask_one_of(talk: Talk, path: str, names: Sequence[str]) -> None:
    """Ask which of these settings of a group or of a row, and then for its value; Enter is none."""

    def read(typed: str) -> str:
        name = typed.lower().replace("-", "_").replace(" ", "_")
        if name and name not in names:
            raise ValueError(f"there is no setting {typed!r} here{near(name, names, str.lower)}")
        return name

    name = await talk.ask(
        Question("Enter the name of the setting you wish to change.", read, help=_names_help(names), words=tuple(names))
    )
    if name:
        await ask_setting(talk, f"{path}.{name}")


def _names_help(names: Sequence[str]) -> str:
    return f"Type one of {', '.join(names)}; Enter changes none."


def value_lines(values: Mapping[str, Any], path: str, names: Iterable[str]) -> list[str]:
    """Settings of a group or row with their values, to read."""
    shown = {name: _value_text(setting_named(f"{path}.{name}"), values[name]) for name in names}
    width = max(map(len, shown), default=0) + 1
    return [f"  {f'{name}:':<{width}} {text}" for name, text in shown.items()]


def _value_text(setting: Setting, value: Any) -> str:
    """With what holds instead where nothing is given."""
    text, meaning = text_of(setting, value), _meaning_of_unset(setting, value)
    return f"{text} ({meaning})" if meaning else text


def _meaning_of_unset(setting: Setting, value: Any) -> str:
    """What holds where nothing is given, if there is more to say of it than that."""
    given = value not in (None, [], ())
    return "" if given or setting.default in (None, "not set", NONE) else str(setting.default)
