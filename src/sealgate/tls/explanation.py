"""Why a handshake failed, in words for those who can mend it: one stable code, one sentence, one remedy.

The same words stand in the log, in tracking, in reports and in bounces.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealgate.tls.cipher import DEFAULT
from sealgate.tls.failure import (
    ALERT_BASE,
    ALERT_HANDSHAKE_FAILURE,
    ALERT_PROTOCOL_VERSION,
    CERTIFICATE_VERIFY_FAILED,
    DH_KEY_TOO_SMALL,
    HTTP_REQUEST,
    HTTPS_PROXY_REQUEST,
    INAPPROPRIATE_FALLBACK,
    NO_PEER_CERTIFICATE,
    NO_SHARED_CIPHER,
    NO_SHARED_GROUPS,
    NO_SHARED_SIGNATURES,
    NO_SUITABLE_KEY_SHARE,
    NO_SUITABLE_SIGNATURE,
    UNKNOWN_PROTOCOL,
    UNSUPPORTED_PROTOCOL,
    VERSION_TOO_LOW,
    WRONG_VERSION_NUMBER,
    Origin,
    TlsFailure,
)
from sealgate.tls.group import group_name
from sealgate.tls.hello import Hello
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.suite import KNOWN_SUITES, suite_name
from sealgate.tls.version import ProtocolVersion, Selection


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
    """Why a handshake failed, as far as this side can know. Of a server only its choice or its alert is known."""
    if failure.origin in _WITHOUT_TLS:
        return _WITHOUT_TLS[failure.origin]
    if failure.origin is Origin.POLICY:
        sentence = f"The policy of this gateway refused the connection: {failure.text or 'no reason given'}."
        return Explanation("policy", sentence, "See the settings of this service.")
    if failure.origin is Origin.ALERT:
        return _explain_alert(policy, failure, side)
    if side is Side.SERVER:
        return _explain_server(policy, hello, failure)
    return _explain_client(policy, failure)


_WRITE_DEFAULT = f"Write {DEFAULT} for the recommended suites."

_WITHOUT_TLS = {
    Origin.CLOSED: Explanation(
        "closed-in-handshake",
        "The peer closed the connection in the middle of the handshake and gave no reason.",
        "Look in the peer's log; a firewall that does not know the versions offered does the same.",
    ),
    Origin.TIMEOUT: Explanation(
        "handshake-timeout",
        "The handshake was not finished in time.",
        "Look for a stalled peer, or for a firewall that drops large packets.",
    ),
    Origin.LIMIT: Explanation(
        "hello-too-large",
        "The peer's hello is larger than the limit.",
        "Raise limits.hello_size if the peer is honest.",
    ),
    Origin.INJECTION: Explanation(
        "starttls-injection",
        "Clear text stood behind STARTTLS, where only a TLS handshake may follow (CVE-2011-0411).",
        "Have the peer's software updated; if it is current, somebody on the way tampers with the connection.",
    ),
}

_PEER_LOG = "Look for the reason in the peer's log."
_OWN_CERTIFICATE = "Show a certificate that the peer trusts, whose names and dates fit, with its whole chain."

# Alert -> code, what the peer means by it, what would mend it.
_ALERTS = {
    42: ("certificate-refused", "finds the certificate of this gateway defective", _OWN_CERTIFICATE),
    43: ("certificate-refused", "does not support the kind of certificate of this gateway", _OWN_CERTIFICATE),
    44: ("certificate-refused", "says that the certificate of this gateway is revoked", _OWN_CERTIFICATE),
    45: ("certificate-refused", "says that the certificate of this gateway has expired", _OWN_CERTIFICATE),
    46: ("certificate-refused", "does not accept the certificate of this gateway", _OWN_CERTIFICATE),
    48: (
        "certificate-untrusted",
        "does not know the authority behind the certificate of this gateway",
        _OWN_CERTIFICATE,
    ),
    49: ("access-denied", "refuses this gateway although the handshake is sound", _PEER_LOG),
    51: ("signature-refused", "could not verify a signature of this gateway", _PEER_LOG),
    71: (
        "insufficient-security",
        "wants stronger suites than this gateway offers",
        "Widen the ciphers or the versions of this service, or have the peer accept what is allowed here.",
    ),
    80: ("peer-internal-error", "failed inside, which says nothing about this gateway", _PEER_LOG),
    86: (
        "inappropriate-fallback",
        "speaks a newer version than the one tried, and takes the step down for an attack",
        "Offer all selected versions at once.",
    ),
    90: ("peer-cancelled", "gave the handshake up", _PEER_LOG),
    112: (
        "unknown-server-name",
        "does not serve the name that was asked for",
        "Check the host name in the route or the MX record.",
    ),
    116: (
        "client-certificate-missing",
        "requires a certificate of this gateway",
        "Set the certificate for outgoing TLS in the delivery settings.",
    ),
    120: ("no-common-application", "speaks none of the application protocols offered", _PEER_LOG),
}


def _explain_alert(policy: TlsPolicy, failure: TlsFailure, side: Side) -> Explanation:
    alert = failure.alert if failure.alert is not None else (failure.reason or ALERT_BASE) - ALERT_BASE
    peer = "client" if side is Side.SERVER else "server"
    refusal = _explain_refusal(policy, ALERT_BASE + alert, side)
    if refusal is not None:
        return refusal
    if alert in _ALERTS:
        code, meaning, mend = _ALERTS[alert]
        return Explanation(code, f"The {peer} {meaning} ({failure.text}).", mend)
    return Explanation(f"alert-{alert}", f"The {peer} ended the handshake: {failure.text}.", _PEER_LOG)


def _explain_refusal(policy: TlsPolicy, reason: int, side: Side) -> Explanation | None:
    """The two alerts by which a peer says that versions or suites do not fit."""
    if side is Side.SERVER:
        if reason == ALERT_PROTOCOL_VERSION:
            return Explanation(
                "no-common-version",
                f"The client does not take the version chosen here; this service allows TLS {policy.selection}.",
                "Have the client's TLS updated, or widen the versions of this service.",
            )
        return None
    only_newest = policy.selection.lowest is ProtocolVersion.TLS1_3
    if reason == ALERT_PROTOCOL_VERSION or (reason == ALERT_HANDSHAKE_FAILURE and only_newest):
        return Explanation(
            "no-common-version",
            f"The server accepts none of the versions offered; this gateway offers it TLS {policy.selection}.",
            _widen(policy.selection),
        )
    if reason == ALERT_HANDSHAKE_FAILURE:
        return Explanation(
            "no-common-cipher",
            f"The server found nothing acceptable in what this gateway offers: TLS {policy.selection} with the ciphers "
            f"{policy.ciphers}.",
            "Compare the ciphers and versions of this service with what the server supports; it may also want a client "
            "certificate.",
        )
    return None


def _widen(selection: Selection) -> str:
    """How a client's selection could meet a server that takes none of it."""
    ends = []
    if selection.lowest > ProtocolVersion.TLS1_2:
        ends.append("TLS 1.2 below")
    elif selection.lowest > ProtocolVersion.TLS1_0:
        ends.append("an older version below, which weakens it")
    if selection.highest < ProtocolVersion.TLS1_3:
        ends.append("TLS 1.3 above")
    if not ends:
        return "Every version is offered already: have the server's TLS updated."
    return f"Widen the versions of this service ({', or '.join(ends)}), or have the server's TLS updated."


