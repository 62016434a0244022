"""One inbound SMTP connection: the socket's side of a conversation, its TLS and its time."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import cast

from sealgate.event.facts import ConnectionClosed, ConnectionOpened, ConnectionRefused, ReceivingFailed, Way
from sealgate.inbound.access import Terms
from sealgate.inbound.admission import Admission
from sealgate.inbound.conversation import Conversation, Hold
from sealgate.inbound.machine import govern, machine_for
from sealgate.inbound.tools import Answer, SessionTools
from sealgate.inbound.trial import Place
from sealgate.live.handshake import fact_of
from sealgate.live.revision import LiveListener
from sealgate.mail.host import NAMELESS, PeerName
from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.net.tls.context import ServerContexts
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.process.ids import IdError
from sealgate.process.lease import Lease
from sealgate.smtp import replies
from sealgate.smtp.server import ServerMachine
from sealgate.tls.policy import ClientCertificate

_HANDED_OVER: Place = ("a trial", 0)


class Session(asyncio.Protocol):
    """Receives mail from one peer."""

    def __init__(self, tools: SessionTools, listener: str) -> None:
        self._tools = tools
        self._name = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | TlsTransport | None = None
        self._admission: Admission | None = None
        self._machine: ServerMachine | None = None
        self._terms: Terms | None = None
        self._conversation: Conversation | None = None
        self._handshake_lease: Lease | None = None
        self._last_word: tuple[Reply | None, str] | None = None
        self._early = b""
        self._holds: set[Hold] = set()
        self._icid = 0
        self._ended = False
        self._lost = False
        self._half_closed = False
        self._stopping = False
        self._begun = self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected; nothing is read before it is admitted."""
        self._transport = plain = cast(asyncio.Transport, transport)
        self._tools.sessions.add(self)
        peer, local = self._places(plain)
        live = self._tools.current.listener(self._name)
        if peer is None or local is None or live is None:
            plain.abort()  # gone already, or the listener has just been removed
            return
        self._live: LiveListener = live
        self._peer_ip = ip = peer[0]
        try:
            self._icid = 0 if self._tools.trial is not None else self._tools.ids.next("icid")
        except IdError:
            plain.abort()  # the supervisor's disk is full, or the supervisor is gone: nothing can be promised
            return
        self.pause(Hold.ADMISSION)
        name = self._tools.names.known(ip)
        known = NAMELESS if name is None else name
        self._tools.emit(
            ConnectionOpened(self._icid, self._name, local[0], local[1], ip, peer[1], known.name, known.verified)
        )
        self._arm()
        if self._tools.is_suspended(self._name):
            self.turn_away(replies.SUSPENDED, "Listener is suspended")
            return
        self._admission = Admission(self._tools, live, self._icid, ip, self)
        self._admission.begin(name)

    def _places(self, plain: asyncio.Transport) -> tuple[Place | None, Place | None]:
        """Where the peer is and where we are, if it is still there; a trial becomes one here."""
        if self._tools.trial is not None:
            return _HANDED_OVER, _HANDED_OVER
        peer, local = plain.get_extra_info("peername"), plain.get_extra_info("sockname")
        if peer and (demand := self._tools.expected.take(peer[:2])) is not None:
            self._tools = self._tools.for_trial(demand)
        return peer or None, local or None

    @property
    def name(self) -> PeerName | None:
        """The host's name, as far as it is known."""
        return None if self._admission is None else self._admission.name

    def welcome(self) -> None:
        """There is room: greet, though not all may be known of the host yet."""
        if self._ended or self._transport is None or self._live.settings.implicit_tls:
            return
        self._greet(encrypted=False)
        self.resume(Hold.ADMISSION)

    def settle(self, terms: Terms) -> None:
        """The terms are known: begin, or go on behind the greeting."""
        if self._ended:
            return
        self._terms = terms
        if self._live.settings.implicit_tls:
            self._tools.ask_for_handshake(self._peer_ip, partial(self._handshake_admitted, False))
            return
        assert self._machine is not None
        govern(self._machine, self._live.settings, terms, speaks_tls=self._contexts() is not None)
        self._converse(self._machine)

    def _greet(self, *, encrypted: bool) -> None:
        hostname = self._tools.current.revision.configuration.gateway.hostname
        self._machine = machine_for(self._live.settings, hostname, encrypted=encrypted)
        self.write(self._machine.greeting())

    def _converse(self, machine: ServerMachine) -> None:
        assert self._terms is not None
        self._conversation = Conversation(self._tools, self, machine, self._terms, self._icid, self._peer_ip)
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)
            self.resume(Hold.ADMISSION)

    def turn_away(self, reply: Reply | None, reason: str) -> None:
        """Not this host, or not now. Whoever has been greeted hears it in answer to its first command."""
        if self._ended:
            return
        if self._machine is None or self._early or reply is None:
            self._refuse(reply, reason)
        else:
            self._last_word = reply, reason

    def _refuse(self, reply: Reply | None, reason: str) -> None:
        said = "" if reply is None else f"{reply.code} {' '.join(reply.lines)}"
        self._tools.emit(ConnectionRefused(self._icid, self._name, self._peer_ip, said, reason))
        if reply is not None and not self._live.settings.implicit_tls:
            self.write(reply.encode(ReplyStyle(self._live.settings.reply_style)))
        self.close()

    def data_received(self, data: bytes) -> None:
        """The peer has spoken."""
        self._heard = self._loop.time()
        if self._ended:
            return
        if self._last_word is not None:
            self._refuse(*self._last_word)
            return
        conversation = self._conversation
        if conversation is None:
            # Before admission reading is paused, but one read may be under way; behind the greeting a host may
            # pipeline, which is not read on before its terms are known.
            self._early += data
            self.pause(Hold.ADMISSION)
            return
        conversation.machine.receive(data)
        conversation.pump()

    def eof_received(self) -> bool | None:
        """The peer says no more. What it has asked for is still answered: Exim closes its side behind QUIT.

        A client that is not told of a message that was taken would send it again (RFC 5321 §4.1.1.10).
        """
        if self._conversation is not None and self._conversation.is_busy and not self._ended:
            self._half_closed = True
            return True
        self._lost = True
        self.close()
        return None

    def all_answered(self) -> None:
        """Nothing is left to say just now: the end for a peer that has closed its side, or a gateway that stops."""
        if self._half_closed and not self._ended:
            self._lost = True
            self.close()
        elif self._stopping:
            self._stop_if_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        lost = self._lost or not self._ended
        self._ended = True
        self._tools.sessions.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._conversation is not None:
            self._conversation.end()
        if self._admission is not None:
            self._admission.end()
        self._release_handshake()
        if self._icid:
            self._tools.emit(ConnectionClosed(self._icid, lost))

    def pause_writing(self) -> None:
        """The peer does not read its replies: neither is it read."""
        self.pause(Hold.ANSWERS)

    def resume_writing(self) -> None:
        """The peer reads again."""
        self.resume(Hold.ANSWERS)
        if self._conversation is not None:
            self._conversation.pump()

    @property
    def clogged(self) -> bool:
        """Whether the peer does not read its replies."""
        return Hold.ANSWERS in self._holds

    def pause(self, why: Hold) -> None:
        """Read nothing for now."""
        self._holds.add(why)
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self, why: Hold) -> None:
        """Read on, if nothing else is in the way."""
        if why not in self._holds:
            return
        self._holds.discard(why)
        if self._transport is not None and not self._holds and not self._ended:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close when all is sent."""
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
        storing = self._conversation is not None and self._conversation.storing
        if storing:
            self._heard = now
        if now >= total and not storing:
            self.hang_up(replies.CONNECTION_TIME_EXCEEDED, "Connection time exceeded")
        elif now >= idle and not storing:
            self.hang_up(replies.TIMED_OUT, "Timed out waiting for the client")
        else:
            self._timer = self._loop.call_at(max(min(idle, total), now + 0.1), self._arm)

    def hang_up(self, reply: Reply | None, reason: str) -> None:
        """Say that receiving ends here, to the log and, with a reply, to the client; then close."""
        if self._ended:
            return
        self._tools.emit(ReceivingFailed(self._icid, reason))
        if reply is not None and self._machine is not None:
            self.write(reply.encode(ReplyStyle(self._live.settings.reply_style)))
        self.close()

    def stop(self) -> None:
        """The gateway is stopping: between messages the session ends, a message under way is finished first."""
        self._stopping = True
        self._stop_if_idle()

    def _stop_if_idle(self) -> None:
        if self._conversation is None or self._conversation.between_messages:
            self.hang_up(replies.SHUTTING_DOWN, "Gateway is stopping")

    def message_done(self) -> None:
        """A message has been answered."""
        self._heard = self._loop.time()
        if self._stopping:
            self._stop_if_idle()

    # -- TLS

    def begin_tls(self) -> None:
        """STARTTLS was asked for: answer it, and shake hands if that can be done."""
        assert self._machine is not None
        if self._contexts() is None:
            self.write(self._machine.answer(replies.TLS_NOT_AVAILABLE))
            return
        self._tools.ask_for_handshake(self._peer_ip, partial(self._handshake_admitted, True))

    def _contexts(self) -> ServerContexts | None:
        """The contexts in force now, not those of the greeting: a withdrawn version ends with the commit."""
        live = self._tools.current.listener(self._name)
        if live is None or self._terms is None:
            return None
        return live.contexts.get(ClientCertificate(self._terms.client_certificate))

    def _handshake_admitted(self, asked: bool, answer: Answer) -> None:
        """Room for a handshake, or none; `asked` with STARTTLS."""
        if self._ended or self._transport is None:
            return
        machine, conversation = self._machine, self._conversation
        if not isinstance(answer, Lease):
            if machine is None or not asked:
                self._refuse(replies.TOO_MANY_TLS_SESSIONS, "too many TLS handshakes")
            else:
                self.write(machine.answer(replies.TOO_MANY_TLS_SESSIONS))
                self.hang_up(None, "Too many TLS sessions")
            return
        self._handshake_lease = answer
        if machine is not None and conversation is not None:
            self.write(machine.answer(replies.READY_FOR_TLS))
            conversation.pump()  # bytes behind STARTTLS make the machine hang up
            if self.over:
                return
        self._shake_hands()

    def _shake_hands(self) -> None:
        plain = cast(asyncio.Transport, self._transport)
        limits = self._tools.limits
        layer = TlsTransport(plain, self, self._loop)
        self._transport = layer
        self._holds.clear()
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
        self._tell(handshake)
        self._heard = self._loop.time()
        anew = self._machine is not None
        if not anew:
            self._greet(encrypted=True)
            assert self._machine is not None
            assert self._terms is not None
            govern(self._machine, self._live.settings, self._terms, speaks_tls=True)
            self._converse(self._machine)
        assert self._conversation is not None
        self._conversation.tls_started(handshake.outcome, anew=anew)

    def handshake_failed(self, handshake: Handshake) -> None:
        """One quiet line; the transport sends the alert and closes."""
        self._release_handshake()
        self._tell(handshake)
        self._ended = True

    def _tell(self, handshake: Handshake) -> None:
        configuration = self._tools.current.revision.configuration
        demand = ClientCertificate(self._terms.client_certificate if self._terms else "none")
        policy = configuration.tls.inbound_smtp.policy(demand)
        self._tools.emit(fact_of(handshake, Way.IN, self._icid, self._peer_ip, self._name, policy))
