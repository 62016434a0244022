"""TLS on an asyncio transport, for both directions, at once or after STARTTLS.

The layer stands between a plain transport and a protocol: to the transport it is a protocol, to the protocol a
transport. asyncio's own TLS is not used because it never sends the alert of a failed handshake, keeps plaintext
that arrived behind STARTTLS, and holds a context for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography import x509

from sealgate.net.tls.context import ClientContext, ServerContexts
from sealgate.net.tls.engine import Engine, TlsFault
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.hello import Hello, HelloProblem, HelloReader
from sealgate.tls.verdict import Outcome
from sealgate.tls.version import ProtocolVersion

LINGER = 2.0
"""Seconds that a connection stays half open after an alert, so that a reset does not overtake it (RFC 9293 §3.6)."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a handshake ended: an outcome or a failure, what a client offered, and how long it took in seconds."""

    outcome: Outcome | None
    failure: TlsFailure | None
    hello: Hello | None
    seconds: float


class TlsUser(Protocol):
    """The protocol above the layer: an asyncio protocol that also hears how the handshake ended."""

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        """The handshake succeeded; from now on `transport` carries the connection."""

    def handshake_failed(self, handshake: Handshake) -> None:
        """The handshake failed; `connection_lost` follows when the alert has been sent."""

    def data_received(self, data: bytes) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...


def _no_contexts() -> ServerContexts | None:
    return None


def _never() -> bool:
    return False


