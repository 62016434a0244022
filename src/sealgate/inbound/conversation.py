"""One client's SMTP conversation: what the machine understands becomes decisions, and their answers go out.

Callbacks, not tasks: it waits only for a count, a login, a spool commit or its peer, and each of these calls back.
While an answer is owed the machine gives no further event, so that everything happens in the order of the commands.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from functools import partial
from typing import Protocol

from sealgate.config.schema import Account
from sealgate.event.facts import (
    ReceivingFailed,
    RecipientRefused,
    SenderRefused,
    StarttlsInjected,
    TlsRequired,
    Way,
)
from sealgate.inbound.acceptance import accept_recipient, accept_sender, full_address
from sealgate.inbound.access import Terms
from sealgate.inbound.reception import Reception, Trace
from sealgate.inbound.tools import Answer, SessionTools
from sealgate.mail.address import Address
from sealgate.mail.host import PeerName, counted_as
from sealgate.mail.reply import Reply
from sealgate.process.ids import IdError
from sealgate.process.lease import Lease
from sealgate.smtp import replies
from sealgate.smtp import server as smtp
from sealgate.store.spool import SpoolFault
from sealgate.tls.verdict import Outcome

_BY_CLIENT = "Receiving aborted by the client"

TURN = 64
"""Events of one connection that are handled before the others have their turn: a client may pipeline thousands."""

MOST_WAITING = 256 * 1024
"""Bytes that a client may send ahead while an answer is owed to it."""


class Hold(Enum):
    """Why nothing is read of a peer; it is read again when no reason is left."""

    ADMISSION = "its terms are not known yet"
    ANSWERS = "it does not read its replies"
    WORK = "what it has sent is not done yet"
    DISK = "the disk is behind"


class Line(Protocol):
    """The connection under a conversation."""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be heard or said."""

    @property
    def name(self) -> PeerName | None:
        """The host's name, as far as it is known."""

    def write(self, data: bytes) -> None:
        """Send."""

    @property
    def clogged(self) -> bool:
        """Whether the peer does not read its replies."""

    def pause(self, why: Hold) -> None:
        """Read nothing for now."""

    def resume(self, why: Hold) -> None:
        """Read on, if nothing else is in the way."""

    def close(self) -> None:
        """Close when all is sent."""

    def hang_up(self, reply: Reply | None, reason: str) -> None:
        """Say that receiving ends here, to the log and, with a reply, to the client; then close."""

    def begin_tls(self) -> None:
        """STARTTLS was asked for: answer it, and shake hands if that can be done."""

    def message_done(self) -> None:
        """A message has been answered."""

    def all_answered(self) -> None:
        """Nothing the client has asked for waits for an answer."""


