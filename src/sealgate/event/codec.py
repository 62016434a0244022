"""The record's form of a fact: one line of JSON in ASCII, which decodes to the very same value.

A line is an object with `at` (UTC, RFC 3339 with microseconds), `source` (the process), `event` (the name of
the fact) and the fields of the fact. Writers and readers are made once for every class from its annotations,
so that a field is declared in one place only. A reader skips fields that it does not know and fills in
defaults, which is what keeps old records readable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from json.encoder import encode_basestring_ascii
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sealgate.event import facts
from sealgate.event.base import Event


class RecordError(ValueError):
    """A line that is no record; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Record:
    """A fact, when it was stated, and by which process of the gateway."""

    at: datetime
    source: str
    event: Event


def encode(record: Record) -> bytes:
    """The line of a record, with its end."""
    name, members = _WRITERS[type(record.event)]
    head = f'{{"at":{_write_time(record.at)},"source":{encode_basestring_ascii(record.source)},"event":{name}'
    text = "".join([f"{label}{write(getattr(record.event, field))}" for label, field, write in members])
    return f"{head}{text}}}\n".encode("ascii")


def decode(line: bytes) -> Record:
    """The record of a line; `RecordError` if it is none."""
    try:
        data = json.loads(line)
        name = data["event"]
        if name not in EVENTS:
            raise RecordError(f"{name!r} is no fact that this version knows")
        return Record(_read_time(data["at"]), _read_text(data["source"]), _READERS[name](data))
    except RecordError:
        raise
    except KeyError as error:
        raise RecordError(f"the record lacks {error}") from error
    except (ValueError, TypeError) as error:
        raise RecordError(f"this is no record: {error}") from error


EVENTS: Mapping[str, type[Event]] = {
    name: kind
    for name, kind in vars(facts).items()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}
"""Every fact by its name."""

_Write = Callable[[Any], str]
_Read = Callable[[Any], Any]


def _write_time(at: datetime) -> str:
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f'"{at.isoformat(timespec="microseconds")[:26]}Z"'


def _read_time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise RecordError(f"the time {value!r} has no zone")
    return at


def _members(kind: type) -> list[tuple[str, str, _Write]]:
    """Label, field and writer of all that a dataclass holds; each label begins with the comma before it."""
    hints = get_type_hints(kind)
    return [(f',"{field.name}":', field.name, _writer(hints[field.name])) for field in fields(kind)]


def _writer(hint: Any) -> _Write:
    """What turns a value of this annotation into JSON."""
    if inner := _inside_optional(hint):
        write = _writer(inner)
        return lambda value: "null" if value is None else write(value)
    if get_origin(hint) is tuple:
        write = _writer(get_args(hint)[0])
        return lambda value: f"[{','.join(map(write, value))}]"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member: json.dumps(_enum_text(member)) for member in hint}.__getitem__
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_writer(hint)
    return _SCALAR_WRITERS[str if get_origin(hint) is Literal else hint]


def _object_writer(kind: type) -> _Write:
    members = _members(kind)

    def write(value: Any) -> str:
        text = "".join([f"{label}{write(getattr(value, field))}" for label, field, write in members])
        return f"{{{text[1:]}}}"

    return write


def _reader(hint: Any) -> _Read:
    """What turns JSON back into a value of this annotation."""
    if inner := _inside_optional(hint):
        read = _reader(inner)
        return lambda data: None if data is None else read(data)
    if get_origin(hint) is tuple:
        read = _reader(get_args(hint)[0])
        return lambda data: tuple(map(read, data))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {_enum_text(member): member for member in hint}.__getitem__
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_reader(hint)
    return _SCALAR_READERS[str if get_origin(hint) is Literal else hint]


def _object_reader(kind: type) -> _Read:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    optional = {field.name for field in fields(kind) if field.default is not MISSING}

    def read(data: dict[str, Any]) -> Any:
        names = [name for name in readers if name in data or name not in optional]
        return kind(**{name: readers[name](data[name]) for name in names})

    return read


def _inside_optional(hint: Any) -> Any:
    """X of `X | None`; None for every other annotation."""
    if get_origin(hint) not in (Union, UnionType):
        return None
    (inner,) = (each for each in get_args(hint) if each is not NoneType)
    return inner


def _enum_text(member: Enum) -> str:
    """Words by their value, numbers by their name, so that a line reads without a table."""
    return member.value if isinstance(member.value, str) else member.name


def _checked(kind: type) -> _Read:
    def read(data: Any) -> Any:
        if type(data) is not kind:
            raise RecordError(f"{data!r} stands where {kind.__name__} is due")
        return data

    return read


_read_text = _checked(str)

_SCALAR_WRITERS: Mapping[type, _Write] = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    float: lambda value: float.__repr__(float(value)),
    bool: {True: "true", False: "false"}.__getitem__,
    datetime: _write_time,
}
_SCALAR_READERS: Mapping[type, _Read] = {
    str: _read_text,
    int: _checked(int),
    float: _checked(float),
    bool: _checked(bool),
    datetime: _read_time,
}

_WRITERS = {kind: (json.dumps(name), _members(kind)) for name, kind in EVENTS.items()}
_READERS = {name: _reader(kind) for name, kind in EVENTS.items()}
