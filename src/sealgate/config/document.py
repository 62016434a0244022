"""A configuration as a TOML document, and back with every problem named."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w
from pydantic import ValidationError

from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration

MASK = "********"
_SECRETS = frozenset({"key"})


def parse(text: str) -> Configuration:
    """Read a document; `ConfigurationError` names every problem in it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError((Problem("", f"the file is no TOML document: {error}"),)) from error
    masked = tuple(_masked(raw, ""))
    if masked:
        raise ConfigurationError(masked)
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(tuple(_problem(each) for each in error.errors())) from error


def render(configuration: Configuration, *, mask: bool = False) -> str:
    """Write a document that `parse` reads again, unless its secrets are masked."""
    data = _without_none(configuration.model_dump(mode="json"))
    if mask:
        data = _mask(data)
    return tomli_w.dumps(data, multiline_strings=True)


def _without_none(value: Any) -> Any:
    """TOML has no null: a setting that is not set does not appear."""
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_none(each) for each in value]
    return value


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if key in _SECRETS else _mask(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_mask(each) for each in value]
    return value


def _masked(value: Any, path: str) -> list[Problem]:
    """Where a document has stars instead of a secret: loading it would lose the secret."""
    if isinstance(value, Mapping):
        return [each for key, one in value.items() for each in _masked(one, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list):
        return [each for index, one in enumerate(value) for each in _masked(one, f"{path}[{index}]")]
    if value == MASK:
        return [Problem(path, "the secret is masked; load a file made with: sealgate showconfig --secrets")]
    return []


_SENTENCES = {
    "missing": "is missing, and has no default",
    "extra_forbidden": "there is no such setting",
    "string_type": "must be a text in quotation marks",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list in brackets",
    "model_type": "must be a table of settings",
    "too_short": "must not be empty",
}


def _problem(error: Mapping[str, Any]) -> Problem:
    """Pydantic's finding in the words of an administrator."""
    kind, context, given = error["type"], error.get("ctx", {}), error.get("input")
    if kind == "value_error":
        sentence = str(context["error"])
    elif kind in ("literal_error", "enum"):
        sentence = f"is {given!r}, and must be one of {context['expected']}"
    elif kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        sentence = f"is {given!r}; {error['msg'].replace('Input should be', 'it must be')}"
    elif kind == "string_pattern_mismatch":
        sentence = f"is {given!r}; a name has letters, digits, spaces, dots, - and _, 64 at most"
    else:
        sentence = _SENTENCES.get(kind, str(error["msg"]))
    return Problem(_path(error["loc"]), sentence)


def _path(location: Sequence[str | int]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