class TlsTransport(asyncio.Transport, asyncio.Protocol):
    """One TLS connection on a plain transport. Made by `start_server` and `start_client`."""

    def __init__(self, plain: asyncio.Transport, user: TlsUser, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._plain = plain
        self._user = user
        self._loop = loop
        self._begun = loop.time()
        self._engine: Engine | None = None
        self._hello_reader: HelloReader | None = None
        self._contexts: Callable[[], ServerContexts | None] = _no_contexts
        self._hello: Hello | None = None
        self._open = False
        self._closing = False
        self._serves = False
        self._corked = False  # what is written while input is handed on leaves together, at the end
        self._written = False
        self._timer: asyncio.TimerHandle | None = None
        self.handshake: Handshake | None = None
        self.lingers: Callable[[], bool] = _never
        """Asked at the end: whether the peer is still sending, and would lose what was said last to a reset."""

    # -- the handshake

    def accept(self, contexts: Callable[[], ServerContexts | None], *, timeout: float, hello_limit: int) -> None:
        """Be the server. `contexts` is asked when the hello is complete, so the newest policy rules."""
        self._serves = True
        self._hello_reader = HelloReader(hello_limit)
        self._contexts = contexts
        self._begin(timeout)

    def connect(self, context: ClientContext, *, server_name: str | None, timeout: float) -> None:
        """Be the client and send the hello."""
        self._begin(timeout)
        self._engine = Engine(context.context, server=False, server_name=server_name)
        self._shake()

    def _begin(self, timeout: float) -> None:
        self._plain.set_protocol(self)
        self._timer = self._loop.call_later(timeout, self._timed_out, timeout)

    def _timed_out(self, timeout: float) -> None:
        self._fail(TlsFailure(Origin.TIMEOUT, None, f"the handshake was not finished within {timeout:g} seconds"))

    def _read_hello(self, data: bytes) -> None:
        assert self._hello_reader is not None
        result = self._hello_reader.feed(data)
        if isinstance(result, HelloProblem) and result.kind == "too-large":
            self._fail(TlsFailure(Origin.LIMIT, None, result.sentence))
            return
        if result is None:
            return
        contexts = self._contexts()
        if contexts is None:
            self._fail(TlsFailure(Origin.POLICY, None, "TLS has been withdrawn from this listener"))
            return
        self._hello = result if isinstance(result, Hello) else None
        # What is no TLS at all goes to OpenSSL too: its alert and its error number are the ones people know.
        self._engine = Engine(contexts.default, server=True)
        self._engine.feed(self._hello_reader.received)
        self._hello_reader = None
        self._shake()

    def _shake(self) -> None:
        assert self._engine is not None
        try:
            done = self._engine.handshake()
        except TlsFault as fault:
            self._fail(fault.failure)
            return
        if done:
            self._finish()
        else:
            self._flush()

    def _finish(self) -> None:
        assert self._engine is not None
        if self._timer is not None:
            self._timer.cancel()
        self._open = True
        self.handshake = Handshake(self._engine.outcome(), None, self._hello, self._loop.time() - self._begun)
        outcome = self.handshake.outcome
        if outcome is None or outcome.version < ProtocolVersion.TLS1_3 or not self._serves:
            self._flush()
        # What a TLS 1.3 server has left to send are tickets: they can wait for the first reply and travel with it.
        self._user.handshake_done(self, self.handshake)
        self._deliver()

    def _fail(self, failure: TlsFailure) -> None:
        """Send the alert, close behind it, and report once."""
        if self._timer is not None:
            self._timer.cancel()
        if self.handshake is not None or self._closing:
            return
        self._flush()
        self.handshake = Handshake(None, failure, self._hello, self._loop.time() - self._begun)
        self._user.handshake_failed(self.handshake)
        self._linger()

    def _linger(self) -> None:
        """Half-close and wait for the peer: closing at once with unread input would reset the alert away."""
        self._closing = True
        if self._plain.is_closing():
            return
        if not self._plain.can_write_eof():
            self._plain.close()
            return
        self._plain.write_eof()
        self._timer = self._loop.call_later(LINGER, self._lingered)

    def _lingered(self) -> None:
        """Long enough, unless what was written has not left yet: whoever set the user above limits that time."""
        if self._plain.get_write_buffer_size():
            self._timer = self._loop.call_later(LINGER, self._lingered)
        else:
            self._plain.abort()

    # -- from the plain transport

    def data_received(self, data: bytes) -> None:
        """Ciphertext has come."""
        if self._closing:
            return
        if self._engine is None:
            self._read_hello(data)
            return
        self._engine.feed(data)
        if self._open:
            self._deliver()
        else:
            self._shake()

    def _deliver(self) -> None:
        """Hand on all plaintext there is."""
        assert self._engine is not None
        self._corked = True
        try:
            while not self._closing and (plaintext := self._engine.read()):
                self._user.data_received(plaintext)
            if not self._closing and plaintext is None:
                self._user.eof_received()
                self.close()
        except TlsFault as fault:
            self._broken = fault
            self._closing = True
            self._flush()
            self._plain.close()
        finally:
            self._corked = False
            if self._written and not self._closing:
                self._flush()

    _broken: TlsFault | None = None

    def eof_received(self) -> bool | None:
        """The peer closed without a close_notify: truncation for the handshake, an end like any for mail."""
        if not self._open and not self._closing:
            self._fail(TlsFailure(Origin.CLOSED, None, "", os_error="connection closed by the peer"))
        elif not self._closing:
            self._user.eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The plain connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._open and self.handshake is None:
            text = str(exc) if exc is not None else "connection closed by the peer"
            self._closing = False
            failure = TlsFailure(Origin.CLOSED, None, "", os_error=text)
            self.handshake = Handshake(None, failure, self._hello, self._loop.time() - self._begun)
            self._user.handshake_failed(self.handshake)
        self._closing = True
        self._user.connection_lost(self._broken or exc)

    def pause_writing(self) -> None:
        """The plain transport's buffer is full."""
        self._user.pause_writing()

    def resume_writing(self) -> None:
        """The plain transport's buffer has drained."""
        self._user.resume_writing()

    # -- to the protocol above

    def _flush(self) -> None:
        self._written = False
        if self._engine is not None and (ciphertext := self._engine.drain()):
            self._plain.write(ciphertext)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if self._closing or not self._open:
            return
        assert self._engine is not None
        try:
            self._engine.write(bytes(data))
        except TlsFault as fault:
            self._broken = fault
            self.abort()
            return
        self._written = True
        if not self._corked:
            self._flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Encrypt and send several pieces as one."""
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        """Send a close_notify and close when all is sent."""
        if self._closing:
            return
        self._closing = True
        if self._open and self._engine is not None:
            self._engine.close_notify()
            self._flush()
        if self._open and self.lingers():
            self._linger()
        else:
            self._plain.close()

    def abort(self) -> None:
        """Close at once, without a word."""
        self._closing = True
        self._plain.abort()

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._closing or self._plain.is_closing()

    @property
    def peer_certificate(self) -> x509.Certificate | None:
        """The peer's own certificate, if it showed one."""
        chain = self._engine.peer_chain() if self._engine is not None else []
        return chain[0] if chain else None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the plain transport knows: addresses, the socket."""
        return self._plain.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Bytes of ciphertext not yet taken by the kernel."""
        return self._plain.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        """TLS has no half-close that mail could use."""
        return False

    def pause_reading(self) -> None:
        """Stop taking input from the peer; at most what one read brought is still handed on."""
        self._plain.pause_reading()

    def resume_reading(self) -> None:
        """Take input from the peer again."""
        if not self._plain.is_closing():
            self._plain.resume_reading()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol above."""
        return self._user  # type: ignore[return-value]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Put another protocol above."""
        self._user = protocol  # type: ignore[assignment]
