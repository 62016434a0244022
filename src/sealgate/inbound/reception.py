"""One message on its way into the spool: envelope, trace field, body, and the moment it is durable."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

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
from sealgate.mail.envelope import Demands, Notify, Recipient
from sealgate.mail.host import PeerName
from sealgate.mail.reply import Reply
from sealgate.mail.trace import header_facts, missing_fields, received_field
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
    name: PeerName | None
    esmtp: bool
    outcome: Outcome | None
    logged_in: bool


class Reception:
    """Receives one message. It ends by `finish` or `abandon`, once."""

    def __init__(self, tools: SessionTools, mid: int, icid: int, mail: smtp.Mail, *, submitted: bool) -> None:
        """`submitted`: the message begins its way here, and gets what it lacks (RFC 6409 §8)."""
        self.mid = mid
        self._tools = tools
        self._icid = icid
        self._mail = mail
        self._sender = None if mail.sender is None else str(mail.sender)
        self._submitted = submitted
        self._recipients: list[Recipient] = []
        self._body = tools.spool.body()
        self._head = b""
        self._head_done = False
        self._size = 0
        self._hops = 0
        tools.emit(MessageStarted(mid, icid))
        tools.emit(MessageFrom(mid, icid, self._sender or ""))

    def add(self, recipient: Address, notify: Notify | None, orcpt: str) -> None:
        """One more recipient."""
        rid = len(self._recipients)
        self._recipients.append(Recipient(str(recipient), notify, orcpt))
        self._tools.emit(MessageTo(self.mid, self._icid, rid, str(recipient)))

    def begin(self, trace: Trace) -> None:
        """The body begins: with our own Received field."""
        field = received_field(
            hello=trace.hello,
            peer_ip=trace.peer_ip,
            peer_name=trace.name.name if trace.name is not None and trace.name.verified else None,
            hostname=self._hostname,
            esmtp=trace.esmtp,
            utf8=self._mail.utf8,
            logged_in=trace.logged_in,
            outcome=trace.outcome,
            mid=self.mid,
            recipient=self._recipients[0].address if len(self._recipients) == 1 else None,
            date=self._now(),
        )
        self._keep(field)

    @property
    def _hostname(self) -> str:
        return self._tools.current.revision.configuration.gateway.hostname

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._tools.clock()).astimezone()

    def _keep(self, data: bytes, resume: Callable[[], None] | None = None) -> bool:
        self._size += len(data)
        return self._body.write(data, resume)

    def write(self, data: bytes, resume: Callable[[], None]) -> bool:
        """Take a piece of the body; False if the peer should wait until `resume` is called."""
        if self._head_done:
            return self._keep(data, resume)
        self._head += data
        if b"\r\n\r\n" in self._head or len(self._head) >= HEADER_SEARCHED:
            return self._read_head(resume)
        return True

    def _read_head(self, resume: Callable[[], None] | None = None) -> bool:
        """The header is there, whole or as far as it is searched: look at it, add what it lacks, and keep it."""
        self._head_done = True
        head, self._head = self._head, b""
        facts = header_facts(head)
        if self._submitted:
            added = missing_fields(facts, self.mid, self._hostname, self._now())
            if added:
                self._keep(added)
                facts = facts._replace(message_id=facts.message_id or header_facts(added).message_id)
        self._hops = facts.received_count
        if facts.message_id:
            self._tools.emit(MessageIdSeen(self.mid, facts.message_id))
        if facts.subject is not None:
            self._tools.emit(SubjectSeen(self.mid, facts.subject))
        return self._keep(head, resume)

    def objection(self) -> Reply | None:
        """What in the message itself forbids to take it."""
        if not self._head_done:
            self._read_head()
        return replies.TOO_MANY_HOPS if self._hops > MOST_HOPS else None

    def abandon(self, reason: str) -> None:
        """Nothing of it stays."""
        self._body.discard()
        self._tools.emit(MessageAborted(self.mid, self._icid, reason))

    def finish(self, done: Callable[[SpoolFault | None], None], *, bare: bool) -> None:
        """Make it durable; `done` hears whether it is. A durable message is delivered whoever still listens.

        `bare`: it holds bare CR or LF and came by BDAT.
        """
        message = NewMessage(
            mid=self.mid,
            sender=self._sender,
            recipients=tuple(self._recipients),
            size=self._size,
            received_at=self._tools.clock(),
            origin={"icid": self._icid},
            demands=Demands(self._mail.body_8bit, self._mail.utf8, bare, self._mail.ret, self._mail.envid),
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
