"""Small bodies that have just been written, so that their first delivery need not read them."""

from __future__ import annotations

LIMIT = 16 * 1024 * 1024
"""Bytes of bodies that are remembered; then the oldest go."""


class Cache:
    """Bodies by MID, within a limit of bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._bodies: dict[int, bytes] = {}
        self._size = 0

    def remember(self, mid: int, body: bytes) -> None:
        """Keep this one; the oldest make room."""
        self.forget(mid)
        self._bodies[mid] = body
        self._size += len(body)
        while self._size > self._limit:
            self.forget(next(iter(self._bodies)))

    def get(self, mid: int) -> bytes | None:
        """The body, if it is remembered."""
        return self._bodies.get(mid)

    def forget(self, mid: int) -> None:
        """It is not needed any more."""
        self._size -= len(self._bodies.pop(mid, b""))
