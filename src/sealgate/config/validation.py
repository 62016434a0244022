"""From untrusted data to a configuration, or to every problem in it, in the words of an administrator."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.config.setting import Setting, setting_at

_LONGEST_SHOWN = 60


def validated(data: object) -> Configuration:
    """Data as TOML and JSON give it; `ConfigurationError` names every value that is not as declared."""
    try:
        return Configuration.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ConfigurationError(_problem(each) for each in found if not _follows(each)) from None


def validated_value(setting: Setting, value: Any) -> Any:
    """One value of a setting, by itself; `ConfigurationError` says what is wrong with it."""
    declared: Any = setting.field.annotation
    if setting.field.metadata:
        declared = Annotated[(declared, *setting.field.metadata)]
    try:
        return TypeAdapter(declared).validate_python(value)
    except ValidationError as error:
        found = [each for each in error.errors(include_url=False) if not _follows(each)]
        raise ConfigurationError(
            Problem("", _value_sentence(setting, each["type"], each["loc"], each["input"], each.get("ctx", {})))
            for each in found
        ) from None


def _value_sentence(
    setting: Setting, finding: str, location: Sequence[str | int], given: Any, context: Mapping[str, Any]
) -> str:
    if finding == "value_error":
        return str(context["error"])
    return _of_value(setting, finding, location, given)


def validated_row(table: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a table as plain data, every setting in it; `ConfigurationError` names what is not as declared."""
    return _validated_part((table, 0), data)


def validated_group(group: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a group of settings."""
    return _validated_part((group,), data)


def _validated_part(place: tuple[str | int, ...], data: Mapping[str, Any]) -> dict[str, Any]:
    setting = setting_at(place)
    if setting is None or setting.group is None:
        raise KeyError(place)
    try:
        return setting.group.model_validate(data).model_dump(mode="json")
    except ValidationError as error:
        found = [_within(place, each) for each in error.errors(include_url=False)]
        raise ConfigurationError(_problem(each) for each in found if not _follows(each)) from None


def _within(place: tuple[str | int, ...], error: ErrorDetails) -> ErrorDetails:
    return ErrorDetails({**error, "loc": (*place, *error["loc"])})


def path_of(location: Sequence[str | int]) -> str:
    """(`listeners`, 1, `tls`) as `listeners[1].tls`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _follows(error: ErrorDetails) -> bool:
    """Whether it only follows from another problem, which is named: a default that depends on a bad value, or a
    list that is too short without its bad items."""
    return error["type"] == "default_factory_not_called" or (error["type"] == "too_short" and bool(error["input"]))


def _problem(error: ErrorDetails) -> Problem:
    location = error["loc"]
    return Problem(path_of(location), _sentence(error["type"], location, error["input"], error.get("ctx", {})))


def _sentence(finding: str, location: Sequence[str | int], given: Any, context: Mapping[str, Any]) -> str:
    if finding == "value_error":
        return str(context["error"])
    if finding == "extra_forbidden":
        return _no_such_setting(location)
    setting = setting_at(location)
    if setting is None:
        return "this is no configuration; it is a table of settings"
    return _of_value(setting, finding, location, given)


def _of_value(setting: Setting, finding: str, location: Sequence[str | int], given: Any) -> str:
    kind = setting.item_kind if setting.is_list and location and isinstance(location[-1], int) else setting.kind
    if finding == "missing":
        return f"this setting is missing; write {kind}"
    return f"{'the value' if setting.secret else _shown(given)} is not {kind}"


def _no_such_setting(location: Sequence[str | int]) -> str:
    group = setting_at(location[:-1])
    known = Configuration if group is None else group.group
    names = list(known.model_fields) if known is not None else []
    close = difflib.get_close_matches(str(location[-1]), names, n=1)
    advice = f"did you mean {close[0]}?" if close else f"here are {', '.join(names)}"
    return f"there is no such setting; {advice}"


def _shown(given: Any) -> str:
    """A value as it stands in the file, if it is short."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str | int | float):
        text = repr(given)
        return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    if isinstance(given, list | tuple):
        return "this list" if given else "an empty list"
    return "a table" if isinstance(given, Mapping) else "this value"
