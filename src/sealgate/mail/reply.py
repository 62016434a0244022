"""SMTP replies (RFC 5321 §4.2): those the gateway gives and those it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReplyStyle(StrEnum):
    """How the gateway writes an enhanced status code (RFC 3463)."""

    RFC2034 = "rfc2034"  # "530 5.7.0 Must…", "250 2.0.0 ok": what ENHANCEDSTATUSCODES promises
    ASYNCOS = "asyncos"  # "530 #5.7.0 Must…", "250 ok": as AsyncOS writes them; the extension is not offered


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of one or more lines, each of them printable.

    `enhanced` is the enhanced status code, or empty. In a reply of the gateway's own the text does not
    repeat it; a reply that was received keeps its text as the server wrote it.
    """

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

    def encode(self, style: ReplyStyle = ReplyStyle.RFC2034, *, utf8: bool = False) -> bytes:
        """As it stands on the wire, whole; what is not ASCII is escaped, except where the client reads `utf8`."""
        status = self._status(style)
        *before, last = self.lines
        lines = [f"{self.code}-{status}{line}\r\n" for line in before]
        lines.append(f"{self.code} {status}{last}\r\n")
        return "".join(lines).encode("utf-8" if utf8 else "ascii", "backslashreplace")

    def _status(self, style: ReplyStyle) -> str:
        """What stands before the text of every line (RFC 2034 §4)."""
        if not self.enhanced:
            return ""
        if style is ReplyStyle.RFC2034:
            return f"{self.enhanced} "
        return "" if self.is_positive else f"#{self.enhanced} "
