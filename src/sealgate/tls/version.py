"""Protocol versions, and the selections of them that a service may speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise


class SelectionError(ValueError):
    """No legal selection; the sentence says what is missing."""


class ProtocolVersion(IntEnum):
    """A version of TLS by its number on the wire, so that older is less."""

    TLS1_0 = 0x0301
    TLS1_1 = 0x0302
    TLS1_2 = 0x0303
    TLS1_3 = 0x0304

    @property
    def number(self) -> str:
        """ "1.0" to "1.3", as settings write it."""
        return f"1.{self.value - 0x0301}"

    @property
    def label(self) -> str:
        """ "TLSv1" to "TLSv1.3", as OpenSSL and the log write it."""
        return "TLSv1" if self is ProtocolVersion.TLS1_0 else f"TLSv{self.number}"

    @property
    def method(self) -> str:
        """ "tlsv1_0" to "tlsv1_3", as `sslconfig` writes it."""
        return f"tlsv{self.number.replace('.', '_')}"


def parse_version(text: str) -> ProtocolVersion:
    """Read "1.2", "TLSv1.2", "tlsv1_2" or "TLS v1.2"; "TLSv1" is TLS 1.0, as OpenSSL calls it."""
    number = text.strip().lower().replace(" ", "").removeprefix("tls").removeprefix("v").replace("_", ".")
    for version in ProtocolVersion:
        if version.number == ("1.0" if number == "1" else number):
            return version
    raise SelectionError(f"{text!r} is no TLS version; the versions are 1.0, 1.1, 1.2 and 1.3")


@dataclass(frozen=True, slots=True)
class Selection:
    """The versions a service speaks: one unbroken run, so that a hole cannot be expressed.

    A hole would make a client offer only what lies below it: 1.1 + 1.3 would silently negotiate 1.1.
    """

    lowest: ProtocolVersion
    highest: ProtocolVersion

    def __post_init__(self) -> None:
        if self.lowest > self.highest:
            raise SelectionError(
                f"TLS {self.lowest.number} is above TLS {self.highest.number}; write the lower version first"
            )

    def __iter__(self) -> Iterator[ProtocolVersion]:
        return (version for version in ProtocolVersion if version in self)

    def __contains__(self, version: object) -> bool:
        return isinstance(version, ProtocolVersion) and self.lowest <= version <= self.highest

    def __str__(self) -> str:
        if self.lowest is self.highest:
            return self.lowest.number
        return f"{self.lowest.number}-{self.highest.number}"

    @property
    def method(self) -> str:
        """Its versions in ascending order without separators, as `sslconfig` shows them."""
        return "".join(version.method for version in self)

    @classmethod
    def of(cls, versions: Iterable[ProtocolVersion]) -> Selection:
        """The run that these versions make; `SelectionError` names what a gap would need."""
        chosen = sorted(set(versions))
        if not chosen:
            raise SelectionError("no TLS version is selected; select at least one")
        for below, above in pairwise(chosen):
            bridge = " and ".join(f"TLS {version.number}" for version in cls(below, above) if below < version < above)
            if bridge:
                raise SelectionError(
                    f"TLS {below.number} and TLS {above.number} need {bridge} between them: "
                    "the versions of a service must be one unbroken run"
                )
        return cls(chosen[0], chosen[-1])

    @classmethod
    def parse(cls, text: str) -> Selection:
        """Read "1.3", "1.0-1.2" or "1.2,1.3"."""
        if "-" in text:
            lowest, _, highest = text.partition("-")
            return cls(parse_version(lowest), parse_version(highest))
        return cls.of(parse_version(part) for part in text.split(",") if part.strip())


LEGAL_SELECTIONS = tuple(
    Selection(lowest, highest) for lowest in ProtocolVersion for highest in ProtocolVersion if lowest <= highest
)
"""All ten."""
