"""The client's side of SMTP (RFC 5321) without a socket: commands as bytes, replies as values.

    send(machine.ehlo())
    machine.receive(data)
    reply = machine.next_reply()           # None: more bytes must come first

Ask for a reply only when one is awaited: then what a server sends unasked stays in the machine, where
`tls_started` finds it. After a 220 to STARTTLS no reply is given until TLS has started.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sealgate.mail.reply import Reply
from sealgate.mail.text import is_visible, printable
from sealgate.smtp.line import LineBuffer

LINE_LIMIT = 4096
"""Bytes of one line of a reply; RFC 5321 §4.5.3.1.5 names 512, and servers go beyond."""

LINES_LIMIT = 200
"""Lines of one reply."""

TEXT_LIMIT = 4096
"""Characters of one reply that are kept: it is logged, queued and told to senders for every recipient."""

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"#?([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_SHOWN = 60


class ProtocolFault(Exception):
    """The server sent what is no SMTP reply; the text says what. The conversation cannot go on."""


class InjectionFault(ProtocolFault):
    """The server sent bytes behind its 220 to STARTTLS; `size` of them."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes stood behind the answer to STARTTLS")
        self.size = size


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an answer to EHLO announces. `size` in bytes; None: not offered, 0: no limit named (RFC 1870 §4)."""

    starttls: bool = False
    size: int | None = None
    pipelining: bool = False
    eight_bit_mime: bool = False
    enhanced: bool = False
    dsn: bool = False
    smtputf8: bool = False
    chunking: bool = False


class ClientMachine:
    """One conversation with a server. `name` is what EHLO and HELO say of us."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._buffer = LineBuffer(LINE_LIMIT)
        self._begin()

    def _begin(self) -> None:
        self._code = 0
        self._lines: list[str] = []
        self._asked_tls = False
        self._awaits_tls = False
        self._utf8 = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the server."""
        self._buffer.receive(data)

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None; `ProtocolFault` if the server does not speak SMTP."""
        while not self._awaits_tls and (line := self._buffer.next_line()) is not None:
            if self._ends(line):
                return self._reply()
        return None

    def tls_started(self) -> None:
        """The server's 220 to STARTTLS was the last it said in clear text: everything else is forgotten.

        To be called before or after the handshake; `InjectionFault` if more was received (RFC 3207 §6).
        """
        if self._buffer:
            raise InjectionFault(len(self._buffer))
        self._begin()

    def _ends(self, line: bytes) -> bool:
        """Take one line; whether it is the last of its reply."""
        if not line.endswith(b"\n"):
            raise ProtocolFault(f"a reply line has more than {LINE_LIMIT} bytes")
        match = _LINE.fullmatch(line.rstrip(b"\r\n"))
        if match is None:
            raise ProtocolFault(f"{_printable(line[:_SHOWN].rstrip())!r} is no SMTP reply line")
        code = int(match[1])
        if self._lines and code != self._code:
            raise ProtocolFault(f"a reply changes its code from {self._code} to {code}")
        if len(self._lines) >= LINES_LIMIT:
            raise ProtocolFault(f"a reply has more than {LINES_LIMIT} lines")
        self._code = code
        self._lines.append(_printable(match[3] or b""))
        return match[2] != b"-"

    def _reply(self) -> Reply:
        lines, self._lines = _beginning(self._lines), []
        self._awaits_tls = self._asked_tls and self._code == 220
        match = _ENHANCED.match(lines[0])
        # A status of another class than the code contradicts it, and says nothing (RFC 2034 §4).
        agrees = match is not None and match[1][0] == str(self._code)[0]
        return Reply(self._code, lines, match[1] if match is not None and agrees else "")

    def ehlo(self) -> bytes:
        """EHLO."""
        return _command(f"EHLO {self._name}")

    def helo(self) -> bytes:
        """HELO, for a server that does not know EHLO."""
        return _command(f"HELO {self._name}")

    def starttls(self) -> bytes:
        """STARTTLS; nothing may be sent behind it before the reply."""
        self._asked_tls = True
        return _command("STARTTLS")

    def mail(self, sender: str | None, parameters: Sequence[str] = ()) -> bytes:
        """MAIL; None is the null path. With SMTPUTF8 among the parameters this and the RCPTs may hold UTF-8."""
        self._utf8 = "SMTPUTF8" in parameters
        return _command(" ".join((f"MAIL FROM:<{sender or ''}>", *parameters)), self._utf8)

    def rcpt(self, recipient: str, parameters: Sequence[str] = ()) -> bytes:
        """RCPT."""
        return _command(" ".join((f"RCPT TO:<{recipient}>", *parameters)), self._utf8)

    def data(self) -> bytes:
        """DATA; after the reply 354 the body follows (`sealgate.smtp.data.Stuffer`)."""
        return _command("DATA")

    def bdat(self, size: int, *, last: bool) -> bytes:
        """BDAT (RFC 3030); so many bytes of the message follow at once, as they are."""
        return _command(f"BDAT {size} LAST" if last else f"BDAT {size}")

    def rset(self) -> bytes:
        """RSET."""
        return _command("RSET")

    def quit(self) -> bytes:
        """QUIT."""
        return _command("QUIT")


def capabilities(reply: Reply) -> Capabilities:
    """What an answer to EHLO announces; an answer to HELO announces nothing."""
    offered: dict[str, list[str]] = {}
    for line in reply.lines[1:]:
        keyword, *parameters = line.upper().split() or [""]
        offered.setdefault(keyword, parameters)
    return Capabilities(
        starttls="STARTTLS" in offered,
        size=_size(offered["SIZE"]) if "SIZE" in offered else None,
        pipelining="PIPELINING" in offered,
        eight_bit_mime="8BITMIME" in offered,
        enhanced="ENHANCEDSTATUSCODES" in offered,
        dsn="DSN" in offered,
        smtputf8="SMTPUTF8" in offered,
        chunking="CHUNKING" in offered,
    )


def _size(parameters: list[str]) -> int:
    limit = parameters[0] if parameters else ""
    return int(limit) if re.fullmatch("[0-9]{1,20}", limit) else 0


def _command(line: str, utf8: bool = False) -> bytes:
    """A line of ours. An address with a line ending in it would be a second command: never sent."""
    if not (is_visible(line) and (utf8 or line.isascii())):
        raise ValueError(f"{line!r} cannot be sent as an SMTP command")
    return f"{line}\r\n".encode()


def _beginning(lines: Sequence[str]) -> tuple[str, ...]:
    """As much of a reply as is kept."""
    kept: list[str] = []
    left = TEXT_LIMIT
    for line in lines:
        kept.append(line[:left])
        left -= len(line)
        if left <= 0:
            break
    return tuple(kept)


def _printable(line: bytes) -> str:
    """The text of a server as one harmless line: UTF-8 stays, controls are shown by their escapes."""
    return printable(line.decode("utf-8", "backslashreplace"))
