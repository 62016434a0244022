"""What happens while mail is received: connections, refusals, messages on their way into the spool."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.event.base import Event


@dataclass(frozen=True, slots=True)
class ConnectionOpened(Event):
    """A peer has connected to a listener; `name` is what was remembered of its PTR record, as in `HostNamed`."""

    icid: int
    listener: str
    local_ip: str
    local_port: int
    peer_ip: str
    peer_port: int
    name: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class HostNamed(Event):
    """What DNS says of a peer: verified if the name leads back to it, `unsure` if DNS gave no answer."""

    icid: int
    name: str | None
    verified: bool
    unsure: bool


@dataclass(frozen=True, slots=True)
class ConnectionAccepted(Event):
    """What the peer may do: ACCEPT, RELAY, REJECT or REFUSE.

    `group` and `match` say which entry of the host access table decided.
    """

    icid: int
    decision: str
    group: str
    match: str


@dataclass(frozen=True, slots=True)
class ConnectionRefused(Event):
    """The peer was turned away before it could speak; `reply` is what it was told."""

    icid: int
    listener: str
    peer_ip: str
    reply: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionClosed(Event):
    """The connection is over; `lost` if it broke rather than ended."""

    icid: int
    lost: bool


@dataclass(frozen=True, slots=True)
class TlsRequired(Event):
    """A peer wanted to go on without the TLS that its listener requires."""

    icid: int


@dataclass(frozen=True, slots=True)
class LoginSucceeded(Event):
    """A peer has logged in."""

    icid: int
    login: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class LoginFailed(Event):
    """A peer could not log in; `login` is what it called itself."""

    icid: int
    login: str
    mechanism: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivingFailed(Event):
    """Receiving ended on this connection, or for one message of it."""

    icid: int
    reason: str


@dataclass(frozen=True, slots=True)
class SenderRefused(Event):
    """A sender was refused; `by` names what decided."""

    icid: int
    sender: str
    reply: str
    by: str


@dataclass(frozen=True, slots=True)
class RecipientRefused(Event):
    """A recipient was refused; `by` names what decided, such as RAT, the table of accepted domains."""

    icid: int
    mid: int | None
    recipient: str
    reply: str
    by: str


@dataclass(frozen=True, slots=True)
class MessageStarted(Event):
    """A message has got its number; `icid` is 0 for one made by the gateway itself."""

    mid: int
    icid: int


@dataclass(frozen=True, slots=True)
class MessageFrom(Event):
    """The envelope sender of a message, empty for the null path."""

    mid: int
    icid: int
    sender: str


@dataclass(frozen=True, slots=True)
class MessageTo(Event):
    """An accepted recipient of a message."""

    mid: int
    icid: int
    rid: int
    recipient: str


@dataclass(frozen=True, slots=True)
class MessageIdSeen(Event):
    """The Message-ID field of a message."""

    mid: int
    message_id: str


@dataclass(frozen=True, slots=True)
class SubjectSeen(Event):
    """The Subject field of a message."""

    mid: int
    subject: str


@dataclass(frozen=True, slots=True)
class MessageReady(Event):
    """All of a message has been received; `size` in bytes with our Received field."""

    mid: int
    size: int
    sender: str


@dataclass(frozen=True, slots=True)
class MessageQueued(Event):
    """A message is durable and will be delivered."""

    mid: int


@dataclass(frozen=True, slots=True)
class MessageAborted(Event):
    """A message that was begun will not be delivered; its sender has not been told that it was taken."""

    mid: int
    icid: int
    reason: str
