"""How much TLS a destination must have before mail leaves: ordered, and compared."""

from __future__ import annotations

from enum import IntEnum


class TlsLevel(IntEnum):
    """Stricter is greater."""

    NO = 0
    PREFERRED = 1
    PREFERRED_VERIFY = 2
    REQUIRED = 3
    REQUIRED_VERIFY = 4

    @property
    def word(self) -> str:
        """As settings write it."""
        return self.name.lower().replace("_", "-")

    @property
    def label(self) -> str:
        """As Destination Controls shows it."""
        return self.name.title().replace("_", " - ")

    @property
    def requires_tls(self) -> bool:
        """Whether nothing may leave in clear text."""
        return self >= TlsLevel.REQUIRED

    @property
    def verifies(self) -> bool:
        """Whether the certificate is looked at."""
        return self in (TlsLevel.PREFERRED_VERIFY, TlsLevel.REQUIRED_VERIFY)

    @classmethod
    def of(cls, word: str) -> TlsLevel:
        """The level that a setting names; `ValueError` for any other word."""
        for level in cls:
            if level.word == word:
                return level
        raise ValueError(f"{word!r} is no TLS level; the levels are {', '.join(each.word for each in cls)}")