class Conversation:
    """What one connection says and is told under its terms, TLS or not."""

    def __init__(
        self, tools: SessionTools, line: Line, machine: smtp.ServerMachine, terms: Terms, icid: int, ip: str
    ) -> None:
        self.machine = machine
        self._tools = tools
        self._line = line
        self._terms = terms
        self._icid = icid
        self._ip = ip
        self._hello = ""
        self._extended = False
        self._outcome: Outcome | None = None
        self._account: Account | None = None
        self._reception: Reception | None = None
        self._messages = 0
        self._bad_recipients = 0
        self._under_way = False  # a body has begun
        self._chunked = False  # and came by BDAT
        self._next_turn: asyncio.Handle | None = None
        self._is_behind = False  # the peer has said more than one turn had room for
        self.storing = False  # a message is whole and becomes durable

    def tls_started(self, outcome: Outcome, *, anew: bool) -> None:
        """TLS stands. With `anew` it was STARTTLS: everything said before is forgotten (RFC 3207 §4.2)."""
        self._outcome = outcome
        if anew:
            self._drop(_BY_CLIENT)
            self._hello, self._extended, self._account = "", False, None
            self.machine.tls_started()

    @property
    def between_messages(self) -> bool:
        """Whether nothing is under way that should be finished."""
        return self._reception is None and not self.storing

    @property
    def is_busy(self) -> bool:
        """Whether something that the peer has said is not answered yet."""
        return self._is_behind or self.machine.owes_answer

    def end(self) -> None:
        """The connection is gone. A message that is becoming durable is delivered all the same."""
        if self._next_turn is not None:
            self._next_turn.cancel()
        if not self.storing:
            self._drop("Receiving aborted")

    def _drop(self, reason: str) -> None:
        if self._reception is not None:
            self._reception.abandon(reason)
            self._reception = None
            self._line.resume(Hold.DISK)  # which has nothing more to write, and will not say so
        self._under_way = False

    def pump(self) -> None:
        """Let the machine say what it has understood, until it wants bytes or an answer is owed.

        All at once only as far as one turn goes: then the others come first, and a client that does not read its
        replies, before it is told more.
        """
        for _ in range(TURN):
            if self._line.over:
                return
            event = self.machine.next_event()
            if event is None:
                self._is_behind = False
                self._read_on()
                return
            self._handle(event)
        self._is_behind = True
        self._line.pause(Hold.WORK)
        if self._next_turn is None and not self._line.clogged:
            self._next_turn = asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._next_turn = None
        self.pump()

    def _read_on(self) -> None:
        """A commit, a count or a login makes input wait, and that much may wait."""
        if self.machine.pending_plaintext > MOST_WAITING:
            self._line.pause(Hold.WORK)
        else:
            self._line.resume(Hold.WORK)
        if not self.machine.owes_answer:
            self._line.all_answered()

    def _answer(self, reply: Reply) -> None:
        """Answer what is owed; a transaction that ends with it takes its message along."""
        self._line.write(self.machine.answer(reply))
        if self._reception is not None and not self.machine.in_transaction:
            self._drop(" ".join(reply.lines) if reply.code == 421 else _BY_CLIENT)

    def _answer_later(self, reply: Reply) -> None:
        """From a callback: the answer, and what the client has sent meanwhile."""
        if not self._line.over:
            self._answer(reply)
            self.pump()

    def _handle(self, event: smtp.Event) -> None:
        match event:
            case smtp.Chunk(data):
                self._take(data)
            case smtp.Hello(name, extended):
                self._hello, self._extended = name, extended
                self._answer(self.machine.hello_reply(event))
            case smtp.Mail():
                self._mail(event)
            case smtp.Rcpt():
                self._rcpt(event)
            case smtp.Data():
                self._answer(replies.GO_AHEAD)
                self._chunked = False
                self._begin_body()
            case smtp.Bdat():
                self._chunked = True
                self._begin_body()
            case smtp.MessageEnd():
                self._message_end(event)
            case smtp.StartTls():
                self._line.begin_tls()
            case smtp.Login():
                self._tools.logins.ask(self._icid, counted_as(self._ip), event, self._logged_in)
            case smtp.Hangup(reply, reason):
                self._machine_hung_up(reply, reason)
            case smtp.Quit(reply):
                self._answer(reply)
                self._line.close()
            case smtp.Refusal(reply):
                self._refused(reply)
            case smtp.ChunkEnd(reply):
                if not reply.is_positive:
                    self._fail(reply)
                self._answer(reply)
            case smtp.Reset(reply) | smtp.Simple(reply) | smtp.Challenge(reply):
                self._answer(reply)

    def _refused(self, reply: Reply) -> None:
        if reply is replies.TLS_REQUIRED:
            self._tools.emit(TlsRequired(self._icid))
        self._answer(reply)

    def _machine_hung_up(self, reply: Reply | None, reason: str) -> None:
        if reason == smtp.INJECTION:
            self._tools.emit(StarttlsInjected(Way.IN, self._icid, self._ip, self.machine.pending_plaintext))
        self._drop(reason)
        self._line.hang_up(reply, reason)

    # -- logging in

    def _logged_in(self, reply: Reply, account: Account | None) -> None:
        self._account = account
        self._answer_later(reply)

    # -- the envelope

    def _mail(self, event: smtp.Mail) -> None:
        if self._messages >= self._terms.max_messages:
            self._answer(replies.TOO_MANY_MESSAGES)
            self._line.hang_up(None, "Too many messages in this session")
            return
        live = self._tools.current.listener(self._terms.listener)
        match = live is not None and live.settings.sender_must_match
        own = self._account if match else None
        refusal = accept_sender(self._terms, event.sender, own, encrypted=self._outcome is not None)
        if refusal is not None:
            self._tools.emit(SenderRefused(self._icid, str(event.sender or ""), _words(refusal), _decider(refusal)))
            self._answer(refusal)
        elif not self._tools.spool.takes(event.size):
            self._answer(replies.QUEUE_FULL)
        elif (most := self._terms.policy.messages_per_hour) is not None:
            self._tools.count("messages", most, self._ip, self._terms, partial(self._mail_counted, event))
        else:
            self._answer(self._begin(event))

    def _mail_counted(self, event: smtp.Mail, answer: Answer) -> None:
        if self._line.over:
            return
        within = isinstance(answer, Lease)
        self._answer_later(self._begin(event) if within else replies.TOO_MANY_MESSAGES_THIS_HOUR)

    def _begin(self, event: smtp.Mail) -> Reply:
        """A message begins; the answer to MAIL."""
        try:
            mid = self._tools.ids.next("mid")
        except IdError:
            return replies.SERVER_ERROR
        submitted = self._terms.relays or self._account is not None
        self._reception = Reception(self._tools, mid, self._icid, event, submitted=submitted)
        return replies.sender_ok(event.sender)

    def _rcpt(self, event: smtp.Rcpt) -> None:
        configuration = self._tools.current.revision.configuration
        recipient = event.recipient
        refusal = accept_recipient(configuration, self._terms, recipient, logged_in=self._account is not None)
        if refusal is not None:
            self._refuse_recipient(recipient, refusal)
            return
        recipient = full_address(configuration, recipient)
        most = self._terms.policy.recipients_per_hour
        if most is None:
            self._answer(self._add(event, recipient))
        else:
            then = partial(self._rcpt_counted, event, recipient)
            self._tools.count("recipients", most, self._ip, self._terms, then)

    def _rcpt_counted(self, event: smtp.Rcpt, recipient: Address, answer: Answer) -> None:
        if self._line.over:
            return
        within = isinstance(answer, Lease)
        self._answer_later(self._add(event, recipient) if within else replies.TOO_MANY_RECIPIENTS_THIS_HOUR)

    def _add(self, event: smtp.Rcpt, recipient: Address) -> Reply:
        assert self._reception is not None
        self._reception.add(recipient, event.notify, event.orcpt)
        return replies.recipient_ok(recipient)

    def _refuse_recipient(self, recipient: Address, refusal: Reply) -> None:
        mid = None if self._reception is None else self._reception.mid
        self._tools.emit(RecipientRefused(self._icid, mid, str(recipient), _words(refusal), "RAT"))
        self._bad_recipients += 1
        if self._bad_recipients < self._terms.max_bad_recipients:
            self._answer(refusal)
            return
        self._answer(replies.TOO_MANY_BAD_RECIPIENTS)
        self._line.hang_up(None, "Too many bad recipients")

    # -- the message

    def _begin_body(self) -> None:
        """The data begins, at DATA or at the first BDAT of a message."""
        if self._reception is None or self._under_way:
            return
        self._under_way = True
        logged_in = self._account is not None
        trace = Trace(self._hello, self._ip, self._line.name, self._extended, self._outcome, logged_in)
        self._reception.begin(trace)

    def _take(self, data: bytes) -> None:
        """A piece of the body; the peer waits while the disk is behind."""
        assert self._reception is not None
        if not self._reception.write(data, partial(self._line.resume, Hold.DISK)):
            self._line.pause(Hold.DISK)

    def _message_end(self, event: smtp.MessageEnd) -> None:
        assert self._reception is not None
        fault = event.fault or self._reception.objection()
        if fault is not None:
            self._fail(fault)
            self._answer(fault)
            return
        reception, self._reception, self._under_way = self._reception, None, False
        self.storing = True
        reception.finish(partial(self._stored, reception.mid), bare=event.bare and self._chunked)

    def _fail(self, fault: Reply) -> None:
        """The message under way may not be taken."""
        sentence = " ".join(fault.lines)
        self._drop(sentence)
        self._tools.emit(ReceivingFailed(self._icid, sentence))

    def _stored(self, mid: int, fault: SpoolFault | None) -> None:
        """The message is durable, or it is not: only now may the peer be told."""
        self.storing = False
        if self._line.over:
            return
        if fault is None:
            self._messages += 1
            reply = replies.message_accepted(mid)
        else:
            reply = replies.QUEUE_FULL if fault.kind == "full" else replies.SERVER_ERROR
        self._answer(reply)
        self._line.message_done()
        self.pump()


def _words(reply: Reply) -> str:
    return f"{reply.code} {' '.join(reply.lines)}"


def _decider(refusal: Reply) -> str:
    """What decided, in the word of the log."""
    return {
        replies.SENDER_NEEDS_TLS: "TLS",
        replies.SENDER_NOT_OWN: "login",
        replies.HOST_NAME_UNSURE: "DNS",
    }.get(refusal, "policy")
