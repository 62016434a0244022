"""One message on its way into the spool: envelope, trace field, body, and the moment it is durable."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from sealgate.config.schema import Listener
from sealgate.event.facts import (
    MessageAborted,
    MessageFrom,
    MessageIdSeen,
    MessageQueued,
    MessageReady,
    MessageStarted,
    MessageTo,
    SpoolTrouble,
    SubjectSeen,
)
from sealgate.inbound.tools import SessionTools
from sealgate.mail.address import Address
from sealgate.mail.envelope import Demands, Recipient
from sealgate.mail.reply import Reply
from sealgate.mail.trace import header_facts, received_field
from sealgate.smtp import replies
from sealgate.smtp import server as smtp
from sealgate.store.spool import NewMessage, SpoolFault
from sealgate.tls.verdict import Outcome

HEADER_SEARCHED = 65536
"""Bytes at the beginning of a message that are searched for its header fields."""

MOST_HOPS = 100
"""Received fields that a message may carry; more is a loop (RFC 5321 §6.3)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the Received field says of the connection."""

    hello: str
    peer_ip: str
    esmtp: bool
    outcome: Outcome | None


class Reception:
    """Receives one message. It ends by `finish` or `abandon`, once."""

    def __init__(self, tools: SessionTools, mid: int, icid: int, mail: smtp.Mail, settings: Listener) -> None:
        self.mid = mid
        self._tools = tools
        self._icid = icid
        self._mail = mail
        self._sender = None if mail.sender is None else str(mail.sender)
        self._settings = settings
        self._recipients: list[str] = []
        self._body = tools.spool.body()
        self._head = b""
        self._head_done = False
        self._size = 0
        self._hops = 0
        self._trace: Trace | None = None
        tools.emit(MessageStarted(mid, icid))
        tools.emit(MessageFrom(mid, icid, self._sender or ""))

    def add(self, recipient: Address) -> None:
        """One more recipient."""
        rid = len(self._recipients)
        self._recipients.append(str(recipient))
        self._tools.emit(MessageTo(self.mid, self._icid, rid, self._recipients[rid]))

    def begin(self, trace: Trace) -> None:
        """The body begins: with our own Received field."""
        configuration = self._tools.current.revision.configuration
        field = received_field(
            hello=trace.hello,
            peer_ip=trace.peer_ip,
            hostname=configuration.gateway.hostname,
            esmtp=trace.esmtp,
            outcome=trace.outcome,
            mid=self.mid,
            recipient=self._recipients[0] if len(self._recipients) == 1 else None,
            date=datetime.datetime.fromtimestamp(self._tools.clock()).astimezone(),
        )
        self._size = len(field)
        self._body.write(field)

    def write(self, data: bytes, resume: Callable[[], None]) -> bool:
        """Take a piece of the body; False if the peer should wait until `resume` is called."""
        self._size += len(data)
        if not self._head_done:
            self._head += data
            if b"\r\n\r\n" in self._head or len(self._head) >= HEADER_SEARCHED:
                self._read_head()
        return self._body.write(data, resume)

    def _read_head(self) -> None:
        self._head_done = True
        facts = header_facts(self._head)
        self._head = b""
        self._hops = facts.received_count
        if facts.message_id:
            self._tools.emit(MessageIdSeen(self.mid, facts.message_id))
        if facts.subject is not None:
            self._tools.emit(SubjectSeen(self.mid, facts.subject))

    def objection(self) -> Reply | None:
        """What in the message itself forbids to take it."""
        if not self._head_done:
            self._read_head()
        return replies.TOO_MANY_HOPS if self._hops > MOST_HOPS else None

    def abandon(self, reason: str) -> None:
        """Nothing of it stays."""
        self._body.discard()
        self._tools.emit(MessageAborted(self.mid, self._icid, reason))

    def finish(self, done: Callable[[SpoolFault | None], None]) -> None:
        """Make it durable; `done` hears whether it is. A durable message is delivered whoever still listens."""
        message = NewMessage(
            mid=self.mid,
            sender=self._sender,
            recipients=tuple(Recipient(each) for each in self._recipients),
            size=self._size,
            received_at=self._tools.clock(),
            origin={"icid": self._icid},
            demands=Demands(body_8bit=self._mail.body_8bit),
        )
        self._tools.emit(MessageReady(self.mid, self._size, self._sender or ""))

        def stored(fault: SpoolFault | None) -> None:
            if fault is None:
                self._tools.emit(MessageQueued(self.mid))
            else:
                if fault.kind == "error":  # that there is no room the spool says once, not with every message
                    self._tools.emit(SpoolTrouble(fault.sentence))
                self._tools.emit(MessageAborted(self.mid, self._icid, fault.sentence))
            done(fault)
            if fault is None:
                self._tools.deliver(message.queued())

        self._tools.spool.accept(message, self._body, stored)
