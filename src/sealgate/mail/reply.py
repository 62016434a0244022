"""SMTP replies: those the gateway gives and those it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReplyStyle(StrEnum):
    """How an enhanced status code is written."""

    RFC2034 = "rfc2034"  # "5.7.0 Must…": what ENHANCEDSTATUSCODES promises
    ASYNCOS = "asyncos"  # "#5.7.0 Must…": as AsyncOS writes it; the extension is not offered then


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of one or more lines. `enhanced` is the code of RFC 3463, or empty."""

    code: int
    text: str | tuple[str, ...]
    enhanced: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """Its text, a line each."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def is_positive(self) -> bool:
        """2xx or 3xx."""
        return 200 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        """4xx: it may work later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5xx: it will not work later either."""
        return 500 <= self.code < 600

    def encode(self, style: ReplyStyle = ReplyStyle.RFC2034) -> bytes:
        """As it stands on the wire, whole."""
        code = ""
        if self.enhanced:
            code = f"{'#' if style is ReplyStyle.ASYNCOS else ''}{self.enhanced} "
        *before, last = self.lines
        parts = [f"{self.code}-{code}{line}\r\n" for line in before]
        parts.append(f"{self.code} {code}{last}\r\n")
        return "".join(parts).encode("ascii", "replace")
