"""From a pure plan to OpenSSL contexts. A context is built beside the running one, tried, and never changed after.

Every setting is made here, so that neither OPENSSL_CONF nor the build's own defaults decide anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from OpenSSL import SSL

from sealgate.net.tls.credential import Credential
from sealgate.net.tls.engine import Engine, TlsFault, set_groups
from sealgate.tls.plan import TlsPlan
from sealgate.tls.policy import ClientCertificate

_OPTIONS = (
    SSL.OP_NO_COMPRESSION  # CRIME; RFC 9325 §3.3
    | SSL.OP_NO_RENEGOTIATION  # RFC 9325 §3.5; a peer can make us work without end
    | SSL.OP_CIPHER_SERVER_PREFERENCE
)

_SYSTEM_TRUST = "/etc/ssl/certs/ca-certificates.crt"


class ContextError(ValueError):
    """A plan, certificate or trust store from which no usable context can be made, as a sentence."""


@dataclass(frozen=True, slots=True)
class ServerContexts:
    """What one listener serves: one context by default, and others by the server name a client asks for.

    All carry the same plan: OpenSSL takes only certificates from the context chosen by name, never the policy.
    """

    plan: TlsPlan
    default: SSL.Context
    by_name: dict[str, SSL.Context] = field(default_factory=dict)
    fingerprints: tuple[str, ...] = ()
    trust: bytes | None = None

    def made_of(self, plan: TlsPlan, credentials: Sequence[Credential], trust: bytes | None) -> bool:
        """Whether building them again would make the same: then they, and the tickets they gave, stay."""
        return (self.plan, self.fingerprints, self.trust) == (plan, _fingerprints(credentials), trust)


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What one outbound policy offers to servers."""

    plan: TlsPlan
    context: SSL.Context
    fingerprints: tuple[str, ...] = ()
    trust: bytes | None = None

    def made_of(self, plan: TlsPlan, credentials: Sequence[Credential], trust: bytes | None) -> bool:
        """Whether building it again would make the same: then connections made under it may go on."""
        return (self.plan, self.fingerprints, self.trust) == (plan, _fingerprints(credentials), trust)


def _fingerprints(credentials: Sequence[Credential]) -> tuple[str, ...]:
    return tuple(credential.fingerprint for credential in credentials)


def build_server(plan: TlsPlan, credentials: Sequence[Credential], trust: bytes | None, service: str) -> ServerContexts:
    """Contexts for a listener, the first credential being the default; each is tried by a handshake in memory."""
    if not credentials:
        raise ContextError(f"{service}: TLS needs at least one certificate, and none is given")
    by_name: dict[str, SSL.Context] = {}
    default = _server_context(plan, _of_kindred(credentials, credentials[0]), trust, service, by_name)
    for credential in credentials[1:]:
        if credential.names != credentials[0].names:
            context = _server_context(plan, _of_kindred(credentials, credential), trust, service, {})
            by_name.update((name, context) for name in credential.names if name not in credentials[0].names)
    _try_server(default, service)
    return ServerContexts(plan, default, by_name, _fingerprints(credentials), trust)


