"""The data of a message: where it ends, what its dots mean, which line endings it may have and how much it may be.

Only <CRLF>.<CRLF> ends it. A bare CR or LF never does, so that no two servers can disagree about where a
message ends (SMTP smuggling); by default it makes the gateway refuse the message. Nothing here rewrites a
line ending, and no loop in Python looks at bytes or lines: bodies pass at the speed of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from io import IncrementalNewlineDecoder

from sealgate.mail.reply import Reply
from sealgate.smtp import replies

_END = b"\r\n.\r\n"


class BareLineEndings(StrEnum):
    """What becomes of a message with a CR or LF that stands alone."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class DataEnd:
    """The end of the data: its size in bytes without stuffed dots, and what forbids to take the message, if anything.

    `bare`: it holds a CR or LF that stands alone, allowed or not.
    """

    size: int
    bare: bool
    fault: Reply | None


class Tally:
    """What a message amounts to while it passes, by DATA or in chunks: its size, and how its lines end."""

    def __init__(self, bare: BareLineEndings, limit: int) -> None:
        self._refuses_bare = bare is BareLineEndings.REFUSE
        self._limit = limit
        self._endings = _LineEndings()
        self._size = self._announced = 0

    def announce(self, size: int) -> None:
        """So many bytes more are to come: if those are too many, none of them passes."""
        self._announced = self._size + size

    def see(self, plain: bytes) -> bytes:
        """Count the next piece. It comes back, or nothing once the message may not be taken."""
        self._size += len(plain)
        self._endings.see(plain)
        return b"" if self.fault else plain

    @property
    def fault(self) -> Reply | None:
        """What forbids by now to take the message."""
        if self._refuses_bare and self._endings.bare:
            return replies.BARE_IN_BODY
        return replies.MESSAGE_TOO_LARGE if max(self._size, self._announced) > self._limit else None

    def end(self) -> DataEnd:
        """The message is whole."""
        self._endings.end()
        return DataEnd(self._size, self._endings.bare, self.fault)


class DataReader:
    """Finds the end of a message and undoes its dots (RFC 5321 §4.5.2)."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        # The CRLF of the DATA command: with it a dot on the first line is like any other (RFC 5321 §4.1.1.4).
        self._held = b"\r\n"
        self._ahead = len(self._held)

    def feed(self, data: bytes) -> tuple[bytes, DataEnd | None, bytes]:
        """The plain bytes that this piece settles, the end if it is reached, and what follows the end.

        The same for any cutting into pieces. No more plain bytes come once the message may not be taken.
        """
        data = self._held + data
        dot = data.find(b"\r\n.")
        end = data.find(_END, dot) if dot >= 0 else -1
        settled = end + 2 if end >= 0 else len(data) - _undecided(data)
        plain = data[:settled]
        if dot >= 0:
            plain = plain.replace(b"\r\n.", b"\r\n")
        if plain:
            plain, self._ahead = plain[self._ahead :], 0
            plain = self._tally.see(plain)
        if end < 0:
            self._held = data[settled:]
            return plain, None, b""
        return plain, self._tally.end(), data[end + len(_END) :]


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
        """Look at the next piece. It may end between a CR and its LF: the scanner keeps the CR in mind."""
        self._scan(data, whole=False)

    def end(self) -> None:
        """Nothing follows: a CR that came last stands alone."""
        self._scan(b"", whole=True)

    def _scan(self, data: bytes, *, whole: bool) -> None:
        if not self.bare:
            self._scanner.decode(data.decode("latin-1"), whole)
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
