"""The data of a message: where it ends, what its dots mean, and which line endings it may have.

Only <CRLF>.<CRLF> ends it. A bare CR or LF never does, so that no two servers can disagree about where a
message ends (SMTP smuggling); by default it makes the gateway refuse the message. Nothing here rewrites a
line ending, and no loop in Python looks at bytes or lines: bodies pass at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from io import IncrementalNewlineDecoder

_END = b"\r\n.\r\n"


class BareLineEndings(StrEnum):
    """What becomes of a message with a CR or LF that stands alone."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class DataEnd:
    """The end of the data: its size in bytes without stuffed dots, and what forbids to take the message."""

    size: int
    bare: bool
    too_large: bool


class DataReader:
    """Finds the end of a message of at most `limit` bytes and undoes its dots (RFC 5321 §4.5.2)."""

    def __init__(self, bare: BareLineEndings, limit: int) -> None:
        self._limit = limit
        self._endings = _LineEndings() if bare is BareLineEndings.REFUSE else None
        # The CRLF of the DATA command: with it a dot on the first line is like any other (RFC 5321 §4.1.1.4).
        self._held = b"\r\n"
        self._ahead = len(self._held)
        self._size = 0

    def feed(self, data: bytes) -> tuple[bytes, DataEnd | None, bytes]:
        """The plain bytes that this piece settles, the end if it is reached, and what follows the end.

        The same for any cutting into pieces. No more plain bytes come once the message may not be taken.
        """
        data = self._held + data
        dot = data.find(b"\r\n.")
        end = data.find(_END, dot) if dot >= 0 else -1
        settled = end + 2 if end >= 0 else len(data) - _undecided(data)
        plain = data[:settled]
        if self._endings is not None:
            self._endings.see(plain)
        if dot >= 0:
            plain = plain.replace(b"\r\n.", b"\r\n")
        if plain:
            plain, self._ahead = plain[self._ahead :], 0
            self._size += len(plain)
        if self._refused():
            plain = b""
        if end < 0:
            self._held = data[settled:]
            return plain, None, b""
        return plain, self._ended(), data[end + len(_END) :]

    def _refused(self) -> bool:
        return self._size > self._limit or (self._endings is not None and self._endings.bare)

    def _ended(self) -> DataEnd:
        bare = self._endings is not None and self._endings.bare
        return DataEnd(self._size, bare, self._size > self._limit)


def _undecided(data: bytes) -> int:
    """How many bytes at the end the next piece may complete to an end, a stuffed dot or a line ending."""
    for tail in (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r"):
        if data.endswith(tail):
            return len(tail)
    return 0


class _LineEndings:
    """Looks for CR and LF that stand alone, by the standard library's own scanner: one pass in C."""

    def __init__(self) -> None:
        self.bare = False
        self._scanner = IncrementalNewlineDecoder(None, translate=False)

    def see(self, data: bytes) -> None:
        """Look at the next piece; it does not end between a CR and its LF."""
        if not self.bare:
            self._scanner.decode(data.decode("latin-1"))
            self.bare = self._scanner.newlines not in (None, "\r\n")


class Stuffer:
    """Makes a streamed body safe to send: doubles leading dots and ends it (RFC 5321 §4.5.2)."""

    def __init__(self) -> None:
        self._tail = b"\r\n"

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the body as it goes on the wire."""
        joined = self._tail + chunk
        stuffed = joined.replace(b"\r\n.", b"\r\n..")[len(self._tail) :]
        self._tail = joined[-2:]
        return stuffed

    def end(self) -> bytes:
        """What ends the data; a body without a final CRLF gets one."""
        return b".\r\n" if self._tail == b"\r\n" else _END
