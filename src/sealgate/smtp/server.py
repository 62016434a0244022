"""The server's side of SMTP (RFC 5321) without a socket.

    machine.receive(data)
    while event := machine.next_event():
        …                                  # look at the event
        send(machine.answer(reply))        # every event but Chunk and Hangup is owed exactly one answer

Events come one at a time: what a client has pipelined waits until the event before is answered. A positive
answer moves the state, a negative one does not. `Refusal` and `Simple` carry the answer that fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sealgate.mail.address import Address, AddressError, parse_path
from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings, DataEnd, DataReader
from sealgate.smtp.table import State, objection

INJECTION = "bytes behind STARTTLS"
BAD_COMMANDS = "Exceeded bad SMTP command limit"


@dataclass(frozen=True, slots=True)
class Offer:
    """What EHLO announces besides what is always there. `size` in bytes."""

    starttls: bool
    size: int
    reply_style: ReplyStyle = ReplyStyle.RFC2034


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask of a session. `line` in bytes with its CRLF, `size` in bytes."""

    line: int = 2048
    bad_commands: int = 5
    recipients: int = 1000
    size: int = 100 * 1024 * 1024
    bare_line_endings: BareLineEndings = BareLineEndings.REFUSE


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO (`extended`) or HELO."""

    name: str
    extended: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM; `sender` None is the null path."""

    sender: Address | None
    size: int | None
    body_8bit: bool


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO; an empty domain is the bare postmaster."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; answered 354, chunks follow."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the message; no answer is owed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is whole; `fault` is the answer it must get if it may not be taken."""

    size: int
    fault: Reply | None


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS; after the answer 220 the next bytes are TLS."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: the transaction is forgotten."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Simple:
    """NOOP, VRFY, HELP: nothing changes."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that cannot be obeyed."""

    reply: Reply
    command: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT; the connection ends after the answer."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Hangup:
    """The session must end; `reply`, if any, goes out first. Nothing follows."""

    reply: Reply | None
    reason: str


Event = Hello | Mail | Rcpt | Data | Chunk | MessageEnd | StartTls | Reset | Simple | Refusal | Quit | Hangup