def _explain_server(policy: TlsPolicy, hello: Hello | None, failure: TlsFailure) -> Explanation:
    reason, highest = failure.reason, policy.selection.highest.number
    if reason in (UNSUPPORTED_PROTOCOL, VERSION_TOO_LOW):
        return _explain_versions(policy.selection, hello)
    if reason == NO_SHARED_CIPHER:
        return _explain_ciphers(policy, hello)
    if reason in (NO_SUITABLE_KEY_SHARE, NO_SHARED_GROUPS):
        offered = ", ".join(map(group_name, hello.groups)) if hello and hello.groups else "none that are known"
        return Explanation(
            "no-common-group",
            f"The client and this gateway have no key-exchange group in common; it offers {offered}.",
            "Have the client allow X25519 or secp256r1.",
        )
    if reason in (NO_SUITABLE_SIGNATURE, NO_SHARED_SIGNATURES):
        return Explanation(
            "no-common-signature",
            "The client accepts no signature that the certificates of this service can make.",
            "Give the service an RSA and an ECDSA certificate, or have the client allow SHA-256 signatures.",
        )
    if reason == INAPPROPRIATE_FALLBACK:
        return Explanation(
            "inappropriate-fallback",
            f"The client stepped down to an older version although this service speaks TLS {highest}.",
            "Look why its first attempt failed: a device between may disturb newer versions.",
        )
    if reason in (NO_PEER_CERTIFICATE, CERTIFICATE_VERIFY_FAILED):
        return _explain_client_certificate(policy, reason)
    if reason in (HTTP_REQUEST, HTTPS_PROXY_REQUEST):
        return Explanation("not-tls", "The client speaks HTTP here, without TLS.", "It has the wrong port or address.")
    if hello is None and reason in (WRONG_VERSION_NUMBER, UNKNOWN_PROTOCOL, None):
        return Explanation(
            "not-tls",
            "The client did not begin with a TLS hello.",
            "Have it use TLS from the first byte here, or a port where STARTTLS is offered.",
        )
    return _other(failure)


