"""What every group of settings has in common, and the marks that a setting may carry beside its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Strict


class Settings(BaseModel):
    """A group of settings: values that JSON and TOML can hold, never changed once made.

    A group judges each value by itself; rules between values stand in `config.check`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Row(Settings):
    """One row of a table of settings. `identity` names the setting that tells rows apart."""

    identity: ClassVar[str] = "name"
    ordered: ClassVar[bool] = False
    """Whether it matters where a row stands."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a value is, for people: "a host name"."""

    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts: "seconds"."""

    text: str


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What holds while the setting is not given, where a plain value cannot say it."""

    text: str


@dataclass(frozen=True, slots=True)
class Names:
    """The value names a row of this table: "policies"."""

    table: str


@dataclass(frozen=True, slots=True)
class Secret:
    """Masked wherever it is shown."""


MASK = "********"
"""What stands for a secret. A configuration that contains it cannot be loaded."""

# A number is a number: neither "25" nor true is one. TOML and JSON both tell them apart.
Whole = Annotated[int, Strict()]
Count = Whole
Octets = Annotated[int, Strict(), Unit("bytes")]
Seconds = Annotated[float, Strict(), Unit("seconds")]
Flag = Annotated[bool, Strict()]
