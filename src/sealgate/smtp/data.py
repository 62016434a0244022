"""The data of a message: where it ends, what its dots mean, and which line endings it may have.

Only <CRLF>.<CRLF> ends it. A bare CR or LF never does, so that no two servers can disagree about where a
message ends (SMTP smuggling); by default it makes the gateway refuse the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BareLineEndings(StrEnum):
    """What becomes of a message with a CR or LF that stands alone."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class DataEnd:
    """The end of the data: its size without stuffed dots, and what is wrong with it."""

    size: int
    bare: bool
    too_large: bool


class DataReader:
    """Undoes the transparency of RFC 5321 §4.5.2, whatever the chunks."""

    def __init__(self, bare: BareLineEndings, limit: int) -> None:
        self._refuses_bare = bare is BareLineEndings.REFUSE
        self._limit = limit
        self._held = b"\r\n"  # the end of the DATA command: a first line of "." ends the message
        self._first = True
        self._size = 0
        self._bare = False

    def feed(self, data: bytes) -> tuple[bytes, DataEnd | None, bytes]:
        """The plain data of this piece, the end if it was in it, and what follows the end."""
        data = self._held + data
        end = data.find(b"\r\n.\r\n")
        rest = b""
        if end >= 0:
            rest = data[end + 5 :]
            data = data[: end + 2]
            self._held = b""
        else:
            # Up to four bytes may be the beginning of the end, or of a stuffed dot.
            keep = _undecided(data)
            self._held = data[len(data) - keep :] if keep else b""
            data = data[: len(data) - keep] if keep else data
        self._look_for_bare(data, ended=end >= 0)
        plain = data.replace(b"\r\n.", b"\r\n")
        if self._first and plain:
            plain = plain[2:]
            self._first = False
        self._size += len(plain)
        over = self._size > self._limit
        if (self._bare and self._refuses_bare) or over:
            plain = b""
        if end < 0:
            return plain, None, b""
        return plain, DataEnd(self._size, self._bare and self._refuses_bare, over), rest

    def _look_for_bare(self, data: bytes, *, ended: bool) -> None:
        """Every CR and every LF must be half of a CRLF. A CRLF is never cut in two by `_undecided`."""
        if not self._bare:
            pairs = data.count(b"\r\n")
            self._bare = data.count(b"\r") != pairs or data.count(b"\n") != pairs


def _undecided(data: bytes) -> int:
    """How many bytes at the end might belong to something that the next piece completes."""
    for size, tail in ((4, b"\r\n.\r"), (3, b"\r\n."), (2, b"\r\n"), (1, b"\r")):
        if data.endswith(tail):
            return size
    return 0


class Stuffer:
    """Makes a streamed body safe to send: doubles leading dots and ends with <CRLF>.<CRLF>."""

    def __init__(self) -> None:
        self._tail = b"\r\n"

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the body as it goes on the wire."""
        if not chunk:
            return b""
        joined = self._tail + chunk
        stuffed = joined.replace(b"\r\n.", b"\r\n..")[len(self._tail) :]
        self._tail = joined[-2:]
        return stuffed

    def end(self) -> bytes:
        """What ends the data; a body without a final CRLF gets one."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
