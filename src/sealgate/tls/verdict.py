"""Whether what happened was enough, and if it failed, why and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sealgate.tls.failure import (
    ALERT_HANDSHAKE_FAILURE,
    ALERT_PROTOCOL_VERSION,
    NO_SHARED_CIPHER,
    UNSUPPORTED_PROTOCOL,
    Origin,
    TlsFailure,
)
from sealgate.tls.hello import Hello
from sealgate.tls.level import TlsLevel
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import ProtocolVersion


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


class Side(StrEnum):
    """Which end of the handshake we were."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure for people: a stable code, what happened, and what would mend it."""

    code: str
    sentence: str
    mend: str = ""


def explain(policy: TlsPolicy, hello: Hello | None, failure: TlsFailure, side: Side) -> Explanation:
    """Why a handshake failed, as far as this side can know."""
    if failure.origin in _WITHOUT_TLS:
        code, sentence, mend = _WITHOUT_TLS[failure.origin]
        return Explanation(code, sentence, mend)
    if side is Side.SERVER:
        return _explain_server(policy, hello, failure)
    return _explain_client(policy, failure)


_WITHOUT_TLS = {
    Origin.CLOSED: (
        "closed-in-handshake",
        "The peer closed the connection in the middle of the handshake and gave no reason.",
        "Look for the reason in the log of the peer.",
    ),
    Origin.TIMEOUT: (
        "handshake-timeout",
        "The handshake was not finished in time.",
        "Look for a network fault or a stalled peer.",
    ),
    Origin.LIMIT: (
        "hello-too-large",
        "The peer's hello is larger than the limit.",
        "Raise limits.hello_size if the peer is honest.",
    ),
    Origin.POLICY: ("policy", "The policy of this gateway refused the connection.", ""),
}

_CERTIFICATE_ALERTS = {42, 43, 44, 45, 46, 48}


def _offer(hello: Hello | None) -> str:
    """The known versions that a client offered, for a sentence."""
    if hello is None:
        return "an unknown choice of versions"
    known = sorted(v for v in ProtocolVersion if v.value in hello.versions)
    if not known:
        return "no version of TLS that this gateway knows"
    return "only TLS " + " and ".join(version.number for version in known)


def _explain_server(policy: TlsPolicy, hello: Hello | None, failure: TlsFailure) -> Explanation:
    ours = f"this gateway allows TLS {policy.selection}"
    if failure.reason == UNSUPPORTED_PROTOCOL:
        return Explanation(
            "no-common-version",
            f"The peer offers {_offer(hello)}; {ours}.",
            "Raise the peer's TLS version, or widen the selection of Inbound SMTP.",
        )
    if failure.reason == NO_SHARED_CIPHER:
        return Explanation(
            "no-common-cipher",
            f"The peer and this gateway have no cipher suite in common (ciphers here: {policy.ciphers}).",
            "Add a suite that the peer offers to the ciphers of Inbound SMTP, or update the peer.",
        )
    if hello is None and failure.origin is Origin.LOCAL:
        return Explanation(
            "not-tls",
            "The peer did not begin with a TLS hello.",
            "Use this port with TLS, or the STARTTLS port.",
        )
    if failure.alert in _CERTIFICATE_ALERTS:
        return Explanation(
            "certificate-refused",
            f"The peer does not accept the certificate of this listener: {failure.text}.",
            "Serve a certificate that the peer trusts and whose names and dates fit.",
        )
    return _other(failure)


def _explain_client(policy: TlsPolicy, failure: TlsFailure) -> Explanation:
    ours = f"this gateway offers TLS {policy.selection}"
    if failure.reason in (ALERT_PROTOCOL_VERSION, UNSUPPORTED_PROTOCOL) or (
        failure.reason == ALERT_HANDSHAKE_FAILURE and policy.selection.lowest is ProtocolVersion.TLS1_3
    ):
        return Explanation(
            "no-common-version",
            f"The server accepts none of the versions offered: {ours}.",
            "Widen the selection of Outbound SMTP, or have the server's TLS updated.",
        )
    if failure.reason == ALERT_HANDSHAKE_FAILURE:
        return Explanation(
            "no-common-cipher",
            f"The server found nothing acceptable in what this gateway offers; {ours} and the ciphers "
            f"{policy.ciphers}.",
            "Compare the ciphers of Outbound SMTP with what the server supports.",
        )
    return _other(failure)


def _other(failure: TlsFailure) -> Explanation:
    if failure.origin is Origin.ALERT:
        return Explanation(
            f"alert-{failure.alert}",
            f"The peer ended the handshake: {failure.text}.",
            "Look for the reason in its log.",
        )
    return Explanation("handshake-refused", f"This gateway ended the handshake: {failure.text}.")


def weaknesses(policy: TlsPolicy) -> tuple[str, ...]:
    """What every face says beside the setting."""
    found: list[str] = []
    if ProtocolVersion.TLS1_0 in policy.selection:
        found.append("TLS 1.0 is deprecated (RFC 8996) and open to attacks on its CBC suites")
    if policy.selection.lowest <= ProtocolVersion.TLS1_1:
        found.append(
            "TLS 1.0 and 1.1 need OpenSSL's security level 0, which also lets TLS 1.2 sign with SHA-1 "
            "and use short keys on this service"
        )
    if policy.selection.lowest is ProtocolVersion.TLS1_3:
        found.append("peers that end at TLS 1.2, older gateways and large providers among them, are shut out")
    return tuple(found)
