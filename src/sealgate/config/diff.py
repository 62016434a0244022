"""What differs between two configurations, setting by setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sealgate.config.schema import Configuration
from sealgate.config.schema.base import MASK, Row, Settings
from sealgate.config.setting import Setting, settings_of


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. None stands for "not there"; secrets are masked.

    Rows are known by their name or domain, as in `listeners[public].port`: where they stand says nothing.
    """

    path: str
    before: Any
    after: Any


def diff(old: Configuration, new: Configuration) -> tuple[Change, ...]:
    """Every change on the way from `old` to `new`; none if they mean the same."""
    return tuple(_changes(Configuration, "", old, new))


def _changes(group: type[Settings], path: str, old: Settings | None, new: Settings | None) -> Iterator[Change]:
    """Of a group that may be there on one side only."""
    for setting in settings_of(group):
        inner = f"{path}.{setting.path}" if path else setting.path
        before, after = (None if side is None else getattr(side, setting.path) for side in (old, new))
        if setting.group is None:
            yield from _change(setting, inner, before, after)
        elif setting.is_list:
            yield from _rows(setting.group, inner, _known(before), _known(after))
            yield from _order(setting.group, inner, _known(before), _known(after))
        else:
            yield from _changes(setting.group, inner, before, after)


def _change(setting: Setting, path: str, before: Any, after: Any) -> Iterator[Change]:
    if before != after:
        if setting.secret:
            before, after = (None if value is None else MASK for value in (before, after))
        yield Change(path, before, after)


def _rows(group: type[Settings], path: str, before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        yield from _changes(group, f"{path}[{name}]", before.get(name), after.get(name))


def _order(group: type[Settings], path: str, before: Mapping[str, Row], after: Mapping[str, Row]) -> Iterator[Change]:
    """Rows of a table that is read from the top, and that stand in another order than before."""
    if issubclass(group, Row) and group.ordered:
        stood, stands = [name for name in before if name in after], [name for name in after if name in before]
        if stood != stands:
            yield Change(path, tuple(stood), tuple(stands))


def _known(rows: tuple[Row, ...] | None) -> dict[str, Row]:
    return {getattr(row, row.identity): row for row in rows or ()}
