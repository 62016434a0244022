"""One TLS connection without a socket, against the standard library's OpenSSL; and the private calls it rests on."""

from __future__ import annotations

import datetime
import ssl
import warnings

import pytest
from OpenSSL import SSL

from sealgate.net.tls.context import ClientContext, ServerContexts, build_client, build_server
from sealgate.net.tls.credential import Credential, CredentialError, read_credential, self_signed
from sealgate.net.tls.engine import Engine, TlsFault, group_known, set_groups
from sealgate.net.tls.library import measure_library
from sealgate.tls.failure import TlsFailure
from sealgate.tls.plan import plan_client, plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.suite import TLS13_SUITES
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection

LIBRARY = measure_library()
NAME = "gate.inside.example"
ALL = Selection.parse("1.0-1.3")


def credential(kind: str, name: str = NAME) -> Credential:
    certificate, key = self_signed(name, kind, now=datetime.datetime.now(datetime.UTC))
    return read_credential(f"{name}-{kind}", certificate.encode(), key.encode())


PAIR = [credential("rsa"), credential("ec")]


def server(selection: Selection, ciphers: str = "default", credentials: list[Credential] = PAIR) -> ServerContexts:
    return build_server(plan_server(TlsPolicy(selection, ciphers), LIBRARY), credentials, None, "test")


def client(selection: Selection) -> ClientContext:
    return build_client(plan_client(TlsPolicy(selection), LIBRARY), None, None, "test")


class Peer:
    """A TLS client of the standard library, in memory."""

    def __init__(self, version: ProtocolVersion | None = None, ciphers: str = "ALL:@SECLEVEL=0", name: str = NAME):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers(ciphers)
        if version is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = ssl.TLSVersion(version.value)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.error: ssl.SSLError | None = None

    def shake(self) -> bool:
        if self.error is not None:
            return False
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            self.error = error
            return False
        return True


def shake(engine: Engine, peer: Peer) -> TlsFailure | None:
    """Let both talk until they agree or part; how our side failed, if it did."""
    failure = None
    for _ in range(6):
        done = peer.shake()
        engine.feed(peer.outgoing.read())
        try:
            ours = engine.handshake() if failure is None else False
        except TlsFault as fault:
            failure, ours = fault.failure, False
        peer.incoming.write(engine.drain())
        if done and ours:
            return None
    return failure


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_exactly_the_selected_versions_shake_hands_and_the_others_get_an_alert(selection: Selection) -> None:
    contexts = server(selection)
    for version in ProtocolVersion:
        engine, peer = Engine(contexts.default, server=True), Peer(version)
        failure = shake(engine, peer)
        assert (failure is None) is (version in selection), version
        if failure is None:
            assert engine.outcome().version is version
            continue
        assert peer.error is not None
        # Asked for more than we have below TLS 1.3, we answer with what there is, and it is the peer that refuses.
        answered = version > selection.highest and version < ProtocolVersion.TLS1_3
        expected = "UNSUPPORTED_PROTOCOL" if answered else "TLSV1_ALERT_PROTOCOL_VERSION"
        assert peer.error.reason == expected
        assert failure.reason in (258, 267, 1070)  # ours, or what the peer's alert or its version says


def test_the_three_tls13_suites_are_offered_in_their_order_whatever_the_ciphers() -> None:
    for ciphers in ("default", "AES128-SHA", "ECDHE+AESGCM"):
        engine = Engine(server(Selection.parse("1.2-1.3"), ciphers).default, server=True)
        offered = engine._connection.get_cipher_list()
        assert tuple(name for name in offered if name.startswith("TLS_")) == TLS13_SUITES


def test_our_client_and_our_server_agree_on_the_hybrid_group_with_a_small_hello() -> None:
    ours, theirs = Engine(client(ALL).context, server=False, server_name=NAME), Engine(server(ALL).default, server=True)
    ours.handshake()
    hello = ours.drain()
    assert len(hello) < 600  # a share of the hybrid group alone has 1,216 bytes
    theirs.feed(hello)
    for _ in range(4):
        theirs.handshake()
        ours.feed(theirs.drain())
        ours.handshake()
        theirs.feed(ours.drain())
    assert theirs.handshake()
    assert theirs.outcome().group == ours.outcome().group == "X25519MLKEM768"
    assert theirs.outcome().server_name == NAME


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_tickets_end_with_their_context(version: str) -> None:
    """A session made under a policy cannot come back after that policy: new contexts have new ticket keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def connect(contexts: ServerContexts, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        peer, engine = Peer(), Engine(contexts.default, server=True)
        peer.tls = context.wrap_bio(peer.incoming, peer.outgoing, server_hostname=NAME, session=session)
        assert shake(engine, peer) is None
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.read(1)  # takes the tickets
        assert engine.outcome().resumed is peer.tls.session_reused
        return bool(peer.tls.session_reused), peer.tls.session

    contexts = server(Selection.parse(version))
    _, session = connect(contexts, None)
    assert connect(contexts, session)[0]
    assert not connect(server(Selection.parse(version)), session)[0]


def test_an_rsa_and_an_ecdsa_certificate_serve_side_by_side_and_others_by_name() -> None:
    other = credential("ec", "other.example")
    contexts = server(Selection.parse("1.2-1.3"), credentials=[*PAIR, other])
    for ciphers, key in (("ECDHE-RSA-AES128-GCM-SHA256", "rsa"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ec")):
        peer = Peer(ProtocolVersion.TLS1_2, ciphers)
        engine = Engine(contexts.default, server=True)
        assert shake(engine, peer) is None
        shown = peer.tls.getpeercert(binary_form=True)
        expected = next(each for each in PAIR if each.kind == key)
        assert shown == ssl.PEM_cert_to_DER_cert(expected.chain_pem.decode())
    named = Peer(name="other.example")
    assert shake(Engine(contexts.default, server=True), named) is None
    assert named.tls.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(other.chain_pem.decode())


def test_renegotiation_and_compression_are_off() -> None:
    peer, engine = Peer(ProtocolVersion.TLS1_2), Engine(server(Selection.parse("1.2")).default, server=True)
    assert shake(engine, peer) is None
    assert peer.tls.compression() is None
    assert engine._connection.set_options(0) & SSL.OP_NO_RENEGOTIATION


def test_a_long_text_travels_in_both_directions_and_the_end_is_said() -> None:
    peer, engine = Peer(), Engine(server(ALL).default, server=True)
    assert shake(engine, peer) is None
    text = bytes(range(256)) * 1000
    engine.write(text)
    peer.incoming.write(engine.drain())
    received = b""
    while len(received) < len(text):
        received += peer.tls.read(16384)
    assert received == text
    peer.tls.write(b"back")
    engine.feed(peer.outgoing.read())
    assert engine.read() == b"back"
    assert engine.read() == b""
    engine.close_notify()
    peer.incoming.write(engine.drain())
    assert peer.tls.read(1) == b""  # an end, not a truncation: that would raise


def test_groups_that_openssl_does_not_know_are_refused() -> None:
    assert group_known("X25519MLKEM768")
    assert not group_known("no-such-group")
    with pytest.raises(ValueError, match="no-such-group"):
        set_groups(SSL.Context(SSL.TLS_METHOD), "no-such-group")


def test_a_key_that_does_not_belong_to_its_certificate_is_refused() -> None:
    certificate, _ = self_signed(NAME, "ec", now=datetime.datetime.now(datetime.UTC))
    _, key = self_signed(NAME, "ec", now=datetime.datetime.now(datetime.UTC))
    with pytest.raises(CredentialError, match="does not belong"):
        read_credential("mixed", certificate.encode(), key.encode())
