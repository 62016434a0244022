"""Plans: what OpenSSL is told, and what a build cannot do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sealgate.tls.group import client_groups, group_name, group_number, server_groups
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, TlsPlan, plan_client, plan_server
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.suite import KNOWN_SUITES
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection

GROUPS = frozenset({"X25519MLKEM768", "X25519", "secp256r1", "X448", "secp384r1", "secp521r1"})
BUILD = Library("OpenSSL 9", frozenset(ProtocolVersion), frozenset(KNOWN_SUITES), GROUPS)


@pytest.mark.parametrize("plan", [plan_server, plan_client])
@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_a_plan_carries_the_policy_out(selection: Selection, plan: Callable[[TlsPolicy, Library], TlsPlan]) -> None:
    made = plan(TlsPolicy(selection, client_certificate=ClientCertificate.REQUEST), BUILD)
    assert (made.minimum, made.maximum) == (selection.lowest, selection.highest)
    assert made.security_level == (0 if selection.lowest <= ProtocolVersion.TLS1_1 else None)
    assert made.cipher_list.endswith("@SECLEVEL=0") is (made.security_level == 0)
    assert made.tls13_suites == "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
    assert made.client_certificate is ClientCertificate.REQUEST


def test_the_server_puts_the_hybrid_above_and_the_client_sends_one_small_share() -> None:
    assert server_groups(BUILD) == "X25519MLKEM768/X25519:secp256r1:X448:secp384r1:secp521r1"
    assert client_groups(BUILD) == "*X25519:X25519MLKEM768:secp256r1:X448:secp384r1:secp521r1"


def test_what_the_build_lacks_is_dropped_from_the_groups() -> None:
    poor = replace(BUILD, groups=frozenset({"secp256r1", "secp384r1"}))
    assert server_groups(poor) == "secp256r1:secp384r1"
    assert client_groups(poor) == "*secp256r1:secp384r1"


def test_groups_have_names_and_numbers() -> None:
    assert group_name(0x11EC) == "X25519MLKEM768"
    assert group_name(0x2A2A) == "0x2A2A"
    assert group_number("x25519") == 29
    assert group_number("nonsense") is None


def test_a_version_that_the_build_lacks_is_refused() -> None:
    modern = replace(BUILD, versions=frozenset({ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3}))
    with pytest.raises(PlanError, match=r"OpenSSL 9 cannot speak TLS 1\.0 and 1\.1; select other versions"):
        plan_server(TlsPolicy(Selection.parse("1.0-1.3")), modern)


def test_a_cipher_string_that_is_no_good_is_refused() -> None:
    with pytest.raises(PlanError, match="'BOGUS' is no cipher suite"):
        plan_client(TlsPolicy(Selection.parse("1.2"), "BOGUS"), BUILD)


def test_dhe_alone_is_refused_for_a_server_and_fine_for_a_client() -> None:
    policy = TlsPolicy(Selection.parse("1.2-1.3"), "DHE+AESGCM")
    assert plan_client(policy, BUILD).notes == ()
    with pytest.raises(PlanError, match=r"leave TLS 1\.2 with DHE suites alone"):
        plan_server(policy, BUILD)


def test_dhe_among_others_is_remarked_on_a_server() -> None:
    plan = plan_server(TlsPolicy(Selection.parse("1.2"), "ECDHE+AESGCM:DHE+AESGCM"), BUILD)
    assert [note for note in plan.notes if note.startswith("DHE suites are never chosen by this service")]


def test_notes_make_no_difference_between_plans() -> None:
    policy = TlsPolicy(Selection.parse("1.2-1.3"), "ECDHE+AESGCM")
    noted = plan_server(replace(policy, ciphers="RC4-SHA:ECDHE+AESGCM"), BUILD)
    assert noted.notes
    assert noted == plan_server(policy, BUILD)
    assert noted != plan_server(replace(policy, ciphers="ECDHE"), BUILD)
