"""The commands of SMTP as a table: in which states each is legal, and what else rules it. Illegal is absent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sealgate.mail.reply import Reply
from sealgate.smtp import replies


class State(Enum):
    """Where a session stands."""

    GREETED = "greeted"  # nothing said yet, or everything forgotten after STARTTLS
    READY = "ready"  # EHLO or HELO given
    MAIL = "mail"  # a sender, no recipient
    RCPT = "rcpt"  # at least one recipient
    DATA = "data"  # inside the data


_ALWAYS = frozenset({State.GREETED, State.READY, State.MAIL, State.RCPT})
_AFTER_HELLO = _ALWAYS - {State.GREETED}


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `before_tls`: allowed where TLS is required and not there yet (RFC 3207 §4)."""

    states: frozenset[State]
    otherwise: Reply = replies.HELLO_FIRST
    before_tls: bool = False
    parameters: bool = False


COMMANDS: dict[bytes, Command] = {
    b"EHLO": Command(_ALWAYS, before_tls=True, parameters=True),
    b"HELO": Command(_ALWAYS, parameters=True),
    b"STARTTLS": Command(_ALWAYS, before_tls=True),
    b"MAIL": Command(frozenset({State.READY}), replies.NESTED_MAIL, parameters=True),
    b"RCPT": Command(frozenset({State.MAIL, State.RCPT}), replies.MAIL_FIRST, parameters=True),
    b"DATA": Command(frozenset({State.RCPT}), replies.RCPT_FIRST),
    b"RSET": Command(_ALWAYS),
    b"NOOP": Command(_ALWAYS, before_tls=True, parameters=True),
    b"VRFY": Command(_AFTER_HELLO, parameters=True),
    b"HELP": Command(_ALWAYS, parameters=True),
    b"QUIT": Command(_ALWAYS, before_tls=True),
}


def objection(name: bytes, state: State, *, has_parameters: bool, needs_tls: bool) -> Reply | None:
    """Why a command cannot be obeyed now, or None."""
    command = COMMANDS.get(name)
    if command is None:
        return replies.UNKNOWN_COMMAND
    if needs_tls and not command.before_tls:
        return replies.TLS_REQUIRED
    if has_parameters and not command.parameters:
        return replies.NO_PARAMETERS
    if state in command.states:
        return None
    if state is State.GREETED:
        return replies.HELLO_FIRST
    if name == b"DATA" and state is State.READY:
        return replies.MAIL_FIRST
    return command.otherwise
