"""The commands of SMTP as a table: in which states each is refused, and what must come first there.

A command that is not in the table is unknown, and so is one of an extension that is not offered, unless the table
says otherwise. Nothing else decides about order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sealgate.mail.reply import Reply
from sealgate.smtp import command, replies
from sealgate.smtp.event import Data, Event, Quit, Reset, Simple, StartTls


class State(Enum):
    """Where a session stands."""

    GREETED = "greeted"  # nothing said yet, or everything forgotten with TLS
    READY = "ready"  # EHLO or HELO given
    MAIL = "mail"  # a sender, no recipient
    RCPT = "rcpt"  # at least one recipient
    DATA = "data"  # inside the data
    CHUNK = "chunk"  # inside the octets of a BDAT
    CHUNKS = "chunks"  # behind a BDAT that was not the last
    SKIP = "skip"  # inside the octets of a BDAT that is refused; the transaction is over
    AUTH = "auth"  # a challenge is given: what follows is its response
    TLS = "tls"  # 220 given to STARTTLS: what follows is no SMTP
    OVER = "over"  # nothing is read any more


IN_TRANSACTION = frozenset({State.MAIL, State.RCPT, State.DATA, State.CHUNK, State.CHUNKS})

_BEFORE_HELLO = {State.GREETED: replies.HELLO_FIRST}
_BEFORE_MAIL = _BEFORE_HELLO | {State.READY: replies.MAIL_FIRST}
_BEFORE_RCPT = _BEFORE_MAIL | {State.MAIL: replies.RCPT_FIRST}
_WITHIN_MAIL = {State.MAIL: replies.NESTED_MAIL, State.RCPT: replies.NESTED_MAIL}
# Of what may come at any time (RFC 5321 §4.1.4) nothing touches a message whose chunks are on the way, or all of it
# is forgotten. The rest may not come between: DATA by RFC 3030 §2, the others because the envelope is closed.
_WITHIN_CHUNKS = {State.CHUNKS: replies.WITHIN_CHUNKS}


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what reads its parameters, and the states in which it is refused, with the reply.

    `before_tls`: allowed where TLS is required and not there yet (RFC 3207 §4). `after_login`: refused where a login
    is required and not there yet (RFC 4954 §6). `extension`: what it belongs to; where that is not offered, `absent`.
    """

    read: command.Reader
    refused: Mapping[State, Reply] = field(default_factory=dict)
    before_tls: bool = False
    after_login: bool = False
    extension: str = ""
    absent: Reply = replies.UNKNOWN_COMMAND

    def is_offered(self, extensions: frozenset[str]) -> bool:
        """Whether these extensions have it."""
        return not self.extension or self.extension in extensions

    def is_known(self, extensions: frozenset[str]) -> bool:
        """Whether it is a command at all where there are these extensions."""
        return self.is_offered(extensions) or self.absent is not replies.UNKNOWN_COMMAND

    def objection(self, state: State, *, needs_tls: bool, needs_login: bool) -> Reply | None:
        """Why it cannot be obeyed in this state, or None."""
        if needs_tls and not self.before_tls:
            return replies.TLS_REQUIRED
        return replies.AUTH_REQUIRED if needs_login and self.after_login else self.refused.get(state)


def _help(parameters: bytes, ground: command.Ground) -> Event:
    """HELP names what there is."""
    there = (verb.decode() for verb, each in COMMANDS.items() if each.is_offered(ground.extensions))
    return Simple(replies.commands(there))


COMMANDS: dict[bytes, Command] = {
    b"EHLO": Command(command.hello(extended=True), before_tls=True),
    b"HELO": Command(command.hello(extended=False)),
    b"STARTTLS": Command(
        command.alone(StartTls()),
        _WITHIN_CHUNKS,
        before_tls=True,
        extension="STARTTLS",
        absent=replies.NOT_OFFERED,
    ),
    b"AUTH": Command(
        command.auth,
        _BEFORE_HELLO | _WITHIN_MAIL | _WITHIN_CHUNKS,
        extension="AUTH",
        absent=replies.NOT_OFFERED,
    ),
    b"MAIL": Command(command.mail, _BEFORE_HELLO | _WITHIN_MAIL | _WITHIN_CHUNKS, after_login=True),
    b"RCPT": Command(command.rcpt, _BEFORE_MAIL | _WITHIN_CHUNKS, after_login=True),
    b"DATA": Command(command.alone(Data()), _BEFORE_RCPT | _WITHIN_CHUNKS, after_login=True),
    b"BDAT": Command(command.bdat, _BEFORE_RCPT, after_login=True, extension="CHUNKING"),
    b"RSET": Command(command.alone(Reset(replies.RESET))),
    b"NOOP": Command(command.always(Simple(replies.OK)), before_tls=True),
    b"VRFY": Command(command.always(Simple(replies.CANNOT_VERIFY))),
    b"HELP": Command(_help),
    b"QUIT": Command(command.alone(Quit(replies.BYE)), before_tls=True),
}
