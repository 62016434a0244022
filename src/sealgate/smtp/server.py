"""The server's side of SMTP (RFC 5321) without a socket: bytes in, events out; replies in, bytes out.

    send(machine.greeting())
    machine.receive(data)
    while event := machine.next_event():
        …                                  # look at the event
        send(machine.answer(reply))        # every event but Chunk and Hangup is owed exactly one answer

Events come one at a time: what a client has pipelined (RFC 2920) waits until the event before is answered,
so a driver that answers late should not read more meanwhile (`pending_plaintext` says how much waits). A
positive answer moves the state, a negative one does not. `Reset`, `Simple`, `Refusal` and `Quit` carry the
answer that fits, and for `Hello` there is `hello_reply`.

STARTTLS: after the answer 220 the driver shakes hands and says `tls_started`. Bytes received behind STARTTLS,
in the same read or later, are never obeyed, before TLS or in it: they make the machine hang up.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.smtp import replies
from sealgate.smtp.command import split_command
from sealgate.smtp.data import BareLineEndings, DataEnd, DataReader
from sealgate.smtp.event import (
    Chunk,
    Data,
    Event,
    Hangup,
    Hello,
    Mail,
    MessageEnd,
    Quit,
    Rcpt,
    Refusal,
    Reset,
    Simple,
    StartTls,
)
from sealgate.smtp.line import LineBuffer
from sealgate.smtp.table import COMMANDS, State

__all__ = [
    "BAD_COMMANDS",
    "INJECTION",
    "Chunk",
    "Data",
    "Event",
    "Hangup",
    "Hello",
    "Limits",
    "Mail",
    "MessageEnd",
    "Offer",
    "Quit",
    "Rcpt",
    "Refusal",
    "Reset",
    "ServerMachine",
    "Simple",
    "StartTls",
]

INJECTION = "bytes behind STARTTLS"
"""Reason of a `Hangup`: the client, or someone on the way, sent more in clear text behind STARTTLS."""

BAD_COMMANDS = "Exceeded bad SMTP command limit"
"""Reason of a `Hangup`: too much that is no SMTP."""

_NOT_UNDERSTOOD = range(500, 503)


@dataclass(frozen=True, slots=True)
class Offer:
    """What EHLO announces besides what is always there. `size` in bytes."""

    starttls: bool
    size: int
    reply_style: ReplyStyle = ReplyStyle.RFC2034


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask of a session. `line` in bytes with its CRLF, `size` in bytes.

    `bad_commands` not understood are answered, one more ends the session; a message taken clears the count.
    A command that only comes out of order, or names a bad address, is not counted: a client that pipelines
    sends such commands innocently, behind one that was refused.
    """

    line: int = 2048
    bad_commands: int = 5
    recipients: int = 1000
    size: int = 100 * 1024 * 1024
    bare_line_endings: BareLineEndings = BareLineEndings.REFUSE