_HELLO_NAME = re.compile(rb"[!-~]{1,255}")
_PATH = re.compile(rb'\s*(<(?:"(?:[^"\\]|\\.)*"|[^>"])*>)(?:\s+(.*))?', re.DOTALL)


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
        self._require_tls = require_tls
        self._encrypted = encrypted
        self._buffer = bytearray()
        self._state = State.GREETED
        self._owed: Event | None = None
        self._reader: DataReader | None = None
        self._ended: DataEnd | None = None
        self._recipients = 0
        self._bad = 0
        self._awaits_tls = False
        self._over = False
        self._scanned = 0

    # -- what the driver says

    def greeting(self) -> bytes:
        """The 220 that begins a session."""
        return Reply(220, f"{self._hostname} ESMTP").encode()

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._buffer += data

    def answer(self, reply: Reply) -> bytes:
        """Answer the event that `next_event` gave last: its bytes, and the state moves on."""
        event, self._owed = self._owed, None
        assert event is not None, "no answer is owed"
        if reply.is_positive:
            self._move(event, reply)
        elif isinstance(event, MessageEnd):
            self._state = State.READY
        return reply.encode(self._offer.reply_style)

    def tls_started(self) -> None:
        """The handshake is done: everything known before is forgotten (RFC 3207 §4.2)."""
        self._buffer.clear()
        self._scanned = 0
        self._state = State.GREETED
        self._encrypted = True
        self._awaits_tls = False
        self._recipients = self._bad = 0

    @property
    def pending_plaintext(self) -> int:
        """Bytes received and not looked at."""
        return len(self._buffer)

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

    # -- what the client says

    def next_event(self) -> Event | None:
        """The next event, or None: more bytes, or an answer, must come first."""
        if self._over or (self._owed is not None and not isinstance(self._owed, StartTls)):
            return None
        if self._awaits_tls or isinstance(self._owed, StartTls):
            # Whatever stands behind STARTTLS was not protected, and is never obeyed, before TLS or in it.
            return self._hang_up(None, INJECTION) if self._buffer else None
        if self._ended is not None:
            ended, self._ended = self._ended, None
            return self._owe(MessageEnd(ended.size, self._fault(ended)))
        if self._state is State.DATA:
            return self._next_of_data()
        return self._next_command()

    def _owe(self, event: Event) -> Event:
        self._owed = event
        return event

    def _hang_up(self, reply: Reply | None, reason: str) -> Hangup:
        self._over = True
        return Hangup(reply, reason)

    def _next_of_data(self) -> Event | None:
        assert self._reader is not None
        if not self._buffer:
            return None
        plain, self._ended, rest = self._reader.feed(bytes(self._buffer))
        self._buffer = bytearray(rest)
        if plain:
            return Chunk(plain)
        return self.next_event() if self._ended is not None else None

    def _fault(self, ended: DataEnd) -> Reply | None:
        if ended.bare:
            return replies.BARE_IN_BODY
        return replies.MESSAGE_TOO_LARGE if ended.too_large else None

    def _next_command(self) -> Event | None:
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._buffer)
            if len(self._buffer) > self._limits.line:
                return self._hang_up(replies.LINE_TOO_LONG, "command line too long")
            return None
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self._scanned = 0
        if len(line) > self._limits.line:
            return self._refuse(replies.LINE_TOO_LONG, line)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            return self._refuse(replies.BARE_LINE_ENDING, line)
        return self._obey(line[:-2])

    def _refuse(self, reply: Reply, line: bytes) -> Event:
        self._bad += 1
        if self._bad > self._limits.bad_commands:
            return self._hang_up(replies.BAD_COMMAND_LIMIT, BAD_COMMANDS)
        return self._owe(Refusal(reply, line.decode("latin-1").strip()))

    def _obey(self, line: bytes) -> Event:
        word, _, rest = line.strip(b" \t").partition(b" ")
        name = word.upper()
        needs_tls = self._require_tls and not self._encrypted
        reply = objection(name, self._state, has_parameters=bool(rest.strip()), needs_tls=needs_tls)
        if reply is not None:
            return self._refuse(reply, line)
        match name:
            case b"EHLO" | b"HELO":
                return self._hello(name, rest, line)
            case b"MAIL":
                return self._mail(rest, line)
            case b"RCPT":
                return self._rcpt(rest, line)
            case b"DATA":
                return self._owe(Data())
            case b"STARTTLS":
                return self._starttls(line)
            case b"RSET":
                return self._owe(Reset(replies.RESET))
            case b"QUIT":
                return self._owe(Quit(replies.BYE))
        texts = {b"NOOP": replies.OK, b"VRFY": replies.CANNOT_VERIFY, b"HELP": replies.HELP}
        return self._owe(Simple(texts[name]))

    def _hello(self, name: bytes, rest: bytes, line: bytes) -> Event:
        given = rest.strip()
        if not _HELLO_NAME.fullmatch(given):
            return self._refuse(replies.SYNTAX, line)
        return self._owe(Hello(given.decode("ascii"), name == b"EHLO"))

    def _starttls(self, line: bytes) -> Event:
        if self._encrypted:
            return self._refuse(replies.TLS_ALREADY, line)
        if not self._offer.starttls:
            return self._refuse(replies.NOT_OFFERED, line)
        return self._owe(StartTls())

    def _mail(self, rest: bytes, line: bytes) -> Event:
        parsed = _path_after(b"FROM:", rest)
        if parsed is None:
            return self._refuse(replies.SYNTAX, line)
        path, parameters = parsed
        size, body_8bit = None, False
        for parameter in parameters.split():
            key, _, value = parameter.upper().partition(b"=")
            if key == b"SIZE" and value.isdigit() and len(value) <= 20:
                size = int(value)
            elif key == b"BODY" and value in (b"7BIT", b"8BITMIME"):
                body_8bit = value == b"8BITMIME"
            elif key in (b"SIZE", b"BODY"):
                return self._refuse(replies.SYNTAX, line)
            else:
                return self._refuse(replies.UNKNOWN_PARAMETER, line)
        if size is not None and size > self._limits.size:
            return self._owe(Refusal(replies.MESSAGE_TOO_LARGE, "MAIL"))
        try:
            return self._owe(Mail(parse_path(path), size, body_8bit))
        except AddressError as error:
            return self._refuse(replies.bad_address(str(error), recipient=False), line)

    def _rcpt(self, rest: bytes, line: bytes) -> Event:
        parsed = _path_after(b"TO:", rest)
        if parsed is None:
            return self._refuse(replies.SYNTAX, line)
        path, parameters = parsed
        if parameters:
            return self._refuse(replies.UNKNOWN_PARAMETER, line)
        if self._recipients >= self._limits.recipients:
            return self._owe(Refusal(replies.TOO_MANY_RECIPIENTS, "RCPT"))
        try:
            recipient = parse_path(path, bare_postmaster=True)
        except AddressError as error:
            return self._refuse(replies.bad_address(str(error), recipient=True), line)
        if recipient is None:
            return self._refuse(replies.bad_address("a recipient cannot be empty", recipient=True), line)
        return self._owe(Rcpt(recipient))

    def _move(self, event: Event, reply: Reply) -> None:
        match event:
            case Hello() | Reset():
                greeted = self._state is State.GREETED and isinstance(event, Reset)
                self._state = State.GREETED if greeted else State.READY
                self._recipients = 0
            case Mail():
                self._state = State.MAIL
                self._recipients = 0
            case Rcpt():
                self._state = State.RCPT
                self._recipients += 1
            case Data() if reply.code == 354:
                self._state = State.DATA
                self._reader = DataReader(self._limits.bare_line_endings, self._limits.size)
            case MessageEnd():
                self._state = State.READY
            case StartTls() if reply.code == 220:
                self._awaits_tls = True


def _path_after(keyword: bytes, rest: bytes) -> tuple[bytes, bytes] | None:
    """The path and the parameters of MAIL or RCPT."""
    if rest[: len(keyword)].upper() != keyword:
        return None
    match = _PATH.fullmatch(rest[len(keyword) :].rstrip())
    return None if match is None else (match[1], match[2] or b"")
