"""What a client says, as the server machine tells it: one value per event."""

from __future__ import annotations

from dataclasses import dataclass, field

from sealgate.mail.address import Address
from sealgate.mail.envelope import Notify, ReturnKind
from sealgate.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO (`extended`) or HELO: any transaction is over. `name` is unproven, and printable ASCII."""

    name: str
    extended: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM. `sender` None is the null path; `size` is what the client announced in bytes, if it did.

    `utf8`: addresses and header fields may be UTF-8 (RFC 6531). `ret` and `envid` are for notices (RFC 3461 §4.3,
    §4.4); `envid` is xtext as it came, and what it encodes is printable ASCII.
    """

    sender: Address | None
    size: int | None
    body_8bit: bool
    utf8: bool = False
    ret: ReturnKind = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO; an empty domain is the bare postmaster. `notify` and `orcpt` are for notices (RFC 3461 §4.1, §4.2).

    `orcpt` is `type;xtext` as it came, and what it encodes is printable. Only of the type utf-8, and only in a
    transaction that is `utf8`, is it not ASCII (RFC 6533 §3).
    """

    recipient: Address
    notify: Notify | None = None
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """DATA; after the answer 354 chunks follow."""


@dataclass(frozen=True, slots=True)
class Bdat:
    """BDAT (RFC 3030): it is obeyed, and its `size` octets follow as chunks. No answer is owed.

    Behind them comes a `ChunkEnd`, or a `MessageEnd` if this was the `last` of the message.
    """

    size: int
    last: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the message, dots undone. No answer is owed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """The octets of a BDAT that was not the last are all there. A negative answer ends the transaction.

    `reply` is negative if the message may not be taken any more.
    """

    reply: Reply


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is whole, `size` bytes. With a `fault` it may not be taken, and that is its answer.

    `bare`: it holds bare CR or LF; without a fault only where they are allowed.
    """

    size: int
    fault: Reply | None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """AUTH goes on (RFC 4954 §4): `reply` is the 334 that asks for the next response."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Login:
    """AUTH has said who it is; its answer is 235, 535, 454 or 421. `name` and `passphrase` are not empty."""

    mechanism: str
    name: str
    passphrase: str = field(repr=False)


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
    """A command that is not obeyed; `command` is its line, printable, and `AUTH ***` where it could be a secret.

    A BDAT that is refused ends the transaction (RFC 3030 §2): `ServerMachine.in_transaction` tells.
    """

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


Event = (
    Hello
    | Mail
    | Rcpt
    | Data
    | Bdat
    | Chunk
    | ChunkEnd
    | MessageEnd
    | StartTls
    | Challenge
    | Login
    | Reset
    | Simple
    | Refusal
    | Quit
    | Hangup
)
