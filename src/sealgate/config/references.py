"""Settings that name rows of other tables: what they may name, who names a row, and a row under another name. Pure.

Configurations are plain data here, as JSON has them, so that one with masked secrets will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealgate.config.edit import Set, identity_of
from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration
from sealgate.config.setting import Setting, settings_of

NOUNS = {"certificates": "certificate profile", "listeners": "listener", "policies": "mail flow policy"}
"""What a row of each table that is named is called."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A setting that names rows: where, as a problem and as an edit name it; which table; the names it has now."""

    place: str
    path: str
    setting: Setting
    table: str
    names: tuple[str, ...]


def references(data: Mapping[str, Any]) -> Iterator[Reference]:
    """Every setting of a configuration that names rows, whether or not it names any now."""
    for group in settings_of(Configuration):
        if group.group is None:
            continue
        for setting in settings_of(group.group):
            if setting.names is not None:
                for place, path, values in _groups(group, data):
                    names = _listed(values[setting.path])
                    yield Reference(f"{place}.{setting.path}", f"{path}.{setting.path}", setting, setting.names, names)


def _groups(group: Setting, data: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The group itself, or each row of the table, by its number and by its name."""
    if not group.is_list:
        yield group.path, group.path, data[group.path]
        return
    identity = identity_of(group.path)
    for index, row in enumerate(data[group.path]):
        yield f"{group.path}[{index}]", f"{group.path}[{row[identity]}]", row


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def names_of(data: Mapping[str, Any], table: str) -> list[str]:
    """The names of the rows of a table, in their order."""
    return [str(row[identity_of(table)]) for row in data[table]]


def unknown_names(data: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for each name of a row that is not there."""
    for reference in references(data):
        known = names_of(data, reference.table)
        for index, name in enumerate(reference.names):
            if name not in known:
                place = f"{reference.place}[{index}]" if reference.setting.is_list else reference.place
                yield Problem(place, no_such_row(reference.table, name, known))


def no_such_row(table: str, name: str, known: Sequence[str]) -> str:
    """The sentence on a name that no row has."""
    there = f"there are {', '.join(known)}" if known else "there is none yet"
    return f"there is no {NOUNS[table]} {name!r}; {there}"


def users_of(data: Mapping[str, Any], table: str, name: str) -> list[Reference]:
    """Who names this row."""
    return [each for each in references(data) if each.table == table and name in each.names]


def renaming(data: Mapping[str, Any], table: str, old: str, new: str) -> list[Set]:
    """The steps that give a row another name, wherever it is named."""
    steps = [Set(f"{table}[{old}].{identity_of(table)}", new)]
    for each in users_of(data, table, old):
        names = [new if name == old else name for name in each.names]
        path = each.path.replace(f"{table}[{old}]", f"{table}[{new}]", 1)
        steps.append(Set(path, names if each.setting.is_list else new))
    return steps
