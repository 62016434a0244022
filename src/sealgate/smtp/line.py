"""What has been received and not yet read, line by line: the one buffer of both machines."""

from __future__ import annotations


class LineBuffer:
    """Received bytes. No line may be longer than `limit` bytes, its line feed included.

    Of a line that is longer only the beginning is kept, so a peer that never ends one costs no memory. A new `limit`
    holds for what comes; a line that was too long stays so.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._shortened = False
        self._bytes = b""
        self._read = 0
        self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes) - self._read

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer. They are copied only if some wait already."""
        searched = self._searched - self._read
        self._hold(self._bytes[self._read :] + data, searched)

    def next_line(self) -> bytes | None:
        """The next line with its line feed, or None before that came.

        A line that is too long comes once it has ended, as its first `limit` bytes, without a line feed.
        """
        begin, end = self._read, self._bytes.find(b"\n", self._searched) + 1
        if not end:
            kept = self._bytes[begin : begin + self.limit]
            self._shortened = self._shortened or len(kept) < len(self)
            self._hold(kept, len(kept))
            return None
        self._read = self._searched = end
        shortened, self._shortened = self._shortened, False
        return self._bytes[begin : min(end - shortened, begin + self.limit)]

    def take(self, most: int | None = None) -> bytes:
        """Everything, lines or not, or the first `most` bytes of it."""
        end = len(self._bytes) if most is None else min(self._read + most, len(self._bytes))
        data = self._bytes[self._read : end]
        if end == len(self._bytes):
            self._hold(b"", 0)
        else:
            self._read = self._searched = end
        return data

    def _hold(self, data: bytes, searched: int) -> None:
        self._bytes, self._read, self._searched = data, 0, searched