def _explain_versions(ours: Selection, hello: Hello | None) -> Explanation:
    offered = sorted(version for version in ProtocolVersion if hello and version in hello.versions)
    if not offered:
        which = "a choice of versions that is not known" if hello is None else "no version from TLS 1.0 to 1.3"
        mend = "Have the client's TLS updated."
    elif offered[-1] < ours.lowest:
        best = offered[-1].number
        open_ended = hello is not None and 0x0300 in hello.versions
        which = f"TLS {best} at most" if open_ended else _enumerate(offered)
        weaker = ", which weakens it" if offered[-1] <= ProtocolVersion.TLS1_1 else ""
        mend = f"Have the client's TLS updated, or extend the versions of this service down to TLS {best}{weaker}."
    else:
        which = _enumerate(offered)
        mend = f"Extend the versions of this service up to TLS {offered[0].number}."
    return Explanation("no-common-version", f"The client offers {which}; this service allows TLS {ours}.", mend)


def _enumerate(versions: list[ProtocolVersion]) -> str:
    numbers = [version.number for version in versions]
    return f"TLS {' and '.join(numbers)}" + (" only" if len(numbers) == 1 else "")


def _explain_ciphers(policy: TlsPolicy, hello: Hello | None) -> Explanation:
    names = [suite_name(number) for number in hello.suites] if hello else []
    real = [name for name in names if not name.startswith(("TLS_", "0x"))]
    shown = ", ".join(real[:5]) + (f" and {len(real) - 5} more" if len(real) > 5 else "")
    offer = f" It offers {shown}." if real else ""
    good = [name for name in real if name in KNOWN_SUITES and KNOWN_SUITES[name].usable]
    if good:
        mend = (
            f"Add {good[0]} to the ciphers of this service if it is missing there; if it is not, the client does not "
            "take the kind of certificate or the groups of this service."
        )
    else:
        mend = "Have the client's TLS updated." if real else _WRITE_DEFAULT
    return Explanation(
        "no-common-cipher",
        f"The client and this service have no cipher suite in common that both can use; the ciphers here are "
        f"{policy.ciphers}.{offer}",
        mend,
    )


def _explain_client_certificate(policy: TlsPolicy, reason: int) -> Explanation:
    if reason == NO_PEER_CERTIFICATE:
        return Explanation(
            "client-certificate-missing",
            f"The client shows no certificate, and this listener is set to {ClientCertificate.REQUIRE} one.",
            f"Give the client a certificate, or set the listener's client_certificate to {ClientCertificate.REQUEST}.",
        )
    return Explanation(
        "client-certificate-invalid",
        f"The client's certificate does not stand up to verification; this listener is set to "
        f"{policy.client_certificate} one.",
        "Have the client renew it, or add its authority to the trusted ones.",
    )


def _explain_client(policy: TlsPolicy, failure: TlsFailure) -> Explanation:
    if failure.reason == UNSUPPORTED_PROTOCOL:
        return Explanation(
            "no-common-version",
            f"The server chose a version that was not offered; this gateway offers it TLS {policy.selection}.",
            _widen(policy.selection),
        )
    if failure.reason in (WRONG_VERSION_NUMBER, UNKNOWN_PROTOCOL, HTTP_REQUEST):
        return Explanation(
            "not-tls",
            "The server answered the TLS hello with something that is not TLS.",
            "Check host and port, and for a device between that rewrites the connection.",
        )
    if failure.reason == DH_KEY_TOO_SMALL:
        return Explanation(
            "server-key-too-small",
            "The server's Diffie-Hellman parameters are shorter than the security level of this gateway allows.",
            "Have the server use ECDHE or 2048 bits, or leave DHE suites out of the ciphers of this service.",
        )
    return _other(failure)


def _other(failure: TlsFailure) -> Explanation:
    sentence = f"This gateway ended the handshake: {failure.text or 'OpenSSL gave no reason'}."
    return Explanation("handshake-refused", sentence, _PEER_LOG)
