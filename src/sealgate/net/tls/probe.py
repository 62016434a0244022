"""Trying one version: a client that speaks nothing else and takes whatever suite and certificate there is."""

from __future__ import annotations

import asyncio
import datetime
import socket
from collections.abc import Iterable

from OpenSSL import SSL

from sealgate.net.tls.context import ClientContext, build_server
from sealgate.net.tls.credential import Credential, read_credential, self_signed
from sealgate.net.tls.engine import Engine, TlsFault, certificate_digest
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.library import Library
from sealgate.tls.plan import plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.trial import Attempt
from sealgate.tls.version import ProtocolVersion, Selection

_READ = 65536
_ROUNDS = 10  # flights of a handshake between two engines in memory, with one to spare


def _client(version: ProtocolVersion) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    return context


async def attempt(sock: socket.socket, version: ProtocolVersion, server_name: str | None) -> Attempt:
    """Shake hands on a connected socket; the caller limits the time."""
    loop = asyncio.get_running_loop()
    engine = Engine(_client(version), server=False, server_name=server_name)
    failure: TlsFailure | None = None
    try:
        while not engine.handshake():
            await loop.sock_sendall(sock, engine.drain())
            data = await loop.sock_recv(sock, _READ)
            if data:
                engine.feed(data)
            else:
                engine.feed_eof()
        await loop.sock_sendall(sock, engine.drain())
    except TlsFault as fault:
        failure = fault.failure
    except OSError as error:
        failure = TlsFailure(Origin.CLOSED, None, error.strerror or str(error))
    return _told(engine, version, failure)


def _told(client: Engine, version: ProtocolVersion, failure: TlsFailure | None) -> Attempt:
    chain = client.peer_chain()
    return Attempt(version, certificate_digest(chain[0]) if chain else None, failure)


def digests(credentials: Iterable[Credential]) -> frozenset[str]:
    """The certificates of these credentials, as an attempt names them."""
    return frozenset(certificate_digest(credential.chain[0]) for credential in credentials)


def try_client(context: ClientContext, library: Library) -> list[Attempt]:
    """A context of ours against servers in memory, one for each version: what it reaches of them."""
    now = datetime.datetime.now(datetime.UTC)
    certificate, key = self_signed("probe.invalid", "ec", now=now, days=1)
    credential = read_credential("probe", certificate.encode(), key.encode())
    attempts = []
    for version in ProtocolVersion:
        plan = plan_server(TlsPolicy(Selection(version, version)), library)
        server = build_server(plan, [credential], None, "a trial in memory").default
        attempts.append(_in_memory(context.context, server, version))
    return attempts


def _in_memory(ours: SSL.Context, theirs: SSL.Context, version: ProtocolVersion) -> Attempt:
    client, server = Engine(ours, server=False), Engine(theirs, server=True)
    failure: TlsFailure | None = None
    for _ in range(_ROUNDS):
        try:
            done = client.handshake()
        except TlsFault as fault:
            return _told(client, version, fault.failure)
        server.feed(client.drain())
        try:
            server.handshake()
        except TlsFault as fault:
            failure = fault.failure
        client.feed(server.drain())
        if done:
            break
    return _told(client, version, failure)
