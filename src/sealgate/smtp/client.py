"""The client's side of SMTP without a socket: commands as bytes, replies as values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sealgate.mail.reply import Reply

LINE_LIMIT = 4096
LINES_LIMIT = 200

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?")
_ENHANCED = re.compile(r"#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


class ProtocolFault(Exception):
    """The server sent what is no SMTP reply; the text says what."""


class InjectionFault(ProtocolFault):
    """The server sent bytes behind its 220 to STARTTLS; `size` of them."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes stood behind the answer to STARTTLS")
        self.size = size


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What EHLO announced. `size` None: not offered; 0: no limit named (RFC 1870 §4)."""

    starttls: bool = False
    size: int | None = None
    pipelining: bool = False
    eight_bit_mime: bool = False


class ClientMachine:
    """One conversation with a server. `name` is what EHLO says of us."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._code = 0

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._buffer += data

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None; `ProtocolFault` if the server does not speak SMTP."""
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).removesuffix(b"\r")
            del self._buffer[: end + 1]
            if self._read(line):
                text = tuple(self._lines)
                self._lines = []
                return _reply(self._code, text)
        if len(self._buffer) > LINE_LIMIT:
            raise ProtocolFault(f"a reply line has more than {LINE_LIMIT} bytes")
        return None

    def _read(self, line: bytes) -> bool:
        """Take one line; True if it ends the reply."""
        match = _LINE.fullmatch(line) if len(line) <= LINE_LIMIT else None
        if match is None:
            shown = line[:60].decode("ascii", "backslashreplace")
            raise ProtocolFault(f"{shown!r} is no SMTP reply line")
        code = int(match[1])
        if self._lines and code != self._code:
            raise ProtocolFault(f"a reply changes its code from {self._code} to {code}")
        if len(self._lines) >= LINES_LIMIT:
            raise ProtocolFault(f"a reply has more than {LINES_LIMIT} lines")
        self._code = code
        self._lines.append((match[3] or b"").decode("utf-8", "backslashreplace"))
        return match[2] != b"-"

    def tls_started(self) -> None:
        """The server has said 220 to STARTTLS: what else it sent unprotected is a fault, all else forgotten."""
        if self._buffer or self._lines:
            raise InjectionFault(len(self._buffer))

    def ehlo(self) -> bytes:
        """EHLO."""
        return b"EHLO " + self._name.encode("ascii") + b"\r\n"

    def helo(self) -> bytes:
        """HELO."""
        return b"HELO " + self._name.encode("ascii") + b"\r\n"

    def starttls(self) -> bytes:
        """STARTTLS."""
        return b"STARTTLS\r\n"

    def mail(self, sender: str | None, size: int | None, body_8bit: bool) -> bytes:
        """MAIL; a size of None and a 7bit body are not mentioned."""
        line = f"MAIL FROM:<{sender or ''}>"
        if size is not None:
            line += f" SIZE={size}"
        if body_8bit:
            line += " BODY=8BITMIME"
        return f"{line}\r\n".encode("ascii")

    def rcpt(self, recipient: str) -> bytes:
        """RCPT."""
        return f"RCPT TO:<{recipient}>\r\n".encode("ascii")

    def data(self) -> bytes:
        """DATA."""
        return b"DATA\r\n"

    def rset(self) -> bytes:
        """RSET."""
        return b"RSET\r\n"

    def quit(self) -> bytes:
        """QUIT."""
        return b"QUIT\r\n"


def _reply(code: int, lines: tuple[str, ...]) -> Reply:
    match = _ENHANCED.match(lines[0])
    return Reply(code, lines, match[1] if match else "")


def capabilities(reply: Reply) -> Capabilities:
    """What an answer to EHLO announces; an answer to HELO announces nothing."""
    words = [line.upper().split() for line in reply.lines[1:]]
    offered = {word[0]: word[1:] for word in words if word}
    size = offered.get("SIZE")
    limit = int(size[0]) if size and size[0].isdigit() and len(size[0]) <= 20 else 0
    return Capabilities(
        starttls="STARTTLS" in offered,
        size=None if size is None else limit,
        pipelining="PIPELINING" in offered,
        eight_bit_mime="8BITMIME" in offered,
    )
