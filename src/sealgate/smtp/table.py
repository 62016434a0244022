"""The commands of SMTP as a table: in which states each is legal, and what rules it otherwise.

A command that is not in the table is unknown; one that is not legal in a state has the reply that says what
must come first. Nothing else decides about order.
"""

from __future__ import annotations

from dataclasses import dataclass
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


_ANY = frozenset({State.GREETED, State.READY, State.MAIL, State.RCPT})


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what reads its parameters, where it is legal, and the reply where it is not.

    `before_tls`: allowed where TLS is required and not there yet (RFC 3207 §4).
    """

    read: command.Reader
    states: frozenset[State] = _ANY
    otherwise: Reply = replies.HELLO_FIRST
    before_tls: bool = False

    def objection(self, state: State, *, needs_tls: bool) -> Reply | None:
        """Why it cannot be obeyed in this state, or None."""
        if needs_tls and not self.before_tls:
            return replies.TLS_REQUIRED
        if state in self.states:
            return None
        return replies.HELLO_FIRST if state is State.GREETED else self.otherwise


COMMANDS: dict[bytes, Command] = {
    b"EHLO": Command(command.hello(extended=True), before_tls=True),
    b"HELO": Command(command.hello(extended=False)),
    b"STARTTLS": Command(command.alone(StartTls()), before_tls=True),
    b"MAIL": Command(command.mail, frozenset({State.READY}), replies.NESTED_MAIL),
    b"RCPT": Command(command.rcpt, frozenset({State.MAIL, State.RCPT}), replies.MAIL_FIRST),
    b"DATA": Command(command.alone(Data()), frozenset({State.RCPT}), replies.RCPT_FIRST),
    b"RSET": Command(command.alone(Reset(replies.RESET))),
    b"NOOP": Command(command.always(Simple(replies.OK)), before_tls=True),
    b"VRFY": Command(command.always(Simple(replies.CANNOT_VERIFY))),
    b"HELP": Command(command.always(Simple(replies.HELP))),
    b"QUIT": Command(command.alone(Quit(replies.BYE)), before_tls=True),
}
