"""Reading a message again: its header, or as much of the whole as is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

Body = Callable[[], AsyncIterator[bytes]]
"""The message from its beginning, as often as it is called. `OSError` if it cannot be read."""

HEADER_LIMIT = 65536
"""Bytes of a message that are searched for the end of its header."""


async def header_of(body: Body) -> bytes:
    """The header with the end of its last line; of an endless one as much as `HEADER_LIMIT` allows."""
    text = await beginning_of(body, HEADER_LIMIT, until=b"\r\n\r\n")
    return text.partition(b"\r\n\r\n")[0].removesuffix(b"\r\n") + b"\r\n"


async def beginning_of(body: Body, limit: int, until: bytes | None = None) -> bytes:
    """The pieces from the beginning until there are more than `limit` bytes, or `until` is among them."""
    text = bytearray()
    async for piece in body():
        text += piece
        if len(text) > limit or (until is not None and until in text):
            break
    return bytes(text)
