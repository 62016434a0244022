"""The schema as a list of settings: what faces, documents and tests read instead of pydantic's own tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic.fields import FieldInfo

from sealgate.config.schema import Configuration
from sealgate.config.schema.base import Names, Otherwise, Secret, Settings, Unit, Words

Mark = TypeVar("Mark")


@dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting, or a group or table of settings. A table's rows are written `listeners[]`."""

    path: str
    field: FieldInfo

    @property
    def help(self) -> str:
        """What it is for, in sentences."""
        return self.field.description or ""

    @property
    def kind(self) -> str:
        """What its value is, as the end of "write …": "a whole number of seconds from 1 to 600"."""
        return _kind(self.field.annotation, self.field.metadata)

    @property
    def item_kind(self) -> str:
        """The same for one item of a list."""
        return _kind(get_args(_given(self.field.annotation))[0], ())

    @property
    def default(self) -> str | None:
        """What holds when it is not given, as it is written in a file or in words; None if it must be given."""
        if self.field.is_required():
            return None
        otherwise = _mark(Otherwise, self.field.annotation, self.field.metadata)
        if otherwise is not None:
            return otherwise.text
        value = self.field.default
        return "not set" if value is None else json.dumps(value) if value != () else "none"

    @property
    def secret(self) -> bool:
        """Whether its value is masked wherever it is shown."""
        return _mark(Secret, self.field.annotation, self.field.metadata) is not None

    @property
    def names(self) -> str | None:
        """The table whose rows it names, as `policies`; None if it names none."""
        mark = _mark(Names, self.field.annotation, self.field.metadata)
        return None if mark is None else mark.table

    @property
    def group(self) -> type[Settings] | None:
        """The settings inside, if it is a group or a table."""
        inside = _given(self.field.annotation)
        inside = get_args(inside)[0] if self.is_list else inside
        return inside if isinstance(inside, type) and issubclass(inside, Settings) else None

    @property
    def value_type(self) -> Any:
        """The type of a value that is given; of a list, that of its items."""
        given = _given(self.field.annotation)
        return _given(get_args(given)[0]) if self.is_list else given

    @property
    def unit(self) -> str | None:
        """What a number counts, as "seconds"; of other values nothing."""
        mark = _mark(Unit, self.field.annotation, self.field.metadata)
        return None if mark is None else mark.text

    @property
    def is_list(self) -> bool:
        """Whether it holds several values: a list, or the rows of a table."""
        return get_origin(_given(self.field.annotation)) is tuple


def settings_of(group: type[Settings], path: str = "") -> Iterator[Setting]:
    """The settings of one group, in the order of their declaration."""
    for name, field in group.model_fields.items():
        yield Setting(f"{path}.{name}" if path else name, field)


def all_settings(group: type[Settings] = Configuration, path: str = "") -> Iterator[Setting]:
    """Every setting of the gateway by its path, groups and tables taken apart."""
    for setting in settings_of(group, path):
        if setting.group is None:
            yield setting
        else:
            yield from all_settings(setting.group, f"{setting.path}[]" if setting.is_list else setting.path)


def setting_at(location: Sequence[str | int]) -> Setting | None:
    """The setting at a place in a document, as (`listeners`, 1, `tls`); None if there is none."""
    group: type[Settings] | None = Configuration
    found: Setting | None = None
    for name in (part for part in location if isinstance(part, str)):
        if group is None or name not in group.model_fields:
            return None
        found = Setting(name, group.model_fields[name])
        group = found.group
    return found


def _given(annotation: Any) -> Any:
    """The type of a value that is given: without None, and without its marks."""
    if get_origin(annotation) is Annotated:
        return _given(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return next(_given(each) for each in get_args(annotation) if each is not NoneType)
    return annotation


def _mark(kind: type[Mark], annotation: Any, metadata: Sequence[Any]) -> Mark | None:
    """The mark of that kind on the value itself (marks on the items of a list are theirs)."""
    for mark in metadata:
        if isinstance(mark, kind):
            return mark
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return _mark(kind, inner, marks)
    if get_origin(annotation) in (Union, UnionType):
        return next((found for each in get_args(annotation) if (found := _mark(kind, each, ()))), None)
    return None


def _kind(annotation: Any, metadata: Sequence[Any]) -> str:
    words = _mark(Words, annotation, metadata)
    if words is not None:
        return words.text
    given = _given(annotation)
    if get_origin(given) is Literal:
        return "one of " + ", ".join(get_args(given))
    if get_origin(given) is tuple:
        return _list_kind(get_args(given)[0], metadata)
    if given is bool:
        return "true or false"
    if given in (int, float):
        return _number_kind("a whole number" if given is int else "a number", annotation, metadata)
    return "a table of settings" if isinstance(given, type) and issubclass(given, Settings) else "text in quotes"


def _list_kind(item: Any, metadata: Sequence[Any]) -> str:
    if isinstance(item, type) and issubclass(item, Settings):
        return "a list of tables, written in [[ ]]"
    fewest = any(isinstance(mark, MinLen) and mark.min_length > 0 for mark in metadata)
    return f"a list{' of at least one item' if fewest else ''}, each {_kind(item, ())}"


def _number_kind(number: str, annotation: Any, metadata: Sequence[Any]) -> str:
    unit, least, most = (_mark(kind, annotation, metadata) for kind in (Unit, Ge, Le))
    text = f"{number} of {unit.text}" if isinstance(unit, Unit) else number
    if isinstance(least, Ge):
        text += f" from {least.ge}"
    if isinstance(most, Le):
        text += f" to {most.le}"
    return text
