"""What a client offered: its ClientHello, read before OpenSSL reads it, so that failures can be explained.

The reader never fails on what a peer sends: it gives a hello or says what the bytes are instead. It reads what matters
to explanations and leaves the judgement of the rest to OpenSSL.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_FALLBACK_SCSV = 0x5600
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
_LONGEST_RECORD = 1 << 14  # RFC 8446 §5.1

_SERVER_NAME = 0
_GROUPS = 10
_SIGNATURES = 13
_ALPN = 16
_VERSIONS = 43
_KEY_SHARE = 51


@dataclass(frozen=True, slots=True)
class Hello:
    """A ClientHello in numbers as they stand on the wire, GREASE and unknown ones included.

    A client without supported_versions names its highest version only; `versions` then runs from there down to SSL 3.0,
    whatever it would really take. `size` is that of the message in bytes, records aside.
    """

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    groups: tuple[int, ...]
    key_shares: tuple[int, ...]
    signature_algorithms: tuple[int, ...]
    server_name: str | None
    alpn: tuple[str, ...]
    legacy_version: int
    fallback_scsv: bool
    size: int


@dataclass(frozen=True, slots=True)
class HelloProblem:
    """The first bytes of a client are no readable hello. `kind`: too-large, http, smtp, sslv2, other, malformed."""

    kind: str
    sentence: str


class HelloReader:
    """Collects TLS records until a ClientHello is whole; it may span several of them (RFC 8446 §5.1).

    `limit` bounds the hello in bytes. Its records may add as much again, so that a peer gains nothing by sending one
    byte in each.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self._message = bytearray()
        self._position = 0
        self._result: Hello | HelloProblem | None = None

    @property
    def received(self) -> bytes:
        """Everything fed so far: what OpenSSL must be given."""
        return bytes(self._data)

    def feed(self, data: bytes) -> Hello | HelloProblem | None:
        """The hello when it is whole, a problem when it will never be, None while more is needed."""
        self._data += data
        while self._result is None:
            before = self._position
            self._result = self._take_record()
            if self._position == before:
                break
        return self._result

    def _take_record(self) -> Hello | HelloProblem | None:
        """Move the next record, if it has arrived, into the message, and look whether that is enough."""
        header = self._data[self._position : self._position + _RECORD_HEADER]
        if len(header) < _RECORD_HEADER:
            return None
        length = int.from_bytes(header[3:], "big")
        if problem := self._check_record(header, length):
            return problem
        start = self._position + _RECORD_HEADER
        if len(self._data) < start + length:
            return None
        self._message += self._data[start : start + length]
        self._position = start + length
        return self._take_message()

    def _check_record(self, header: bytearray, length: int) -> HelloProblem | None:
        if header[0] != _HANDSHAKE:
            if self._position == 0:
                return _not_tls(bytes(header))
            return _malformed("another kind of record interrupts the ClientHello")
        if header[1] != 3:
            return _malformed("the first record names no version of TLS")
        if not 0 < length <= _LONGEST_RECORD:
            return _malformed(f"a record of {length} bytes is not allowed (RFC 8446, section 5.1)")
        if self._position + _RECORD_HEADER + length > 2 * self._limit + _LONGEST_RECORD:
            return self._too_large()
        return None

    def _take_message(self) -> Hello | HelloProblem | None:
        if self._message[0] != _CLIENT_HELLO:
            return _malformed("the first message is no ClientHello")
        if len(self._message) < _MESSAGE_HEADER:
            return None
        size = _MESSAGE_HEADER + int.from_bytes(self._message[1:_MESSAGE_HEADER], "big")
        if size > self._limit or self._position > 2 * self._limit:
            return self._too_large()
        if len(self._message) < size:
            return None
        return _parse(bytes(self._message[_MESSAGE_HEADER:size]))

    def _too_large(self) -> HelloProblem:
        return HelloProblem("too-large", f"the ClientHello is larger than {self._limit} bytes")


def _malformed(sentence: str) -> HelloProblem:
    return HelloProblem("malformed", sentence)


