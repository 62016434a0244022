"""What has been received and not yet read, line by line: the one buffer of both machines."""

from __future__ import annotations


class LineBuffer:
    """Received bytes. No line may be longer than `limit` bytes, its line feed included.

    Of a line that is longer only the beginning is kept, so a peer that never ends one costs no memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = bytearray()
        self._searched = 0

    def __len__(self) -> int:
        return len(self._bytes)

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._bytes += data

    def next_line(self) -> bytes | None:
        """The next line with its line feed, or None before that came.

        A line that is too long comes once it has ended, as its first `limit` bytes, without a line feed.
        """
        end = self._bytes.find(b"\n", self._searched)
        if end < 0:
            del self._bytes[self._limit :]
            self._searched = len(self._bytes)
            return None
        line = bytes(self._bytes[: min(end + 1, self._limit)])
        del self._bytes[: end + 1]
        self._searched = 0
        return line

    def take(self) -> bytes:
        """Everything, lines or not; the buffer is empty then."""
        data = bytes(self._bytes)
        self.clear()
        return data

    def clear(self) -> None:
        """Forget everything."""
        self._bytes.clear()
        self._searched = 0
