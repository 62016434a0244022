"""What a client says, as the server machine tells it: one value per event."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.mail.address import Address
from sealgate.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO (`extended`) or HELO: any transaction is over. `name` is unproven, and printable ASCII."""

    name: str
    extended: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. `sender` None is the null path; `size` is what the client announced in bytes, if it did."""

    sender: Address | None
    size: int | None
    body_8bit: bool


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO; an empty domain is the bare postmaster."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; after the answer 354 chunks follow."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the message, dots undone. No answer is owed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is whole, `size` bytes. With a `fault` it may not be taken, and that is its answer."""

    size: int
    fault: Reply | None


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS; behind the answer 220 the next bytes are TLS."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET: any transaction is over."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Simple:
    """NOOP, VRFY or HELP: nothing changes."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that is not obeyed; `command` is its line, printable."""

    reply: Reply
    command: str


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT; the connection ends after the answer."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Hangup:
    """The session must end now: `reply`, if any, goes out before. No answer is owed, no event follows."""

    reply: Reply | None
    reason: str


Event = Hello | Mail | Rcpt | Data | Chunk | MessageEnd | StartTls | Reset | Simple | Refusal | Quit | Hangup
