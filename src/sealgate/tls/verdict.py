"""Whether what happened was enough: outcomes, the judgement of them, the preview of a policy and its weaknesses.

What other rooms need to speak of a handshake stands here, the explanation of a failure included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealgate.tls.cipher import DEFAULT, CipherError, choose_ciphers
from sealgate.tls.explanation import Explanation, Side, explain
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.hello import Hello
from sealgate.tls.level import TlsLevel
from sealgate.tls.library import Library
from sealgate.tls.negotiation import Negotiated, negotiate
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import ProtocolVersion

__all__ = [
    "Explanation",
    "Negotiated",
    "Outcome",
    "PeerCertificate",
    "Side",
    "Verdict",
    "explain",
    "judge",
    "weaknesses",
    "would_negotiate",
]


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """A peer's certificate in words; `not_after` as RFC 3339."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_after: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handshake agreed on. `verified` is None when the peer showed no certificate."""

    version: ProtocolVersion
    cipher: str
    group: str | None
    server_name: str | None
    resumed: bool
    certificate: PeerCertificate | None
    verified: bool | None
    verify_error: str | None
    alpn: str | None

    def unverified(self, error: str) -> Outcome:
        """The same, but the certificate did not do."""
        return replace(self, verified=False, verify_error=error)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether mail may pass. What is refused is refused for now: certificates and policies change."""

    accepted: bool
    sentence: str


def judge(level: TlsLevel, outcome: Outcome | None) -> Verdict:
    """Whether a connection has the TLS that its level asks for; the one place that answers this."""
    if outcome is None:
        if level.requires_tls:
            return Verdict(False, f"TLS is required ({level.label}) and there is none")
        return Verdict(True, "no TLS")
    if level is TlsLevel.REQUIRED_VERIFY and not outcome.verified:
        reason = outcome.verify_error or "the server showed no certificate"
        return Verdict(False, f"TLS certificate verification is required and failed: {reason}")
    return Verdict(True, f"{outcome.version.label} {outcome.cipher}")


def still_speaks(policy: TlsPolicy, outcome: Outcome, library: Library) -> bool:
    """Whether a service under `policy` could agree again on what an open connection speaks."""
    if outcome.version not in policy.selection:
        return False
    if outcome.version >= ProtocolVersion.TLS1_3:
        return True  # its suites are fixed
    try:
        return outcome.cipher in choose_ciphers(policy.ciphers, policy.selection, library).suites_for(outcome.version)
    except CipherError:
        return False


def would_negotiate(policy: TlsPolicy, hello: Hello, library: Library) -> Negotiated | Explanation:
    """What a service under `policy` would agree on with a client that sends `hello`, or why it would fail."""
    try:
        result = negotiate(policy, hello, library)
    except CipherError as error:
        return Explanation(
            "policy-unusable",
            f"The ciphers of this service cannot be used: {error}.",
            f"Write {DEFAULT} for the recommended suites.",
        )
    if isinstance(result, Negotiated):
        return result
    return explain(policy, hello, TlsFailure(Origin.LOCAL, result, ""), Side.SERVER)


def weaknesses(policy: TlsPolicy) -> tuple[str, ...]:
    """What every face says beside the setting: one remark each, without a full stop."""
    found: list[str] = []
    selection = policy.selection
    if ProtocolVersion.TLS1_0 in selection:
        found.append(
            "TLS 1.0 is deprecated (RFC 8996) and open to attacks on its CBC suites; keep it for peers you know"
        )
    elif ProtocolVersion.TLS1_1 in selection:
        found.append("TLS 1.1 is deprecated (RFC 8996); keep it for peers you know to need it")
    if selection.lowest <= ProtocolVersion.TLS1_1:
        found.append(
            "TLS 1.0 and 1.1 need OpenSSL's security level 0, which also lets TLS 1.2 sign with SHA-1 and use short "
            "keys on this service"
        )
        if policy.ciphers == DEFAULT:
            found.append("peers without ECDHE get AES-SHA suites without forward secrecy")
    if selection.highest <= ProtocolVersion.TLS1_1:
        found.append("without TLS 1.2 and 1.3 current peers cannot connect, and none gets modern encryption")
    elif selection.highest is ProtocolVersion.TLS1_2:
        found.append("without TLS 1.3 there is no hybrid key exchange: what is recorded today may be read one day")
    if selection.lowest is ProtocolVersion.TLS1_3:
        found.append("peers that end at TLS 1.2, older gateways and large providers among them, are shut out")
    return tuple(found)
