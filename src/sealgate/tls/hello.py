"""What a client offered: its ClientHello, read before OpenSSL reads it, so that failures can be explained.

The reader never fails on what a peer sends: it gives a hello or says what the bytes are instead.
"""

from __future__ import annotations

from dataclasses import dataclass

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_FALLBACK_SCSV = 0x5600

_SERVER_NAME = 0
_GROUPS = 10
_SIGNATURES = 13
_ALPN = 16
_VERSIONS = 43
_KEY_SHARE = 51


@dataclass(frozen=True, slots=True)
class Hello:
    """A ClientHello in numbers as they stand on the wire, GREASE and unknown ones included; `size` in bytes."""

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
    """Collects TLS records until a ClientHello is whole; it may span several of them (RFC 8446 §5.1)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()

    @property
    def received(self) -> bytes:
        """Everything fed so far: what OpenSSL must be given."""
        return bytes(self._data)

    def feed(self, data: bytes) -> Hello | HelloProblem | None:
        """The hello when it is whole, a problem when it will never be, None while more is needed."""
        self._data += data
        message = bytearray()
        position = 0
        while True:
            if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
                return _parse(bytes(message[4 : 4 + int.from_bytes(message[1:4], "big")]))
            if position > self._limit or (len(message) >= 4 and int.from_bytes(message[1:4], "big") > self._limit):
                return HelloProblem("too-large", f"the hello is larger than {self._limit} bytes")
            if position < len(self._data) and self._data[position] != _HANDSHAKE:
                return _not_tls(bytes(self._data[position : position + 16]))
            if len(self._data) < position + 5:
                return None
            length = int.from_bytes(self._data[position + 3 : position + 5], "big")
            if self._data[position + 1] != 3 or length == 0:
                return HelloProblem("malformed", "the first record is no TLS record")
            if len(self._data) < position + 5 + length:
                if position + 5 + length > self._limit + 1024:
                    return HelloProblem("too-large", f"the hello is larger than {self._limit} bytes")
                return None
            message += self._data[position + 5 : position + 5 + length]
            position += 5 + length
            if message[0] != _CLIENT_HELLO:
                return HelloProblem("malformed", "the first message is no ClientHello")


def _not_tls(start: bytes) -> HelloProblem:
    if start.split(b" ")[0] in (b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"DELETE"):
        return HelloProblem("http", "the peer speaks HTTP without TLS")
    if start[:4].upper() in (b"EHLO", b"HELO", b"MAIL", b"QUIT", b"NOOP", b"RSET"):
        return HelloProblem("smtp", "the peer speaks SMTP without TLS")
    if start[0] & 0x80 and len(start) > 2 and start[2] == _CLIENT_HELLO:
        return HelloProblem("sslv2", "the peer offers SSL 2.0")
    return HelloProblem("other", "the peer does not speak TLS")


class _Reader:
    """A cursor over bytes; reading past the end gives what there is, and `IndexError` for numbers."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, size: int) -> int:
        part = self.take(size)
        if len(part) < size:
            raise IndexError
        return int.from_bytes(part, "big")

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        self.at += size
        return part

    def vector(self, size: int) -> bytes:
        length = self.number(size)
        part = self.take(length)
        if len(part) < length:
            raise IndexError
        return part


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data) - 1, 2))


def _parse(body: bytes) -> Hello | HelloProblem:
    reader = _Reader(body)
    try:
        legacy = reader.number(2)
        reader.take(32)
        reader.vector(1)
        suites = _numbers(reader.vector(2))
        reader.vector(1)
        extensions = _extensions(reader)
    except IndexError:
        return HelloProblem("malformed", "the ClientHello ends before its own lengths say")
    versions = _numbers(extensions[_VERSIONS][1:]) if _VERSIONS in extensions else _up_to(legacy)
    return Hello(
        versions=versions,
        suites=suites,
        groups=_numbers(extensions.get(_GROUPS, b"")[2:]),
        key_shares=_key_shares(extensions.get(_KEY_SHARE, b"")),
        signature_algorithms=_numbers(extensions.get(_SIGNATURES, b"")[2:]),
        server_name=_server_name(extensions.get(_SERVER_NAME, b"")),
        alpn=_alpn(extensions.get(_ALPN, b"")),
        legacy_version=legacy,
        fallback_scsv=_FALLBACK_SCSV in suites,
        size=len(body) + 4,
    )


def _extensions(reader: _Reader) -> dict[int, bytes]:
    """A hello may end before them (RFC 5246 §7.4.1.2)."""
    found: dict[int, bytes] = {}
    if reader.at >= len(reader.data):
        return found
    block = _Reader(reader.vector(2))
    while block.at < len(block.data):
        kind = block.number(2)
        found.setdefault(kind, block.vector(2))
    return found


def _up_to(legacy: int) -> tuple[int, ...]:
    """Without supported_versions a client means every version up to the one it names."""
    return tuple(number for number in range(min(legacy, 0x0303), 0x02FF, -1))


def _key_shares(data: bytes) -> tuple[int, ...]:
    reader = _Reader(data[2:])
    found: list[int] = []
    try:
        while reader.at < len(reader.data):
            found.append(reader.number(2))
            reader.vector(2)
    except IndexError:
        pass
    return tuple(found)


def _server_name(data: bytes) -> str | None:
    """RFC 6066 §3: a list that in practice has one host name."""
    if len(data) < 5 or data[2] != 0:
        return None
    return data[5 : 5 + int.from_bytes(data[3:5], "big")].decode("ascii", "backslashreplace") or None


def _alpn(data: bytes) -> tuple[str, ...]:
    reader = _Reader(data[2:])
    found: list[str] = []
    try:
        while reader.at < len(reader.data):
            found.append(reader.vector(1).decode("ascii", "backslashreplace"))
    except IndexError:
        pass
    return tuple(found)
