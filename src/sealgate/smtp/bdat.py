"""A message in chunks (RFC 3030): counted octets instead of lines, and no dot means anything.

What DATA demands of a message is demanded of its chunks together: they are one message, cut anywhere.
"""

from __future__ import annotations

import re

from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.data import Tally
from sealgate.smtp.event import Bdat, ChunkEnd, MessageEnd, Refusal


class ChunkedMessage:
    """The message of one transaction, from its first BDAT to its last. `left` octets of a chunk are still to come."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._chunk = Bdat(0, last=False)
        self.left = 0

    def begin(self, chunk: Bdat) -> None:
        """The next BDAT has come."""
        self._chunk, self.left = chunk, chunk.size
        self._tally.announce(chunk.size)

    def take(self, octets: bytes) -> bytes:
        """Take octets of the chunk, at most `left`. They come back, or nothing once the message may not be taken."""
        self.left -= len(octets)
        return self._tally.see(octets)

    def end(self) -> ChunkEnd | MessageEnd:
        """No octet is left."""
        if self._chunk.last:
            end = self._tally.end()
            return MessageEnd(end.size, end.fault, end.bare)
        return ChunkEnd(self._tally.fault or replies.chunk_ok(self._chunk.size))


class RefusedChunk:
    """The octets behind a BDAT that is refused: they must come before its refusal does (RFC 3030 §2)."""

    def __init__(self, chunk: Bdat, refusal: Refusal) -> None:
        self.left = chunk.size
        self._refusal = refusal

    def take(self, octets: bytes) -> bytes:
        """Forget these octets."""
        self.left -= len(octets)
        return b""

    def end(self) -> Refusal:
        """No octet is left."""
        return self._refusal


Source = ChunkedMessage | RefusedChunk


_BDAT = re.compile(rb"([0-9]{1,20})(?:[ \t]+(LAST))?", re.IGNORECASE)  # as many digits as SIZE may have (RFC 1870 §3)


def read_bdat(parameters: bytes) -> Bdat | Reply:
    """`BDAT size [LAST]` (RFC 3030 §2)."""
    match = _BDAT.fullmatch(parameters.strip(b" \t"))
    return replies.BDAT_SYNTAX if match is None else Bdat(int(match[1]), match[2] is not None)
