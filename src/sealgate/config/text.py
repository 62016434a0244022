"""Values of settings as people type them at a prompt, and as a prompt shows them. Pure.

yes and no, numbers with units as 10M and 2h, lists with commas, and `none` for what is not set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from sealgate.config.problem import ConfigurationError
from sealgate.config.setting import Setting
from sealgate.config.validation import validated_value

NONE = "none"
"""Typed, it takes a setting back to its default; shown, it says that nothing is set."""

_YES, _NO = ("yes", "y", "true", "on"), ("no", "n", "false", "off")
_NUMBER = re.compile(r"(-?\d{1,15}(?:\.\d{1,6})?) *([a-z]*)")
_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
_UNITS = {"bytes": _BYTES, "seconds": _SECONDS}


def value_of(setting: Setting, text: str) -> Any:
    """What JSON has for a typed value; None takes it back to its default. `ValueError` is a sentence."""
    typed = text.strip()
    if typed.lower() == unset_word(setting):
        if setting.default is None:
            raise ValueError(f"this cannot be left out; write {kind_of(setting)}")
        return None
    value = [_one(setting, each) for each in _items(typed)] if setting.is_list else _one(setting, typed)
    try:
        validated_value(setting, value)
    except ConfigurationError as error:
        raise ValueError("; ".join(problem.sentence for problem in error.problems)) from None
    return value


def text_of(setting: Setting, value: Any) -> str:
    """A value as it would be typed. Secrets are masked before they come here."""
    if value is None or value in ((), []):
        return unset_word(setting)
    if setting.is_list:
        return ", ".join(_shown(setting, each) for each in value)
    return _shown(setting, value)


def unset_word(setting: Setting) -> str:
    """The word for "not set": `none`, or `default` where none is a value."""
    return "default" if NONE in words_of(setting) else NONE


def words_of(setting: Setting) -> tuple[str, ...]:
    """The words that may be typed, if there are only so many."""
    if get_origin(setting.value_type) is Literal:
        return tuple(get_args(setting.value_type))
    return ("yes", "no") if setting.value_type is bool else ()


def kind_of(setting: Setting) -> str:
    """What may be typed, as the end of "type …"."""
    if setting.is_list:
        return f"items with commas between them, each {setting.item_kind}"
    if setting.value_type is bool:
        return "yes or no"
    if setting.unit == "bytes":
        return f"{setting.kind}; K, M and G behind it count as 1024, its square and its cube"
    if setting.unit == "seconds":
        return f"{setting.kind}; m, h and d behind it are minutes, hours and days"
    return setting.kind.removesuffix(" in quotes")


def help_of(setting: Setting) -> str:
    """What `?` says at the prompt of a setting."""
    default = (
        "" if setting.default is None else f" {unset_word(setting)} takes it back to its default: {setting.default}."
    )
    return f"{setting.help}\nType {kind_of(setting)}.{default}"


def _items(text: str) -> Sequence[str]:
    return [item for each in text.split(",") if (item := each.strip())]


def _one(setting: Setting, text: str) -> Any:
    kind = setting.value_type
    if kind is bool:
        return _flag(text)
    if kind in (int, float):
        return _number(setting, text)
    if get_origin(kind) is Literal:
        return next((word for word in get_args(kind) if word.lower() == text.lower()), text)
    return text


def _flag(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() in _YES


def _number(setting: Setting, text: str) -> int | float:
    units = _UNITS.get(setting.unit or "", {"": 1})
    match = _NUMBER.fullmatch(text.lower())
    letter = "" if match is None else match[2][:1] if match[2] in ("kb", "mb", "gb", "tb") else match[2]
    if match is None or letter not in units:
        raise ValueError(f"{text!r} is not {kind_of(setting)}")
    number = float(match[1]) * units[letter]
    if number.is_integer():
        return int(number)
    if setting.value_type is int:
        raise ValueError(f"{text!r} is not {kind_of(setting)}")
    return number


def _shown(setting: Setting, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if setting.unit in _UNITS and value:
        units = sorted(_UNITS[setting.unit].items(), key=lambda each: -each[1])
        letter, size = next((letter, size) for letter, size in units if value % size == 0 or size == 1)
        number = int(value // size) if value % size == 0 else value
        return f"{number}{letter.upper() if setting.unit == 'bytes' else letter}" if size > 1 else str(number)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
