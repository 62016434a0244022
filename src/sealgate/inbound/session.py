"""One inbound SMTP connection: the socket's side of the server machine.

Callbacks, not tasks: a session waits only for a lease, a spool commit or its peer, and each of these calls back.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast

from sealgate.event.facts import (
    ConnectionAccepted,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionRefused,
    ReceivingFailed,
    RecipientRefused,
    StarttlsInjected,
    TlsRequired,
    Way,
)
from sealgate.inbound.acceptance import accept_recipient
from sealgate.inbound.access import Terms, terms_for
from sealgate.inbound.handshake import fact_of
from sealgate.inbound.machine import machine_for
from sealgate.inbound.reception import Reception, Trace
from sealgate.inbound.tools import Answer, SessionTools, is_full_for_host
from sealgate.live.revision import LiveListener
from sealgate.mail.address import Address
from sealgate.mail.host import NAMELESS
from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.net.tls.context import ServerContexts
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.process.ids import IdError
from sealgate.process.lease import Lease
from sealgate.smtp import replies
from sealgate.smtp import server as smtp
from sealgate.store.spool import SpoolFault
from sealgate.tls.verdict import Outcome

MOST_WAITING = 256 * 1024
"""Bytes that a client may send ahead while its message is being made durable."""


class Session(asyncio.Protocol):
    """Receives mail from one peer."""

    def __init__(self, tools: SessionTools, listener: str) -> None:
        self._tools = tools
        self._name = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | TlsTransport | None = None
        self._machine: smtp.ServerMachine | None = None
        self._lease: Lease | None = None
        self._handshake_lease: Lease | None = None
        self._reception: Reception | None = None
        self._hello = ""
        self._esmtp = False
        self._early = b""
        self._outcome: Outcome | None = None
        self._icid = 0
        self._ended = False
        self._waits = False
        self._begun = self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected; nothing is read before it is admitted."""
        self._transport = plain = cast(asyncio.Transport, transport)
        self._tools.sessions.add(self)
        peer, local = plain.get_extra_info("peername"), plain.get_extra_info("sockname")
        live = self._tools.current.listener(self._name)
        if peer is None or local is None or live is None:
            plain.abort()  # gone already, or the listener has just been removed
            return
        self._live: LiveListener = live
        self._peer_ip = peer[0]
        try:
            self._icid = self._tools.ids.next("icid")
        except IdError:
            plain.abort()  # the supervisor's disk is full, or the supervisor is gone: nothing can be promised
            return
        self._tools.emit(ConnectionOpened(self._icid, self._name, local[0], local[1], self._peer_ip, peer[1]))
        plain.pause_reading()
        self._tools.ask_for_connection(self._peer_ip, self._admitted)
        self._arm()

    def _admitted(self, answer: Answer) -> None:
        if self._ended or self._transport is None:
            return
        if not isinstance(answer, Lease):
            own = is_full_for_host(answer, self._peer_ip)
            reply = replies.TOO_MANY_CONNECTIONS_FROM_HOST if own else replies.TOO_MANY_CONNECTIONS
            self._refuse(reply, "Connection limit exceeded")
            return
        self._lease = answer
        settings = self._live.settings
        configuration = self._tools.current.revision.configuration
        self._terms = terms = cast(Terms, terms_for(configuration, settings, self._peer_ip, NAMELESS))
        self._tools.emit(ConnectionAccepted(self._icid, terms.decision, terms.group, terms.match))
        if settings.implicit_tls:
            self._tools.ask_for_handshake(self._peer_ip, partial(self._handshake_admitted, None))
        else:
            self._start_smtp(encrypted=False)
            self._transport.resume_reading()

    def _refuse(self, reply: Reply, reason: str) -> None:
        """Turn a connection away before it is a session."""
        said = f"{reply.code} {' '.join(reply.lines)}"
        self._tools.emit(ConnectionRefused(self._icid, self._name, self._peer_ip, said, reason))
        if not self._live.settings.implicit_tls:
            self._write(reply.encode(ReplyStyle(self._live.settings.reply_style)))
        self._close()

    def _start_smtp(self, *, encrypted: bool) -> None:
        hostname = self._tools.current.revision.configuration.gateway.hostname
        self._machine = machine_for(self._live, hostname, encrypted=encrypted)
        self._write(self._machine.greeting())
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        """The peer has spoken."""
        self._heard = self._loop.time()
        if self._ended:
            return
        if self._machine is None:
            self._early += data  # reading is paused before admission, but one read may be under way already
            return
        self._machine.receive(data)
        self._pump()
        if self._machine.pending_plaintext > MOST_WAITING and self._transport is not None:
            self._transport.pause_reading()  # `_stored` resumes: only a commit makes input wait this long

    def eof_received(self) -> bool | None:
        """The peer has closed its side, without QUIT."""
        self._lost = True
        self._close()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        lost = self._lost or not self._ended
        self._ended = True
        self._tools.sessions.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._reception is not None and not self._waits:
            self._reception.abandon("Receiving aborted")
            self._reception = None
        if self._lease is not None:
            self._lease.release()
        self._release_handshake()
        if self._icid:
            self._tools.emit(ConnectionClosed(self._icid, lost))

    def pause_writing(self) -> None:
        """The peer does not read its replies: neither is it read."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._transport is not None and not self._ended:
            self._transport.resume_reading()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        self._ended = True
        if self._transport is not None:
            self._transport.close()

    @property
    def over(self) -> bool:
        """Whether nothing more is to be heard or said."""
        return self._ended

    # -- time

    def _arm(self) -> None:
        """One timer serves both limits: it looks, and sleeps until the next one could be reached."""
        settings = self._live.settings
        now = self._loop.time()
        idle, total = self._heard + settings.idle_timeout, self._begun + settings.session_timeout
        if now >= total and not self._waits:
            self._hang_up(replies.CONNECTION_TIME_EXCEEDED, "Connection time exceeded")
        elif now >= idle and not self._waits:
            self._hang_up(replies.TIMED_OUT, "Timed out waiting for the client")
        else:
            at = max(min(idle, total), now + 0.1)
            self._timer = self._loop.call_at(at, self._arm)

    def _hang_up(self, reply: Reply | None, reason: str) -> None:
        if self._ended:
            return
        self._tools.emit(ReceivingFailed(self._icid, reason))
        if reply is not None and self._machine is not None:
            self._write(reply.encode(ReplyStyle(self._live.settings.reply_style)))
        self._close()

    def stop(self) -> None:
        """The gateway is stopping: between messages the session ends, a message under way is finished first."""
        self._stopping = True
        if self._reception is None:
            self._hang_up(replies.SHUTTING_DOWN, "Gateway is stopping")

    _stopping = False
    _lost = False

    # -- the conversation

    def _pump(self) -> None:
        """Let the machine say what it has understood, until it wants bytes or an answer is owed."""
        machine = self._machine
        while machine is not None and not self._ended and (event := machine.next_event()) is not None:
            self._handle(machine, event)

    def _handle(self, machine: smtp.ServerMachine, event: smtp.Event) -> None:
        match event:
            case smtp.Chunk(data):
                self._take(data)
            case smtp.Hello(name, extended):
                self._hello, self._esmtp = name, extended
                self._drop_reception()
                self._write(machine.answer(machine.hello_reply(event)))
            case smtp.Mail():
                self._mail(machine, event)
            case smtp.Rcpt(recipient):
                self._write(machine.answer(self._recipient(recipient)))
            case smtp.Data():
                self._write(machine.answer(replies.GO_AHEAD))
                if self._reception is not None:
                    self._reception.begin(Trace(self._hello, self._peer_ip, self._esmtp, self._outcome))
            case smtp.MessageEnd():
                self._message_end(machine, event)
            case smtp.StartTls():
                self._starttls(machine)
            case smtp.Reset(reply) | smtp.Refusal(reply) | smtp.Simple(reply):
                if isinstance(event, smtp.Reset):
                    self._drop_reception()
                if reply is replies.TLS_REQUIRED:
                    self._tools.emit(TlsRequired(self._icid))
                self._write(machine.answer(reply))
            case smtp.Quit(reply):
                self._write(machine.answer(reply))
                self._close()
            case smtp.Hangup(reply, reason):
                self._machine_hung_up(machine, reply, reason)

    def _machine_hung_up(self, machine: smtp.ServerMachine, reply: Reply | None, reason: str) -> None:
        if reason == smtp.INJECTION:
            self._tools.emit(StarttlsInjected(Way.IN, self._icid, self._peer_ip, machine.pending_plaintext))
        self._drop_reception()
        self._hang_up(reply, reason)

    def _mail(self, machine: smtp.ServerMachine, event: smtp.Mail) -> None:
        if self._tools.spool.is_full:
            self._write(machine.answer(replies.QUEUE_FULL))
            return
        try:
            mid = self._tools.ids.next("mid")
        except IdError:
            self._write(machine.answer(replies.SERVER_ERROR))
            return
        self._reception = Reception(self._tools, mid, self._icid, event, self._live.settings)
        self._write(machine.answer(replies.sender_ok(event.sender)))

    def _recipient(self, recipient: Address) -> Reply:
        configuration = self._tools.current.revision.configuration
        refusal = accept_recipient(configuration, self._terms, recipient)
        if self._reception is None:
            return replies.MAIL_FIRST
        if refusal is not None:
            text = f"{refusal.code} {' '.join(refusal.lines)}"
            self._tools.emit(RecipientRefused(self._icid, self._reception.mid, str(recipient), text, "RAT"))
            return refusal
        if not recipient.domain:
            recipient = Address(recipient.local, configuration.gateway.postmaster.rpartition("@")[2])
        self._reception.add(recipient)
        return replies.recipient_ok(recipient)

    def _take(self, data: bytes) -> None:
        """A piece of the body; the peer waits while the disk is behind."""
        assert self._reception is not None
        if not self._reception.write(data, self._resume) and self._transport is not None:
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None and not self._ended:
            self._transport.resume_reading()

    def _message_end(self, machine: smtp.ServerMachine, event: smtp.MessageEnd) -> None:
        reception, self._reception = self._reception, None
        assert reception is not None
        fault = event.fault or reception.objection()
        if fault is not None:
            reception.abandon(" ".join(fault.lines))
            self._tools.emit(ReceivingFailed(self._icid, " ".join(fault.lines)))
            self._write(machine.answer(fault))
            return
        self._waits = True
        reception.finish(partial(self._stored, machine, reception.mid))

    def _stored(self, machine: smtp.ServerMachine, mid: int, fault: SpoolFault | None) -> None:
        """The message is durable, or it is not: only now may the peer be told."""
        self._waits = False
        self._heard = self._loop.time()
        if self._ended:
            return
        if fault is None:
            self._write(machine.answer(replies.message_accepted(mid)))
        else:
            self._write(machine.answer(replies.QUEUE_FULL if fault.kind == "full" else replies.SERVER_ERROR))
        if self._stopping:
            self.stop()
        self._resume()
        self._pump()

    def _drop_reception(self) -> None:
        if self._reception is not None:
            self._reception.abandon("Receiving aborted by the client")
            self._reception = None

    # -- TLS

    def _starttls(self, machine: smtp.ServerMachine) -> None:
        if self._contexts() is None:
            self._write(machine.answer(replies.TLS_NOT_AVAILABLE))
            return
        self._tools.ask_for_handshake(self._peer_ip, partial(self._handshake_admitted, machine))

    def _contexts(self) -> ServerContexts | None:
        """The contexts in force now, not those of the greeting: a withdrawn version ends with the commit."""
        live = self._tools.current.listener(self._name)
        return None if live is None else live.contexts

    def _handshake_admitted(self, machine: smtp.ServerMachine | None, answer: Answer) -> None:
        if self._ended or self._transport is None:
            return
        if not isinstance(answer, Lease):
            if machine is None:
                self._refuse(replies.TOO_MANY_TLS_SESSIONS, "too many TLS handshakes")
            else:
                self._write(machine.answer(replies.TOO_MANY_TLS_SESSIONS))
                self._hang_up(None, "Too many TLS sessions")
            return
        self._handshake_lease = answer
        if machine is not None:
            self._write(machine.answer(replies.READY_FOR_TLS))
            self._pump()  # bytes behind STARTTLS make the machine hang up
            if self.over:
                return
        self._shake_hands()

    def _shake_hands(self) -> None:
        plain = cast(asyncio.Transport, self._transport)
        limits = self._tools.limits
        self._machine = None if self._live.settings.implicit_tls else self._machine
        layer = TlsTransport(plain, self, self._loop)
        self._transport = layer
        layer.accept(self._contexts, timeout=limits.handshake_timeout, hello_limit=limits.hello_size)
        if self._early:
            early, self._early = self._early, b""
            layer.data_received(early)
        plain.resume_reading()

    def _release_handshake(self) -> None:
        if self._handshake_lease is not None:
            self._handshake_lease.release()
            self._handshake_lease = None

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        """TLS stands: SMTP starts, or starts anew and remembers nothing."""
        self._release_handshake()
        assert handshake.outcome is not None
        self._outcome = handshake.outcome
        self._tell(handshake)
        self._heard = self._loop.time()
        if self._machine is None:
            self._start_smtp(encrypted=True)
        else:
            self._drop_reception()
            self._hello, self._esmtp = "", False
            self._machine.tls_started()

    def handshake_failed(self, handshake: Handshake) -> None:
        """One quiet line; the transport sends the alert and closes."""
        self._release_handshake()
        self._tell(handshake)
        self._ended = True

    def _tell(self, handshake: Handshake) -> None:
        configuration = self._tools.current.revision.configuration
        self._tools.emit(fact_of(handshake, self._icid, self._peer_ip, self._live.settings, configuration))
