"""A driver of the server machine that answers as a gateway does, and remembers what it heard and said."""

from __future__ import annotations

from collections.abc import Collection

from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings
from sealgate.smtp.server import (
    Bdat,
    Chunk,
    ChunkEnd,
    Data,
    Event,
    Hangup,
    Hello,
    Limits,
    Login,
    Mail,
    MessageEnd,
    Offer,
    Rcpt,
    ServerMachine,
    StartTls,
)

SIZE = 1000
LIMITS = Limits(line=200, bad_commands=3, recipients=3, size=SIZE)


class Gateway:
    """Takes mail for everyone but recipients at refused.example and senders at full.example.

    The one login is jürgen with the passphrase secret; for the login later nobody can tell. The disk is full for a
    message that holds FULL.
    """

    def __init__(
        self,
        *,
        starttls: bool = True,
        require_tls: bool = False,
        style: ReplyStyle = ReplyStyle.RFC2034,
        bare: BareLineEndings = BareLineEndings.REFUSE,
        encrypted: bool = False,
        require_auth: bool = False,
        auth: bool = True,
        hidden: Collection[str] = (),
    ) -> None:
        limits = Limits(LIMITS.line, LIMITS.bad_commands, LIMITS.recipients, LIMITS.size, bare)
        self.machine = ServerMachine(
            "mx.example",
            offer=Offer(starttls, SIZE, style, auth, frozenset(hidden)),
            limits=limits,
            encrypted=encrypted,
            require_tls=require_tls,
            require_auth=require_auth,
        )
        self.events: list[Event] = []
        self.messages: list[bytes] = []
        self.chunks = 0
        self._body = b""

    def hear(self, data: bytes) -> bytes:
        """Receive, and give all replies."""
        self.machine.receive(data)
        said = []
        while (event := self.machine.next_event()) is not None:
            if isinstance(event, Chunk):
                self._body += event.data
                self.chunks += 1
                continue
            self.events.append(event)
            if isinstance(event, Bdat):
                continue
            if isinstance(event, Hangup):
                said.append(b"" if event.reply is None else event.reply.encode())
            else:
                said.append(self.machine.answer(self._reply(event)))
                self._body = self._body if self.machine.in_transaction else b""
        return b"".join(said)

    def _reply(self, event: Event) -> Reply:
        match event:
            case Hello():
                return self.machine.hello_reply(event)
            case Mail(sender=sender):
                full = sender is not None and sender.domain == "full.example"
                return replies.QUEUE_FULL if full else replies.sender_ok(sender)
            case Rcpt(recipient):
                refused = recipient.domain == "refused.example"
                return replies.RELAYING_DENIED if refused else replies.recipient_ok(recipient)
            case Data():
                return replies.GO_AHEAD
            case MessageEnd(fault=fault):
                if fault is None:
                    self.messages.append(self._body)
                return fault or replies.message_accepted(len(self.messages))
            case StartTls():
                return replies.READY_FOR_TLS
            case ChunkEnd(reply):
                return replies.QUEUE_FULL if b"FULL" in self._body else reply
            case Login(name=name, passphrase=passphrase):
                return {
                    ("jürgen", "secret"): replies.LOGGED_IN,
                    ("later", "secret"): replies.LOGIN_PUT_OFF,
                }.get((name, passphrase), replies.LOGIN_FAILED)
            case Bdat() | Chunk() | Hangup():
                raise AssertionError("no answer is owed")
        return event.reply
