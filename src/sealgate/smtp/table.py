"""The commands of SMTP as a table: in which states each is refused, and what must come first there.

A command that is not in the table is unknown. Nothing else decides about order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sealgate.mail.reply import Reply
from sealgate.smtp import command, replies
from sealgate.smtp.event import Data, Quit, Reset, Simple, StartTls


class State(Enum):
    """Where a session stands."""

    GREETED = "greeted"  # nothing said yet, or everything forgotten with TLS
    READY = "ready"  # EHLO or HELO given
    MAIL = "mail"  # a sender, no recipient
    RCPT = "rcpt"  # at least one recipient
    DATA = "data"  # inside the data
    TLS = "tls"  # 220 given to STARTTLS: what follows is no SMTP
    OVER = "over"  # nothing is read any more


_BEFORE_HELLO = {State.GREETED: replies.HELLO_FIRST}
_BEFORE_MAIL = _BEFORE_HELLO | {State.READY: replies.MAIL_FIRST}
_BEFORE_RCPT = _BEFORE_MAIL | {State.MAIL: replies.RCPT_FIRST}
_WITHIN_MAIL = {State.MAIL: replies.NESTED_MAIL, State.RCPT: replies.NESTED_MAIL}


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what reads its parameters, and the states in which it is refused, with the reply.

    `before_tls`: allowed where TLS is required and not there yet (RFC 3207 §4).
    """

    read: command.Reader
    refused: Mapping[State, Reply] = field(default_factory=dict)
    before_tls: bool = False

    def objection(self, state: State, *, needs_tls: bool) -> Reply | None:
        """Why it cannot be obeyed in this state, or None."""
        return replies.TLS_REQUIRED if needs_tls and not self.before_tls else self.refused.get(state)


COMMANDS: dict[bytes, Command] = {
    b"EHLO": Command(command.hello(extended=True), before_tls=True),
    b"HELO": Command(command.hello(extended=False)),
    b"STARTTLS": Command(command.alone(StartTls()), before_tls=True),
    b"MAIL": Command(command.mail, _BEFORE_HELLO | _WITHIN_MAIL),
    b"RCPT": Command(command.rcpt, _BEFORE_MAIL),
    b"DATA": Command(command.alone(Data()), _BEFORE_RCPT),
    b"RSET": Command(command.alone(Reset(replies.RESET))),
    b"NOOP": Command(command.always(Simple(replies.OK)), before_tls=True),
    b"VRFY": Command(command.always(Simple(replies.CANNOT_VERIFY))),
    b"HELP": Command(command.always(Simple(replies.HELP))),
    b"QUIT": Command(command.alone(Quit(replies.BYE)), before_tls=True),
}
