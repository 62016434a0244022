"""Frames of the channel: how one JSON message, with its descriptors, travels on a byte stream.

A frame is a head of five bytes (length of the text, number of descriptors) and the message as JSON text.
The descriptors themselves ride beside the first byte (SCM_RIGHTS, unix(7)); because the kernel never hands
them out before that byte, counting them in the head is enough to know whose they are.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

HEAD = struct.Struct("!IB")
LARGEST_FRAME = 16 * 1024 * 1024
MOST_DESCRIPTORS = 250  # the kernel's SCM_MAX_FD is 253


class FrameError(ValueError):
    """Bytes that are no frame; the sentence says why. Nothing after them can be trusted."""


# A message that contains itself is found out by the depth of the recursion; looking for it costs each one.
_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_parse = json.JSONDecoder().raw_decode


def encode(message: Any, descriptors: int = 0) -> bytes:
    """One frame. Raises FrameError for what JSON cannot carry or what exceeds the limits."""
    try:
        text = _text(message).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"a message that is no JSON: {error}") from error
    if len(text) > LARGEST_FRAME:
        raise FrameError(f"a message of {len(text)} bytes, more than the {LARGEST_FRAME} a channel carries")
    if descriptors > MOST_DESCRIPTORS:
        raise FrameError(f"{descriptors} descriptors in one message, more than {MOST_DESCRIPTORS}")
    return HEAD.pack(len(text), descriptors) + text


class FrameReader:
    """Cuts a stream into (message, number of descriptors), whatever the chunks it comes in."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Any, int]]:
        """The messages that are complete now, in order. Raises FrameError; the reader is useless then."""
        rest: bytes | bytearray = data
        if self._rest:
            self._rest += data
            rest = self._rest
        at, size = 0, len(rest)
        while size - at >= HEAD.size:
            length, descriptors = HEAD.unpack_from(rest, at)
            if length > LARGEST_FRAME or descriptors > MOST_DESCRIPTORS:
                raise FrameError(f"a head that announces {length} bytes and {descriptors} descriptors")
            end = at + HEAD.size + length
            if end > size:
                break
            yield _message(rest[at + HEAD.size : end]), descriptors
            at = end
        if rest is data:
            self._rest += data[at:]
        else:
            del self._rest[:at]


def _message(data: bytes | bytearray) -> Any:
    try:
        text = data.decode("ascii")
        message, end = _parse(text)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise FrameError(f"a message that is no JSON: {error}") from error
    if end < len(text):
        raise FrameError("a message that is no JSON: it goes on after its end")
    return message
