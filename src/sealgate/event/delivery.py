"""What happens while mail is delivered: connections to next hops, and the fate of every recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sealgate.event.base import Event


@dataclass(frozen=True, slots=True)
class DeliveryOpened(Event):
    """A connection to a next hop stands; `domain` is the destination, `host` the name of the next hop."""

    dcid: int
    local_ip: str
    peer_ip: str
    port: int
    host: str
    domain: str


@dataclass(frozen=True, slots=True)
class DeliveryFailed(Event):
    """A connection to a next hop could not be made, or broke; `interface` is our address."""

    dcid: int
    domain: str
    ip: str
    port: int
    interface: str
    details: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeliveryClosed(Event):
    """A connection to a next hop is over."""

    dcid: int


@dataclass(frozen=True, slots=True)
class HostDown(Event):
    """A next hop could not be reached: it is passed over, and its mail put off where there is no other."""

    host: str
    ip: str
    port: int
    until: datetime
    details: str


@dataclass(frozen=True, slots=True)
class HostUp(Event):
    """A next hop that was down has been reached."""

    host: str
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class DeliveryStarted(Event):
    """A message is being offered to the next hop."""

    dcid: int
    mid: int
    rids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """The next hop has taken a message for these recipients."""

    dcid: int
    mid: int
    rids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ResponseGiven(Event):
    """What the next hop said when it took the message."""

    mid: int
    rid: int
    response: str


@dataclass(frozen=True, slots=True)
class Bounced(Event):
    """These recipients will not get the message.

    `status` is the enhanced code (RFC 3463), `code` the reply code or "000" where no reply was given, `lines`
    the words of the reply, `reason` ours.
    """

    dcid: int
    mid: int
    rids: tuple[int, ...]
    status: str
    code: str
    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Delayed(Event):
    """These recipients could not be reached now; fields as in `Bounced`."""

    dcid: int
    mid: int
    rids: tuple[int, ...]
    status: str
    code: str
    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class MessagePending(Event):
    """When these recipients are tried again."""

    mid: int
    rids: tuple[int, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class BounceGenerated(Event):
    """The notice `mid` tells the sender what became of the message `for_mid`."""

    mid: int
    for_mid: int


@dataclass(frozen=True, slots=True)
class NoticeOmitted(Event):
    """Nobody is told what became of these recipients."""

    mid: int
    rids: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DelayNoticeGenerated(Event):
    """The notice `mid` tells the sender that the message `for_mid` is late."""

    mid: int
    for_mid: int


@dataclass(frozen=True, slots=True)
class RelayNoticeGenerated(Event):
    """The notice `mid` tells the sender that the message `for_mid` went to a server that confirms nothing."""

    mid: int
    for_mid: int


@dataclass(frozen=True, slots=True)
class MessageFinished(Event):
    """Every recipient of a message has its final fate."""

    mid: int


@dataclass(frozen=True, slots=True)
class MessageHeld(Event):
    """An operator has put a message on hold: nothing more is tried, and it does not grow too old."""

    mid: int
    who: str


@dataclass(frozen=True, slots=True)
class MessageReleased(Event):
    """An operator has ended the hold of a message."""

    mid: int
    who: str


@dataclass(frozen=True, slots=True)
class MessageDeleted(Event):
    """An operator has deleted a message for these recipients; nobody is told."""

    mid: int
    rids: tuple[int, ...]
    who: str


@dataclass(frozen=True, slots=True)
class OperatorActed(Event):
    """An operator's act on the queue of one worker: `selection` in words, and how many it concerned."""

    who: str
    act: str
    selection: str
    messages: int
    recipients: int


@dataclass(frozen=True, slots=True)
class Suspended(Event):
    """An operator has suspended a listener, delivery, or delivery to one destination."""

    what: str
    who: str


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """An operator has ended a suspension."""

    what: str
    who: str
