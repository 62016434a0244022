"""Was the TLS enough, and what a selection weakens."""

from __future__ import annotations

import pytest

from sealgate.tls.level import TlsLevel
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.verdict import Outcome, PeerCertificate, judge, weaknesses
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection

CERTIFICATE = PeerCertificate("CN=mx.example", "CN=ca.example", ("mx.example",), "2030-01-01T00:00:00Z", "00" * 32)
VERIFIED = Outcome(
    ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384", "X25519", None, False, CERTIFICATE, True, None, None
)
UNVERIFIED = VERIFIED.unverified("self-signed certificate")


@pytest.mark.parametrize(
    ("level", "outcome", "accepted"),
    [
        (TlsLevel.NO, None, True),
        (TlsLevel.PREFERRED, None, True),
        (TlsLevel.PREFERRED_VERIFY, None, True),
        (TlsLevel.REQUIRED, None, False),
        (TlsLevel.REQUIRED_VERIFY, None, False),
        (TlsLevel.PREFERRED, UNVERIFIED, True),
        (TlsLevel.PREFERRED_VERIFY, UNVERIFIED, True),
        (TlsLevel.REQUIRED, UNVERIFIED, True),
        (TlsLevel.REQUIRED_VERIFY, UNVERIFIED, False),
        *((level, VERIFIED, True) for level in TlsLevel),
    ],
)
def test_a_level_accepts_what_is_enough(level: TlsLevel, outcome: Outcome | None, accepted: bool) -> None:
    assert judge(level, outcome).accepted is accepted


def test_a_refusal_says_why() -> None:
    assert judge(TlsLevel.REQUIRED, None).sentence == "TLS is required (Required) and there is none"
    assert judge(TlsLevel.REQUIRED_VERIFY, UNVERIFIED).sentence.endswith("and failed: self-signed certificate")


def test_no_certificate_is_not_a_verified_one() -> None:
    bare = Outcome(ProtocolVersion.TLS1_2, "AES128-SHA", None, None, False, None, None, None, None)
    assert judge(TlsLevel.REQUIRED_VERIFY, bare).sentence.endswith("the server showed no certificate")


def remarks(selection: str, ciphers: str = "default") -> str:
    return "\n".join(weaknesses(TlsPolicy(Selection.parse(selection), ciphers)))


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_a_selection_says_what_it_weakens(selection: Selection) -> None:
    text = remarks(str(selection))
    assert ("RFC 8996" in text) is (selection.lowest <= ProtocolVersion.TLS1_1)
    assert ("security level 0" in text) is (selection.lowest <= ProtocolVersion.TLS1_1)
    assert ("shut out" in text) is (selection.lowest is ProtocolVersion.TLS1_3)
    assert ("without TLS 1.3" in text) is (selection.highest is ProtocolVersion.TLS1_2)
    assert ("without TLS 1.2 and 1.3" in text) is (selection.highest <= ProtocolVersion.TLS1_1)


def test_the_fresh_installation_has_no_weakness() -> None:
    assert weaknesses(TlsPolicy(Selection.parse("1.2-1.3"))) == ()


def test_the_default_suites_of_old_versions_are_remarked_and_others_left_to_their_own_notes() -> None:
    assert "forward secrecy" in remarks("1.1-1.2")
    assert "forward secrecy" not in remarks("1.1-1.2", "ECDHE+SHA")
