"""Changing a configuration by small steps: one setting, one row. Pure; all steps of an edit are taken, or none.

A place is named as a difference names it: `tls.inbound_smtp.versions`, `listeners[public].port`, where rows are known
by what tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.config.schema.base import MASK, Row
from sealgate.config.setting import Setting, setting_at, settings_of
from sealgate.config.validation import validated

_NAME = re.compile(r"[a-z0-9_]+")
_ROW = re.compile(r"([a-z0-9_]+)\[(.*)\](?:\.(.*))?", re.DOTALL)
"""A path with a row: its name may hold brackets and dots, as `"a].b"@[192.0.2.1]`, and ends with the last bracket."""


@dataclass(frozen=True, slots=True)
class Set:
    """Give a setting another value, as JSON has it; None takes it back to its default."""

    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Add:
    """One more row of a table, before the row of that name, or at the end."""

    table: str
    row: Mapping[str, Any]
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """One row less."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Move:
    """The row to another place: before the row of that name, or to the end."""

    table: str
    name: str
    before: str | None = None


Step = Set | Add | Remove | Move


def edited(configuration: Configuration, steps: Sequence[Step]) -> Configuration:
    """The configuration after these steps; `ConfigurationError` names what cannot be."""
    data = configuration.model_dump(mode="json")
    for step in steps:
        match step:
            case Set(path, value):
                _set(data, path, value)
            case Add(table, row, before):
                _insert(_rows(data, table), table, dict(row), before)
            case Remove(table, name):
                rows = _rows(data, table)
                del rows[_index(rows, table, name)]
            case Move(table, name, before):
                rows = _rows(data, table)
                row = rows[_index(rows, table, name)]
                if before != name:
                    rows.remove(row)
                    _insert(rows, table, row, before)
    return validated(data)


def step_of(data: Mapping[str, Any]) -> Step:
    """A step as it travels between processes; `ConfigurationError` if it is none."""
    match data:
        case {"set": str(path), "value": value}:
            return Set(path, value)
        case {"add": str(table), "row": dict(row)}:
            return Add(table, row, _name_or_none(data.get("before")))
        case {"remove": str(table), "name": str(name)}:
            return Remove(table, name)
        case {"move": str(table), "name": str(name)}:
            return Move(table, name, _name_or_none(data.get("before")))
    raise _problem("", "this is no step of an edit: write set and value, add and row, remove and name, move and name")


def _name_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _set(data: dict[str, Any], path: str, value: Any) -> None:
    group: Any = data
    *parents, (last, key) = parts_of(path)
    if key is not None:
        raise _problem(path, "this is a row; add, remove or move rows, and set their settings")
    settings = Configuration
    for name, row in parents:
        setting = _setting(settings, name, path)
        if setting.group is None or (setting.is_list and row is None) or (row is not None and not setting.is_list):
            raise _problem(path, "there is no such setting")
        group = group[name] if row is None else _row(group, name, row)
        settings = setting.group  # type: ignore[assignment]
    setting = _setting(settings, last, path)
    if setting.group is not None and not setting.is_list:
        raise _problem(path, "this is a group of settings; set those in it")
    if setting.secret and value == MASK:
        return  # shown masked, and given back as it was shown
    if value is None and setting.default is not None:
        group.pop(last, None)
    else:
        group[last] = value


def _setting(settings: Any, name: str, path: str) -> Setting:
    found = next((each for each in settings_of(settings) if each.path == name), None)
    if found is None:
        raise _problem(path, "there is no such setting")
    return found


def parts_of(path: str) -> list[tuple[str, str | None]]:
    """`listeners[public].port` as (listeners, public), (port, None); `ConfigurationError` if it is no path."""
    if not path:
        raise _problem(path, "no setting is named")
    row = _ROW.fullmatch(path)
    rest = path if row is None else row[3]
    names = [] if rest is None else rest.split(".")
    if not all(map(_NAME.fullmatch, names)):
        raise _problem(path, "there is no such setting")
    rows = [] if row is None else [(row[1], row[2])]
    return [*rows, *((name, None) for name in names)]


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """The value that stands at a path of a configuration in JSON's values, or the row."""
    found: Any = data
    for name, key in parts_of(path):
        found = found[name] if key is None else found[name][_index(found[name], name, key)]
    return found


def setting_named(path: str) -> Setting:
    """The setting at a path, rows named or not: `listeners[public].port`, `listeners.port`."""
    setting = setting_at([name for name, _ in parts_of(path)])
    if setting is None:
        raise _problem(path, "there is no such setting")
    return setting


def _row(group: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    rows = _rows(group, table)
    return rows[_index(rows, table, name)]


def _rows(data: dict[str, Any], table: str) -> list[dict[str, Any]]:
    if _row_class(table) is None:
        raise _problem(table, "there is no such table")
    rows = data.get(table)
    if rows is None:  # taken back to its default
        rows = data[table] = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _problem(table, "this is no list of tables")
    return rows


def _row_class(table: str) -> type[Row] | None:
    setting = next((each for each in settings_of(Configuration) if each.path == table), None)
    group = setting.group if setting is not None and setting.is_list else None
    return group if group is not None and issubclass(group, Row) else None


def identity_of(table: str) -> str:
    """The setting that tells the rows of a table apart."""
    kind = _row_class(table)
    return kind.identity if kind is not None else "name"


def _index(rows: Sequence[Mapping[str, Any]], table: str, name: str) -> int:
    identity = identity_of(table)
    for index, row in enumerate(rows):
        if row.get(identity) == name:
            return index
    known = ", ".join(str(row.get(identity)) for row in rows)
    raise _problem(
        f"{table}[{name}]", f"there is no such row; {f'there are {known}' if known else 'there is none yet'}"
    )


def _insert(rows: list[dict[str, Any]], table: str, row: dict[str, Any], before: str | None) -> None:
    rows.insert(len(rows) if before is None else _index(rows, table, before), row)


def _problem(path: str, sentence: str) -> ConfigurationError:
    return ConfigurationError([Problem(path, sentence)])