_HTTP = (b"GET /", b"POST ", b"HEAD ", b"PUT /", b"OPTIO", b"CONNE", b"DELET", b"PATCH", b"TRACE", b"PRI *")
_SMTP = (b"EHLO", b"HELO", b"LHLO", b"MAIL", b"RCPT", b"QUIT", b"NOOP", b"RSET", b"AUTH", b"HELP", b"VRFY", b"START")


def _not_tls(start: bytes) -> HelloProblem:
    """What speaks there instead, by its first five bytes."""
    if start.startswith(_HTTP):
        return HelloProblem("http", "the peer speaks HTTP without TLS")
    if start.upper().startswith(_SMTP):
        return HelloProblem("smtp", "the peer speaks SMTP without TLS")
    if start[0] & 0x80 and start[2] == _CLIENT_HELLO:
        return HelloProblem("sslv2", "the peer begins with a hello of SSL 2.0")
    return HelloProblem("other", "the peer does not speak TLS")


class _Cursor:
    """Reads lengths, numbers and vectors (RFC 8446 §3.4) in turn; `ValueError` where the bytes end too soon."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ValueError("the bytes end before their lengths say")
        part = self._data[self._at : end]
        self._at = end
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """A vector whose length stands before it in `size` bytes."""
        return self.take(self.number(size))


def _parse(body: bytes) -> Hello | HelloProblem:
    cursor = _Cursor(body)
    try:
        legacy = cursor.number(2)
        cursor.take(32)
        cursor.vector(1)
        suites = _numbers(cursor.vector(2))
        cursor.vector(1)
        extensions = _extensions(cursor)
    except ValueError:
        return _malformed("the ClientHello ends before its own lengths say")
    offered = _list(extensions.get(_VERSIONS), 1)
    return Hello(
        versions=_numbers(offered) if _VERSIONS in extensions else _up_to(legacy),
        suites=suites,
        groups=_numbers(_list(extensions.get(_GROUPS), 2)),
        key_shares=_key_shares(_list(extensions.get(_KEY_SHARE), 2)),
        signature_algorithms=_numbers(_list(extensions.get(_SIGNATURES), 2)),
        server_name=_server_name(_list(extensions.get(_SERVER_NAME), 2)),
        alpn=_alpn(_list(extensions.get(_ALPN), 2)),
        legacy_version=legacy,
        fallback_scsv=_FALLBACK_SCSV in suites,
        size=_MESSAGE_HEADER + len(body),
    )


def _extensions(cursor: _Cursor) -> dict[int, bytes]:
    """The extensions by number; an old hello may end before them (RFC 5246 §7.4.1.2)."""
    found: dict[int, bytes] = {}
    if cursor.more:
        block = _Cursor(cursor.vector(2))
        while block.more:
            kind = block.number(2)
            found.setdefault(kind, block.vector(2))
    return found


def _list(extension: bytes | None, size: int) -> bytes:
    """The one vector that an extension consists of; nothing if it is absent or broken."""
    try:
        return _Cursor(extension or b"").vector(size)
    except ValueError:
        return b""


def _numbers(data: bytes) -> tuple[int, ...]:
    count = len(data) // 2
    return struct.unpack(f">{count}H", data[: 2 * count])


def _up_to(legacy: int) -> tuple[int, ...]:
    return tuple(range(min(legacy, 0x0303), 0x02FF, -1))


def _key_shares(data: bytes) -> tuple[int, ...]:
    cursor = _Cursor(data)
    found: list[int] = []
    try:
        while cursor.more:
            group = cursor.number(2)
            cursor.vector(2)
            found.append(group)
    except ValueError:
        pass
    return tuple(found)


def _server_name(data: bytes) -> str | None:
    """The first host name (type 0) of the list, which in practice has one entry (RFC 6066 §3)."""
    cursor = _Cursor(data)
    try:
        while cursor.more:
            kind, name = cursor.number(1), cursor.vector(2)
            if kind == 0:
                return name.decode("ascii", "backslashreplace") or None
    except ValueError:
        pass
    return None


def _alpn(data: bytes) -> tuple[str, ...]:
    cursor = _Cursor(data)
    found: list[str] = []
    try:
        while cursor.more:
            found.append(cursor.vector(1).decode("ascii", "backslashreplace"))
    except ValueError:
        pass
    return tuple(found)
