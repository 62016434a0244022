"""The server's side of SMTP (RFC 5321) without a socket: bytes in, events out; replies in, bytes out.

    send(machine.greeting())
    machine.receive(data)
    while event := machine.next_event():
        …                                  # look at the event
        send(machine.answer(reply))        # every event but Bdat, Chunk and Hangup is owed exactly one answer

Events come one at a time: what a client has pipelined (RFC 2920) waits until the event before is answered,
so a driver that answers late should not read more meanwhile (`pending_plaintext` says how much waits). A
positive answer moves the state, a negative one does not. `Reset`, `Simple`, `Refusal`, `ChunkEnd`, `Challenge` and
`Quit` carry the answer that fits, and for `Hello` there is `hello_reply`. When a transaction ends otherwise than by
`MessageEnd`, `in_transaction` tells.

STARTTLS: after the answer 220 the driver shakes hands and says `tls_started`. Bytes received behind STARTTLS,
in the same read or later, are never obeyed, before TLS or in it: they make the machine hang up.
"""

from __future__ import annotations

import re

from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.bdat import ChunkedMessage, RefusedChunk, Source
from sealgate.smtp.command import Ground, split_command
from sealgate.smtp.data import DataEnd, DataReader, Tally
from sealgate.smtp.event import (
    Bdat,
    Challenge,
    Chunk,
    ChunkEnd,
    Data,
    Event,
    Hangup,
    Hello,
    Login,
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
from sealgate.smtp.offer import HIDEABLE, Limits, Offer
from sealgate.smtp.sasl import Exchange
from sealgate.smtp.shown import Shown
from sealgate.smtp.table import COMMANDS, IN_TRANSACTION, Command, State

__all__ = [
    "BAD_COMMANDS",
    "FAILED_LOGINS",
    "INJECTION",
    "LOST_COUNT",
    "Bdat",
    "Challenge",
    "Chunk",
    "ChunkEnd",
    "Data",
    "Event",
    "Hangup",
    "Hello",
    "Limits",
    "Login",
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

FAILED_LOGINS = "Too many failed logins"
"""Reason of a `Hangup`: one login more than `_LOGINS`."""

LOST_COUNT = "BDAT without a usable number of octets"
"""Reason of a `Hangup`: nobody knows where the octets of a message end and commands begin again. Whatever follows
could be either, so nothing of it is read."""

_LOGINS = 3  # wrong ones in one session; beyond the session it is for others to count
_NOT_UNDERSTOOD = range(500, 503)
_BDAT = re.compile(rb"[ \t]*BDAT", re.IGNORECASE)


class ServerMachine:
    """One SMTP session. With `require_tls` only NOOP, EHLO, STARTTLS and QUIT work before TLS.

    With `require_auth` there is no transaction before a login.
    """

    def __init__(
        self,
        hostname: str,
        *,
        offer: Offer,
        limits: Limits,
        encrypted: bool = False,
        require_tls: bool = False,
        require_auth: bool = False,
    ) -> None:
        self._hostname = hostname
        self._encrypted = encrypted
        self._buffer = LineBuffer(limits.line)
        self._owed: Event | None = None
        self._source: Source  # of the octets of a BDAT, while the state is CHUNK or SKIP
        self.govern(offer=offer, limits=limits, require_tls=require_tls, require_auth=require_auth)
        self._begin()

    def _begin(self) -> None:
        """Know nothing of the client."""
        self._state = State.GREETED
        self._announced: frozenset[str] = frozenset()
        self._recipients = self._bad = self._failed_logins = 0
        self._utf8 = self._logged_in = False
        self._shown = Shown()
        self._exchange: Exchange | None = None
        self._end: DataEnd | None = None

    @property
    def owes_answer(self) -> bool:
        """Whether an event was given that `answer` has not answered yet."""
        return self._owed is not None

    def govern(self, *, offer: Offer, limits: Limits, require_tls: bool, require_auth: bool) -> None:
        """Other terms, from the next command on.

        A message under way is read to its end as it began, and what the last EHLO announced is still understood:
        octets of a BDAT that the client was invited to send must never be taken for commands.
        """
        self._offer, self._limits = offer, limits
        self._require_tls, self._require_auth = require_tls, require_auth
        self._buffer.limit = limits.line

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

    @property
    def in_transaction(self) -> bool:
        """Whether a sender is taken, and its message neither ended nor given up."""
        return self._state in IN_TRANSACTION

    @property
    def logged_in(self) -> bool:
        """Whether a login was answered 235."""
        return self._logged_in

    def next_event(self) -> Event | None:
        """The next event, or None: more bytes, or an answer, must come first."""
        if self._state is State.OVER:
            return None
        if self._state is State.TLS or isinstance(self._owed, StartTls):
            return self._hang_up(None, INJECTION) if self._buffer else None
        if self._owed is not None:
            return None
        match self._state:
            case State.DATA:
                return self._next_of_data()
            case State.CHUNK | State.SKIP:
                return self._next_of_chunk()
        return self._next_line()

    def answer(self, reply: Reply) -> bytes:
        """Answer the event that came last: the bytes of the reply, and the state moves on."""
        event, self._owed = self._owed, None
        if event is None:
            raise RuntimeError("no answer is owed")
        # Only who asked for SMTPUTF8 must be able to read it (RFC 6531 §3.7.4.1).
        utf8 = event.utf8 if isinstance(event, Mail) else self._utf8 and self.in_transaction
        self._move(event, reply)
        return reply.encode(self._offer.reply_style, utf8=utf8)

    def hello_reply(self, event: Hello) -> Reply:
        """The answer to EHLO or HELO."""
        if not event.extended:
            return Reply(250, self._hostname)
        return Reply(250, (self._hostname, *self._offer.lines(encrypted=self._encrypted)))

    def tls_started(self) -> None:
        """The handshake is done: everything known before is forgotten (RFC 3207 §4.2)."""
        if self._state is not State.TLS or self._buffer:
            raise RuntimeError("TLS may start only where STARTTLS was answered 220 and nothing stood behind it")
        self._encrypted = True
        self._begin()

    # -- commands

    def _next_line(self) -> Event | None:
        line = self._buffer.next_line()
        if line is None:
            return None
        answers = self._state is State.AUTH
        self._shown.see(line, response=answers)
        fault = _fault(line)
        if answers:
            return self._respond(fault, line[:-2])
        return self._obey(line[:-2]) if fault is None else self._refuse(fault, line)

    @property
    def _extensions(self) -> frozenset[str]:
        there = self._offer.extensions(encrypted=self._encrypted)
        return there if self._announced <= there else there | self._announced

    def _obey(self, line: bytes) -> Event | None:
        verb, parameters = split_command(line)
        command, extensions = COMMANDS.get(verb), self._extensions
        if command is None or not command.is_known(extensions):
            return self._refuse(replies.UNKNOWN_COMMAND, line)
        objection = command.objection(
            self._state,
            needs_tls=self._require_tls and not self._encrypted,
            needs_login=self._require_auth and not self._logged_in,
        )
        if objection is None and not command.is_offered(extensions):
            objection = self._absence(verb, command)
        ground = Ground(extensions, self._utf8)
        if verb == b"BDAT":
            return self._chunk(command.read(parameters, ground), objection, line)
        found = objection or command.read(parameters, ground)
        if isinstance(found, Exchange):
            return self._open(found, line)
        return self._owe(found if isinstance(found, Reply) else self._objection(found) or found, line)

    def _absence(self, verb: bytes, command: Command) -> Reply:
        """Why a command of an extension is not there just now."""
        if verb == b"STARTTLS" and self._encrypted:
            return replies.TLS_ALREADY
        if verb == b"AUTH" and self._offer.auth:
            return replies.ENCRYPTION_REQUIRED
        return command.absent

    def _objection(self, event: Event) -> Reply | None:
        """What this session, not SMTP, has against it."""
        match event:
            case Mail(size=int(size)) if size > self._limits.size:
                return replies.MESSAGE_TOO_LARGE
            case Rcpt() if self._recipients >= self._limits.recipients:
                return replies.TOO_MANY_RECIPIENTS
        return None

    def _owe(self, found: Event | Reply, line: bytes) -> Event:
        """The event that awaits its answer, or the refusal of its line."""
        if isinstance(found, Reply):
            return self._refuse(found, line)
        self._owed = found
        return found

    def _refuse(self, reply: Reply, line: bytes) -> Event:
        if reply.code in _NOT_UNDERSTOOD:
            if "CHUNKING" in self._extensions and _BDAT.match(line):
                return self._hang_up(reply, LOST_COUNT)
            self._bad += 1
            if self._bad > self._limits.bad_commands:
                return self._hang_up(replies.BAD_COMMAND_LIMIT, BAD_COMMANDS)
        self._owed = Refusal(reply, self._shown.text(line))
        return self._owed

    def _hang_up(self, reply: Reply | None, reason: str) -> Hangup:
        self._state = State.OVER
        self._owed = None
        return Hangup(reply, reason)

    # -- logins

    def _open(self, exchange: Exchange, line: bytes) -> Event:
        if self._logged_in:
            return self._refuse(replies.LOGGED_IN_ALREADY, line)  # RFC 4954 §4
        if self._failed_logins >= _LOGINS:
            return self._hang_up(replies.FAILED_LOGIN_LIMIT, FAILED_LOGINS)
        self._exchange = exchange
        return self._owe(exchange.step(), line)

    def _respond(self, fault: Reply | None, line: bytes) -> Event:
        """The answer to a challenge. The line is a secret, and no command whatever it looks like."""
        exchange = self._exchange
        assert exchange is not None
        self._state = State.READY  # another challenge makes it AUTH again
        if fault is replies.LINE_TOO_LONG:
            fault = replies.AUTH_LINE_TOO_LONG
        return self._owe(fault or exchange.respond(line) or exchange.step(), b"")

    # -- messages

    def _next_of_data(self) -> Event | None:
        if self._end is None and self._buffer:
            plain, self._end, rest = self._reader.feed(self._buffer.take())
            self._buffer.receive(rest)
            if plain:
                return Chunk(plain)
        if self._end is None:
            return None
        self._owed = MessageEnd(self._end.size, self._end.fault, self._end.bare)
        return self._owed

    def _chunk(self, found: Event | Exchange | Reply, objection: Reply | None, line: bytes) -> Event | None:
        """A BDAT. One that is refused loses its octets, and the transaction its message (RFC 3030 §2)."""
        if not isinstance(found, Bdat):
            assert isinstance(found, Reply)
            return self._refuse(found, line)
        if objection is not None:
            self._source = RefusedChunk(found, Refusal(objection, self._shown.text(line)))
            self._before_skip = State.GREETED if self._state is State.GREETED else State.READY
            self._state = State.SKIP
            return self._next_of_chunk()
        if self._state is State.RCPT:
            self._message = ChunkedMessage(self._new_tally())
        self._message.begin(found)
        self._source, self._state = self._message, State.CHUNK
        return found

    def _next_of_chunk(self) -> Event | None:
        source = self._source
        if source.left and (plain := source.take(self._buffer.take(source.left))):
            return Chunk(plain)
        if source.left:
            return None
        self._owed = source.end()
        return self._owed

    def _new_tally(self) -> Tally:
        return Tally(self._limits.bare_line_endings, self._limits.size)

    # -- what an answer changes

    def _move(self, event: Event, reply: Reply) -> None:
        """A 421 says that the connection closes, whatever was asked (RFC 5321 §3.8)."""
        if isinstance(event, Quit) or reply.code == 421:
            self._state = State.OVER
            return
        match event:
            case MessageEnd():
                self._state = State.READY
                self._bad = 0 if reply.is_positive else self._bad
            case ChunkEnd():
                self._state = State.CHUNKS if reply.is_positive else State.READY
            case Refusal() if self._state is State.SKIP:
                self._state = self._before_skip
            case Data() if reply.code == 354:
                self._state = State.DATA
                self._reader, self._end = DataReader(self._new_tally()), None
            case Challenge() if reply.code == 334:
                self._state = State.AUTH
            case Login():
                self._logged_in = reply.code == 235
                self._failed_logins += reply.is_permanent
            case StartTls() if reply.code == 220:
                self._state = State.TLS
            case Hello() if reply.is_positive:
                self._state = State.READY
                there = self._offer.extensions(encrypted=self._encrypted)
                self._announced = there.intersection(HIDEABLE) if event.extended else frozenset()
            case Reset() if reply.is_positive and self._state is not State.GREETED:
                self._state = State.READY
            case Mail() if reply.is_positive:
                self._state = State.MAIL
                self._recipients, self._utf8 = 0, event.utf8
            case Rcpt() if reply.is_positive:
                self._state = State.RCPT
                self._recipients += 1


def _fault(line: bytes) -> Reply | None:
    """Why a line is none that may be read."""
    if not line.endswith(b"\n"):
        return replies.LINE_TOO_LONG
    if not line.endswith(b"\r\n") or line.count(b"\r") > 1 or b"\0" in line:
        return replies.BARE_LINE_ENDING
    return None