class ServerMachine:
    """One SMTP session. With `require_tls` only NOOP, EHLO, STARTTLS and QUIT work before TLS."""

    def __init__(
        self,
        hostname: str,
        *,
        offer: Offer,
        limits: Limits,
        encrypted: bool = False,
        require_tls: bool = False,
    ) -> None:
        self._hostname = hostname
        self._offer = offer
        self._limits = limits
        self._encrypted = encrypted
        self._require_tls = require_tls
        self._buffer = LineBuffer(limits.line)
        self._owed: Event | None = None
        self._begin()

    def _begin(self) -> None:
        """Know nothing of the client."""
        self._state = State.GREETED
        self._recipients = 0
        self._bad = 0
        self._reader = self._new_reader()
        self._end: DataEnd | None = None

    def greeting(self) -> bytes:
        """The 220 that begins a session."""
        return Reply(220, f"{self._hostname} ESMTP").encode(self._offer.reply_style)

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._state is not State.OVER:
            self._buffer.receive(data)

    @property
    def pending_plaintext(self) -> int:
        """Bytes received and not yet read; after a hang-up for injection, how many stood behind STARTTLS."""
        return len(self._buffer)

    def next_event(self) -> Event | None:
        """The next event, or None: more bytes, or an answer, must come first."""
        if self._state is State.OVER:
            return None
        if self._state is State.TLS or isinstance(self._owed, StartTls):
            return self._hang_up(None, INJECTION) if self._buffer else None
        if self._owed is not None:
            return None
        return self._next_of_data() if self._state is State.DATA else self._next_command()

    def answer(self, reply: Reply) -> bytes:
        """Answer the event that came last: the bytes of the reply, and the state moves on."""
        event, self._owed = self._owed, None
        if event is None:
            raise RuntimeError("no answer is owed")
        self._move(event, reply)
        return reply.encode(self._offer.reply_style)

    def hello_reply(self, event: Hello) -> Reply:
        """The answer to EHLO or HELO."""
        if not event.extended:
            return Reply(250, self._hostname)
        lines = [self._hostname, "PIPELINING", "8BITMIME", f"SIZE {self._offer.size}"]
        if self._offer.reply_style is ReplyStyle.RFC2034:
            lines.append("ENHANCEDSTATUSCODES")
        if self._offer.starttls and not self._encrypted:
            lines.append("STARTTLS")
        return Reply(250, tuple(lines))

    def tls_started(self) -> None:
        """The handshake is done: everything known before is forgotten (RFC 3207 §4.2)."""
        if self._state is not State.TLS or self._buffer:
            raise RuntimeError("TLS may start only where STARTTLS was answered 220 and nothing stood behind it")
        self._encrypted = True
        self._begin()

    def _next_command(self) -> Event | None:
        line = self._buffer.next_line()
        if line is None:
            return None
        if not line.endswith(b"\n"):
            return self._refuse(replies.LINE_TOO_LONG, line)
        if not line.endswith(b"\r\n") or line.count(b"\r") > 1 or b"\0" in line:
            return self._refuse(replies.BARE_LINE_ENDING, line)
        return self._obey(line[:-2])

    def _obey(self, line: bytes) -> Event:
        verb, parameters = split_command(line)
        command = COMMANDS.get(verb)
        if command is None:
            return self._refuse(replies.UNKNOWN_COMMAND, line)
        needs_tls = self._require_tls and not self._encrypted
        found = command.objection(self._state, needs_tls=needs_tls) or command.read(parameters)
        if not isinstance(found, Reply):
            found = self._objection(found) or found
        if isinstance(found, Reply):
            return self._refuse(found, line)
        self._owed = found
        return found

    def _objection(self, event: Event) -> Reply | None:
        """What this session, not SMTP, has against it."""
        match event:
            case StartTls() if self._encrypted:
                return replies.TLS_ALREADY
            case StartTls() if not self._offer.starttls:
                return replies.NOT_OFFERED
            case Mail(size=int(size)) if size > self._limits.size:
                return replies.MESSAGE_TOO_LARGE
            case Rcpt() if self._recipients >= self._limits.recipients:
                return replies.TOO_MANY_RECIPIENTS
        return None

    def _refuse(self, reply: Reply, line: bytes) -> Event:
        if reply.code in _NOT_UNDERSTOOD:
            self._bad += 1
            if self._bad > self._limits.bad_commands:
                return self._hang_up(replies.BAD_COMMAND_LIMIT, BAD_COMMANDS)
        shown = line.rstrip().decode("latin-1").encode("unicode_escape").decode("ascii")
        self._owed = Refusal(reply, shown)
        return self._owed

    def _hang_up(self, reply: Reply | None, reason: str) -> Hangup:
        self._state = State.OVER
        self._owed = None
        return Hangup(reply, reason)

    def _next_of_data(self) -> Event | None:
        if self._end is None and self._buffer:
            plain, self._end, rest = self._reader.feed(self._buffer.take())
            self._buffer.receive(rest)
            if plain:
                return Chunk(plain)
        if self._end is None:
            return None
        self._owed = MessageEnd(self._end.size, _fault(self._end))
        return self._owed

    def _new_reader(self) -> DataReader:
        return DataReader(self._limits.bare_line_endings, self._limits.size)

    def _move(self, event: Event, reply: Reply) -> None:
        """What an answer changes. A 421 says that the connection closes, whatever was asked (RFC 5321 §3.8)."""
        match event:
            case Quit():
                self._state = State.OVER
            case _ if reply.code == 421:
                self._state = State.OVER
            case MessageEnd():
                self._state = State.READY
                self._reader, self._end = self._new_reader(), None
                self._bad = 0 if reply.is_positive else self._bad
            case Data() if reply.code == 354:
                self._state = State.DATA
            case StartTls() if reply.code == 220:
                self._state = State.TLS
            case Hello() if reply.is_positive:
                self._state = State.READY
            case Reset() if reply.is_positive and self._state is not State.GREETED:
                self._state = State.READY
            case Mail() if reply.is_positive:
                self._state = State.MAIL
                self._recipients = 0
            case Rcpt() if reply.is_positive:
                self._state = State.RCPT
                self._recipients += 1


def _fault(end: DataEnd) -> Reply | None:
    if end.bare:
        return replies.BARE_IN_BODY
    return replies.MESSAGE_TOO_LARGE if end.too_large else None
