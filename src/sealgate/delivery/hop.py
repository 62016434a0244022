"""One connection to a next hop as awaitable steps: bytes and replies, no decisions."""

from __future__ import annotations

import asyncio
import os
from typing import cast

from cryptography import x509

from sealgate.mail.reply import Reply
from sealgate.net.tls.context import ClientContext
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.smtp.client import ClientMachine, ProtocolFault


class HopLost(Exception):
    """The connection ended or fell silent; the sentence says how."""


class Hop(asyncio.Protocol):
    """The client's end of an SMTP connection. Made by `connect`."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.machine = ClientMachine(name)
        self._loop = loop
        self._transport: asyncio.Transport | TlsTransport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self._handshake: asyncio.Future[Handshake] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.local_ip = ""
        self.has_body = False
        """Whether it may have taken a message that it has not answered yet."""

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self.local_ip = self._transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        """Replies, or a part of one. They are read when they are asked for: none outlives a STARTTLS."""
        self.machine.receive(data)
        self._wake()

    def eof_received(self) -> bool | None:
        """The server has closed."""
        self._end("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end(str(exc) if exc is not None else "the connection was closed")

    def pause_writing(self) -> None:
        """Too much waits to be sent."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """There is room again."""
        self._writable.set()

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        """TLS stands."""
        self._transport = transport
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_result(handshake)

    def handshake_failed(self, handshake: Handshake) -> None:
        """TLS failed; the connection is being closed."""
        if self._handshake is not None and not self._handshake.done():
            self._handshake.set_result(handshake)

    def _end(self, sentence: str) -> None:
        if self._lost is None:
            self._lost = sentence
        self._writable.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the delivery's side

    @property
    def peer_certificate(self) -> x509.Certificate | None:
        """The server's certificate, once TLS stands."""
        return self._transport.peer_certificate if isinstance(self._transport, TlsTransport) else None

    @property
    def lost(self) -> str | None:
        """Why the connection is of no more use, or None while it is."""
        return self._lost

    def send(self, data: bytes) -> None:
        """Send, without waiting."""
        if self._transport is not None and self._lost is None:
            self._transport.write(data)

    async def drain(self, timeout: float) -> None:
        """Wait until the connection takes more."""
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._writable.wait()
            except TimeoutError as error:
                raise HopLost(f"the server took no data for {timeout:g} seconds") from error
        if self._lost is not None:
            raise HopLost(self._lost)

    async def reply(self, timeout: float) -> Reply:
        """The next reply."""
        while (reply := self._next_reply()) is None:
            if self._lost is not None:
                raise HopLost(self._lost)
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(timeout, self._silent, timeout)
            try:
                await self._waiter
            finally:
                timer.cancel()
        return reply

    def _next_reply(self) -> Reply | None:
        try:
            return self.machine.next_reply()
        except ProtocolFault as fault:
            self._end(f"the server does not speak SMTP: {fault}")
            self.abort()
            return None

    def _silent(self, timeout: float) -> None:
        self._end(f"the server did not answer within {timeout:g} seconds")
        self.abort()

    async def start_tls(self, context: ClientContext, server_name: str | None, timeout: float) -> Handshake:
        """Shake hands; the machine forgets all it knew. `InjectionFault` if plaintext stood behind the 220."""
        self.machine.tls_started()
        plain = cast(asyncio.Transport, self._transport)
        self._handshake = self._loop.create_future()
        TlsTransport(plain, self, self._loop).connect(context, server_name=server_name, timeout=timeout)
        return await self._handshake

    def close(self) -> None:
        """Close when all is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


async def connect(name: str, ip: str, port: int, source: str | None, timeout: float) -> Hop:
    """Open the TCP connection; `HopLost` with the system's words when that fails."""
    loop = asyncio.get_running_loop()
    local = (source, 0) if source else None
    try:
        async with asyncio.timeout(timeout):
            _, hop = await loop.create_connection(lambda: Hop(name, loop), ip, port, local_addr=local)
    except TimeoutError as error:
        raise HopLost(f"no connection within {timeout:g} seconds") from error
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else error  # asyncio's own name the call, not the reason
        raise HopLost(f"[Errno {error.errno}] {words}") from error
    return hop
