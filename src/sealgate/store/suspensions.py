"""What operators have suspended: one small file in the home directory, replaced as a whole.

It is the state of the operation, not a configuration: it outlives every process and is no revision. Control writes
it; workers read it when they start and whenever it has changed, so that they obey while control is dead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sealgate.store.body import sync_folder
from sealgate.store.database import StoreError

FILE = "suspended.json"

Kind = Literal["listener", "delivery", "destination"]

ANY = "*"
"""As a name: every listener, those to come included."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """One thing that is suspended: a listener by its name, delivery as a whole, or a destination domain.

    `at` is in seconds since the epoch. `name` is empty for delivery; a destination's may be `.domain`: all below it.
    """

    kind: Kind
    name: str
    who: str = ""
    at: float = 0.0

    @property
    def key(self) -> tuple[Kind, str]:
        """What can be suspended only once."""
        return self.kind, self.name

    @property
    def words(self) -> str:
        """For the log and for people."""
        if self.kind == "delivery":
            return "delivery"
        if self.name == ANY:
            return "all listeners"
        return f"{self.kind} {self.name}"


class Suspensions:
    """All that is suspended at one moment."""

    def __init__(self, each: Iterable[Suspension] = ()) -> None:
        self._each = {one.key: one for one in each}

    def __iter__(self) -> Iterator[Suspension]:
        return iter(self._each.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Suspensions) and self._each == other._each

    __hash__ = None  # type: ignore[assignment]  # equal by what they hold

    def listener(self, name: str) -> bool:
        """Whether that listener takes no new connections."""
        return ("listener", ANY) in self._each or ("listener", name) in self._each

    def destination(self, domain: str) -> bool:
        """Whether nothing is delivered to that domain."""
        if ("delivery", "") in self._each:
            return True
        return any(("destination", name) in self._each for name in _names(domain)) if self._each else False

    def with_these(self, new: Iterable[Suspension]) -> Suspensions:
        """More is suspended; what is already, stays as it was."""
        return Suspensions({**{one.key: one for one in new}, **self._each}.values())

    def without(self, keys: Iterable[tuple[str, str]]) -> Suspensions:
        """Less is suspended."""
        gone = set(keys)
        return Suspensions(one for one in self if one.key not in gone)


def _names(domain: str) -> Iterator[str]:
    """Every name that means this domain: its own, and `.parent` of each parent."""
    yield domain
    _, dot, parent = domain.partition(".")
    while dot:
        yield f".{parent}"
        _, dot, parent = parent.partition(".")


EVERYTHING = (Suspension("listener", ANY), Suspension("delivery", ""))


class SuspensionFile:
    """The file. One process writes it, any may read."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / FILE
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> Suspensions:
        """What is suspended now. Raises `StoreError` if the file cannot be read or understood."""
        self._seen = self._mark()
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return Suspensions()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"cannot read {self._path}: {getattr(error, 'strerror', None) or error}") from error
        try:
            return Suspensions(_suspension(each) for each in json.loads(text))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise StoreError(
                f"{self._path} does not say what is suspended; `sealgate resume all` writes it anew"
            ) from error

    def has_changed(self) -> bool:
        """Whether it is another file than the one that was read last."""
        return self._mark() != self._seen

    def write(self, suspensions: Suspensions) -> None:
        """Replace it; durable when this returns. `StoreError` leaves what was."""
        new = self._path.with_suffix(".new")
        try:
            with open(new, "w", encoding="utf-8", opener=_private) as file:
                file.write(json.dumps([asdict(one) for one in suspensions], indent=1))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            sync_folder(self._home)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from error

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _suspension(each: dict[str, Any]) -> Suspension:
    one = Suspension(each["kind"], str(each["name"]), str(each.get("who", "")), float(each.get("at", 0.0)))
    if one.kind not in get_args(Kind):
        raise ValueError(f"{one.kind!r} cannot be suspended")
    return one


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
