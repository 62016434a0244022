"""HTTP without TLS on a port of HTTPS: whoever looks is sent to the right place, whoever sends is told why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LARGEST = 8192
"""Bytes that are waited for until the head of a request is whole."""

_METHOD = re.compile(rb"[A-Z]{1,20}(?: |$)")
_REQUEST = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.[01]\r?\n", re.ASCII)
_HOST = re.compile(rb"\r?\nHost:[ \t]*([A-Za-z0-9.:\[\]-]{1,260})[ \t]*\r?\n", re.IGNORECASE)

_REFUSAL = "This port speaks HTTPS, and what was sent came without TLS. Use https:// instead of http://.\n"


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """What is answered: a status and all bytes of it."""

    status: int
    data: bytes


def looks_plain(data: bytes) -> bool:
    """Whether what a connection begins with is HTTP rather than TLS, whose first byte is 22 (RFC 8446 §5.1)."""
    return _METHOD.match(data[:21]) is not None


def is_whole(data: bytes) -> bool:
    """Whether the head of the request is complete, or longer than it may be."""
    return b"\r\n\r\n" in data or b"\n\n" in data or len(data) > LARGEST


def answer_plain(data: bytes, is_known: Callable[[str], bool]) -> PlainAnswer:
    """A redirect for GET and HEAD to a host that is known; else a refusal.

    What was sent to be acted on is refused, so that nobody goes on sending credentials in clear text unawares.
    """
    request, host = _REQUEST.match(data), _HOST.search(data)
    if request is None or request[1] not in (b"GET", b"HEAD") or host is None or not is_known(host[1].decode("ascii")):
        return PlainAnswer(400, _response("400 Bad Request", [], _REFUSAL))
    place = b"https://" + host[1] + request[2]
    return PlainAnswer(308, _response("308 Permanent Redirect", [b"Location: " + place], _REFUSAL))


def _response(status: str, fields: list[bytes], text: str) -> bytes:
    body = text.encode("ascii")
    head = [
        b"HTTP/1.1 " + status.encode("ascii"),
        *fields,
        b"Content-Type: text/plain; charset=utf-8",
        b"X-Content-Type-Options: nosniff",
        b"Content-Length: %d" % len(body),
        b"Cache-Control: no-store",
        b"Connection: close",
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body
