"""The TLS transport on real sockets: alerts that arrive, limits that hold, bytes that are not lost."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from sealgate.net.tls.context import ServerContexts, build_server
from sealgate.net.tls.credential import read_credential, self_signed
from sealgate.net.tls.library import measure_library
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.tls.failure import Origin
from sealgate.tls.plan import plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import Selection


def contexts(versions: str) -> ServerContexts:
    certificate, key = self_signed("gate.inside.example", "ec", now=datetime.datetime.now(datetime.UTC))
    credential = read_credential("test", certificate.encode(), key.encode())
    plan = plan_server(TlsPolicy(Selection.parse(versions)), measure_library())
    return build_server(plan, [credential], None, "test")


class Echo(asyncio.Protocol):
    """Answers with what it hears, inside TLS."""

    def __init__(self, served: Callable[[], ServerContexts | None], timeout: float, limit: int) -> None:
        self.served, self.timeout, self.limit = served, timeout, limit
        self.handshake: asyncio.Future[Handshake] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        layer = TlsTransport(transport, self, asyncio.get_running_loop())  # type: ignore[arg-type]
        layer.accept(self.served, timeout=self.timeout, hello_limit=self.limit)

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        self.tls = transport
        self.handshake.set_result(handshake)

    def handshake_failed(self, handshake: Handshake) -> None:
        self.handshake.set_result(handshake)

    def data_received(self, data: bytes) -> None:
        self.tls.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


@asynccontextmanager
async def echo(
    served: Callable[[], ServerContexts | None], timeout: float = 10.0, limit: int = 16384
) -> AsyncIterator[tuple[int, Echo]]:
    protocol = Echo(served, timeout, limit)
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], protocol
    finally:
        server.close()


def client(port: int, version: ssl.TLSVersion | None = None) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


async def test_a_refused_client_reads_the_alert_and_its_offer_is_kept() -> None:
    served = contexts("1.3")
    async with echo(lambda: served) as (port, protocol):
        with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
            await asyncio.to_thread(client, port, ssl.TLSVersion.TLSv1_2)
        handshake = await protocol.handshake
        assert handshake.failure is not None
        assert handshake.failure.reason == 258
        assert handshake.hello is not None
        assert max(handshake.hello.versions) == 0x0303


async def test_a_megabyte_comes_back_whole() -> None:
    served = contexts("1.2-1.3")
    text = b"0123456789abcdef" * 65536

    def talk(port: int) -> bytes:
        with client(port) as sock:
            threading.Thread(target=sock.sendall, args=(text,), daemon=True).start()
            received = b""
            while len(received) < len(text):
                received += sock.recv(65536)
            return received

    async with echo(lambda: served) as (port, _):
        assert await asyncio.to_thread(talk, port) == text


async def test_the_contexts_are_asked_for_when_the_hello_is_there() -> None:
    served = contexts("1.2")
    async with echo(lambda: served) as (port, protocol):
        sock = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port))
        served = contexts("1.3")  # a commit between the connection and its hello
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with await asyncio.to_thread(context.wrap_socket, sock) as wrapped:
            assert wrapped.version() == "TLSv1.3"
        assert (await protocol.handshake).outcome is not None


async def test_a_withdrawn_service_refuses() -> None:
    async with echo(lambda: None) as (port, protocol):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(client, port)
        failure = (await protocol.handshake).failure
        assert failure is not None
        assert failure.origin is Origin.POLICY


@pytest.mark.parametrize(
    ("sent", "origin"),
    [
        (b"", Origin.TIMEOUT),
        (b"\x16\x03\x01", Origin.TIMEOUT),
        (b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + bytes(16380), Origin.LIMIT),
        (b"EHLO me.example\r\n", Origin.LOCAL),
        (b"GET / HTTP/1.1\r\n\r\n", Origin.LOCAL),
        (bytes(64), Origin.LOCAL),
    ],
)
async def test_what_is_no_handshake_ends_soon_and_quietly(sent: bytes, origin: Origin) -> None:
    served = contexts("1.2-1.3")
    async with echo(lambda: served, timeout=0.3, limit=4096) as (port, protocol):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(10):
            failure = (await protocol.handshake).failure
            await reader.read()
            writer.close()
            await protocol.lost
        assert failure is not None
        assert failure.origin is origin


async def test_a_client_that_leaves_is_a_failure_of_its_own() -> None:
    served = contexts("1.2-1.3")
    async with echo(lambda: served) as (port, protocol):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01")
        writer.close()
        async with asyncio.timeout(10):
            failure = (await protocol.handshake).failure
        assert failure is not None
        assert failure.origin is Origin.CLOSED