def build_client(plan: TlsPlan, credential: Credential | None, trust: bytes | None, service: str) -> ClientContext:
    """A context for outgoing connections. The chain is verified, and the caller decides what a failure means."""
    context = _base(plan, service)
    if credential is not None:
        _use(context, credential, service)
    _trust(context, trust, service)
    # The handshake always ends first: whether the certificate was good enough is a question of level, not of OpenSSL.
    context.set_verify(SSL.VERIFY_NONE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    return ClientContext(plan, context, _fingerprints([credential] if credential else []), trust)


def _of_kindred(credentials: Sequence[Credential], first: Credential) -> list[Credential]:
    """`first` and, for each other key family, the first credential for the same names (RSA beside ECDSA)."""
    chosen = {first.kind: first}
    for credential in credentials:
        if credential.names == first.names:
            chosen.setdefault(credential.kind, credential)
    return list(chosen.values())


def _base(plan: TlsPlan, service: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(plan.minimum)
    context.set_max_proto_version(plan.maximum)
    context.set_options(_OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    try:
        context.set_cipher_list(plan.cipher_list.encode("ascii"))
        context.set_tls13_ciphersuites(plan.tls13_suites.encode("ascii"))
        set_groups(context, plan.groups)
    except (SSL.Error, ValueError) as error:
        raise ContextError(f"{service}: OpenSSL refuses the ciphers or groups of this policy: {error}") from error
    return context


def _server_context(
    plan: TlsPlan,
    credentials: Sequence[Credential],
    trust: bytes | None,
    service: str,
    by_name: dict[str, SSL.Context],
) -> SSL.Context:
    context = _base(plan, service)
    for credential in credentials:
        _use(context, credential, service)
    # Without a session-id context resumption fails as soon as client certificates are asked for. Nothing is cached
    # here: sessions live in tickets, whose keys are this context's own and go with it.
    context.set_session_id(b"sealgate")
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_tlsext_servername_callback(lambda connection: _choose_by_name(connection, by_name))
    if plan.client_certificate is not ClientCertificate.NONE:
        mode = SSL.VERIFY_PEER
        if plan.client_certificate is ClientCertificate.REQUIRE:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        _trust(context, trust, service)
        context.set_verify(mode)
    return context


def _choose_by_name(connection: SSL.Connection, by_name: dict[str, SSL.Context]) -> None:
    """RFC 6066 §3: an unknown name gets the default certificate, as mail clients rarely ask for the right one."""
    name = (connection.get_servername() or b"").decode("ascii", "replace").lower()
    context = by_name.get(name) or by_name.get("*." + name.partition(".")[2])
    if context is not None:
        connection.set_context(context)


def _use(context: SSL.Context, credential: Credential, service: str) -> None:
    """Load chain and key. Only the file interface keeps a chain for each key family."""
    with _file_in_memory(credential.chain_pem) as path:
        try:
            context.use_certificate_chain_file(path)
            context.use_privatekey(credential.key)
            context.check_privatekey()
        except SSL.Error as error:
            raise ContextError(
                f"{service}: OpenSSL refuses certificate profile '{credential.profile}': {_text(error)}"
            ) from error


def _trust(context: SSL.Context, trust: bytes | None, service: str) -> None:
    """Trust these authorities, or the system's. A machine without any trusts nobody: verifying levels will say so."""
    if trust is None:
        if Path(_SYSTEM_TRUST).exists():
            context.load_verify_locations(_SYSTEM_TRUST)
        return
    with _file_in_memory(trust) as path:
        try:
            context.load_verify_locations(path)
        except SSL.Error as error:
            raise ContextError(f"{service}: there are no CA certificates in its trust file: {_text(error)}") from error


@contextmanager
def _file_in_memory(content: bytes) -> Iterator[str]:
    """A path for those functions of OpenSSL that read nothing but files."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _text(error: SSL.Error) -> str:
    queue = error.args[0] if error.args else []
    return "; ".join(entry[2] for entry in queue if isinstance(entry, tuple)) or "no reason given"


def _try_server(context: SSL.Context, service: str) -> None:
    """Shake hands with ourselves in memory, so that a context that cannot serve never replaces one that does."""
    probe = SSL.Context(SSL.TLS_METHOD)
    probe.set_cipher_list(b"ALL:@SECLEVEL=0")
    server, client = Engine(context, server=True), Engine(probe, server=False)
    try:
        for _ in range(8):
            done = client.handshake()
            server.feed(client.drain())
            done = server.handshake() and done
            client.feed(server.drain())
            if done:
                return
    except TlsFault as fault:
        if fault.failure.text in _ONLY_WITH_A_CLIENT_CERTIFICATE:
            return
        raise ContextError(f"{service}: a trial handshake with this policy fails: {fault.failure.text}") from fault


_ONLY_WITH_A_CLIENT_CERTIFICATE = frozenset({"peer did not return a certificate", "tlsv13 alert certificate required"})
