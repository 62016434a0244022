"""The contract of the preview: what it says of a hello is what OpenSSL then does with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from OpenSSL import SSL

from sealgate.tls.failure import (
    INAPPROPRIATE_FALLBACK,
    NO_SHARED_CIPHER,
    NO_SUITABLE_KEY_SHARE,
    UNSUPPORTED_PROTOCOL,
)
from sealgate.tls.hello import Hello, HelloReader
from sealgate.tls.library import Library
from sealgate.tls.negotiation import Negotiated, negotiate
from sealgate.tls.plan import TlsPlan, plan_client, plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.verdict import Explanation, would_negotiate
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection
from tests.tls.peer import Client, refusal, shake

Serve = Callable[[TlsPlan], SSL.Connection]

WORDS = {
    UNSUPPORTED_PROTOCOL: "unsupported protocol",
    NO_SHARED_CIPHER: "no shared cipher",
    NO_SUITABLE_KEY_SHARE: "no suitable key share",
    INAPPROPRIATE_FALLBACK: "inappropriate fallback",
}

OFFERS = [
    ("ALL:@SECLEVEL=0", ""),
    ("ALL:@SECLEVEL=0", "secp384r1"),
    ("ALL:@SECLEVEL=0", "ffdhe2048"),
    ("ALL:@SECLEVEL=0", "X25519:X25519MLKEM768"),
    ("ALL:@SECLEVEL=0", "SecP256r1MLKEM768"),
    ("ALL:@SECLEVEL=0", "*ffdhe2048:secp384r1:secp256r1"),
    ("ALL:@SECLEVEL=0", "*secp384r1:X25519"),
    ("AES128-SHA:@SECLEVEL=0", ""),
    ("aECDSA:@SECLEVEL=0", ""),
    ("CAMELLIA:@SECLEVEL=0", "secp256r1"),
]
CLIENTS = [
    Client(Selection.parse(versions), ciphers, groups)
    for versions, (ciphers, groups) in product(["1.0", "1.0-1.1", "1.0-1.2", "1.0-1.3", "1.3"], OFFERS)
]


def hello_of(client: Client) -> Hello:
    hello = HelloReader(65536).feed(client.hello())
    assert isinstance(hello, Hello)
    return hello


def happens(server: SSL.Connection, client: Client) -> Negotiated | str:
    """What really comes of it: an agreement, or the server's words."""
    try:
        shake(client.connection(), server)
    except SSL.Error as error:
        return refusal(error)
    version = ProtocolVersion(server.get_protocol_version())
    group = server.get_group_name()
    return Negotiated(version, server.get_cipher_name() or "", group and group.lower())


def foretold(policy: TlsPolicy, client: Client, library: Library) -> Negotiated | str:
    result = negotiate(policy, hello_of(client), library)
    if isinstance(result, int):
        return WORDS[result]
    return Negotiated(result.version, result.cipher, result.group and result.group.lower())


@pytest.mark.parametrize("ciphers", ["default", "AES128:AES256:!kRSA:!aNULL:@STRENGTH"])
@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_the_preview_tells_what_happens(selection: Selection, ciphers: str, library: Library, serve: Serve) -> None:
    policy = TlsPolicy(selection, ciphers)
    plan = plan_server(policy, library)
    for client in CLIENTS:
        assert foretold(policy, client, library) == happens(serve(plan), client), client


def test_a_step_down_is_refused_where_more_is_spoken(library: Library, serve: Serve) -> None:
    policy = TlsPolicy(Selection.parse("1.2-1.3"))
    plan = plan_server(policy, library)
    stepped_down = Client(Selection.parse("1.2"), fallback=True)
    assert foretold(policy, stepped_down, library) == happens(serve(plan), stepped_down) == "inappropriate fallback"
    whole = Client(Selection.parse("1.2-1.3"), fallback=True)
    assert foretold(policy, whole, library) == happens(serve(plan), whole)


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_a_selection_reaches_exactly_its_versions(selection: Selection, library: Library, serve: Serve) -> None:
    plan = plan_server(TlsPolicy(selection), library)
    reached = []
    for version in ProtocolVersion:
        outcome = happens(serve(plan), Client(Selection(version, version)))
        if isinstance(outcome, Negotiated):
            reached.append(outcome.version)
    assert reached == list(selection)


def test_our_client_and_our_server_end_hybrid_after_a_small_hello(library: Library, serve: Serve) -> None:
    policy = TlsPolicy(Selection.parse("1.2-1.3"))
    client = Client(policy.selection, plan_client(policy, library).cipher_list, plan_client(policy, library).groups)
    assert len(client.hello()) < 400
    outcome = happens(serve(plan_server(policy, library)), client)
    assert outcome == Negotiated(ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384", "x25519mlkem768")


def test_the_server_has_exactly_the_three_suites_of_tls13(library: Library, serve: Serve) -> None:
    server = serve(plan_server(TlsPolicy(Selection.parse("1.3")), library))
    newest = [name for name in server.get_cipher_list() if name.startswith("TLS_")]
    assert newest == ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]


def test_a_preview_that_fails_is_explained(library: Library) -> None:
    policy = TlsPolicy(Selection.parse("1.3"))
    found = would_negotiate(policy, hello_of(Client(Selection.parse("1.0-1.2"))), library)
    assert isinstance(found, Explanation)
    assert found.code == "no-common-version"
    assert "TLS 1.2 at most" in found.sentence


def test_a_preview_of_a_policy_that_cannot_be_carried_out_says_so(library: Library) -> None:
    policy = TlsPolicy(Selection.parse("1.2"), "BOGUS")
    found = would_negotiate(policy, hello_of(Client(Selection.parse("1.2"))), library)
    assert isinstance(found, Explanation)
    assert found.code == "policy-unusable"
    assert "'BOGUS'" in found.sentence
