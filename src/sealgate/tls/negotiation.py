"""What a server under a policy would agree on with a client, from the client's hello alone.

It follows OpenSSL's order of questions, so that a refusal carries the very reason that OpenSSL would give. Assumed are
the two certificates that `sealgate init` makes, RSA and ECDSA on secp256r1. What the hello does not say stays unknown:
a client without supported_versions may still refuse an older version that is chosen for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.tls.cipher import CipherChoice, choose_ciphers
from sealgate.tls.failure import (
    INAPPROPRIATE_FALLBACK,
    NO_SHARED_CIPHER,
    NO_SUITABLE_KEY_SHARE,
    NO_SUITABLE_SIGNATURE,
    UNSUPPORTED_PROTOCOL,
)
from sealgate.tls.group import HYBRID_GROUPS, group_number, server_tuples
from sealgate.tls.hello import Hello
from sealgate.tls.library import Library
from sealgate.tls.plan import served_suites
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.suite import KNOWN_SUITES, TLS13_SUITES, suite_number
from sealgate.tls.version import ProtocolVersion

_SECP256R1 = 23

# Signature schemes by what they are good for (RFC 8446 §4.2.3). Those with SHA-1 need security level 0.
_RSA_PSS = frozenset({0x0804, 0x0805, 0x0806})
_RSA = _RSA_PSS | {0x0301, 0x0401, 0x0501, 0x0601}
_ECDSA = frozenset({0x0303, 0x0403, 0x0503, 0x0603})
_ECDSA_13 = frozenset({0x0403})
_RSA_SHA1, _ECDSA_SHA1 = 0x0201, 0x0203


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both sides would agree on; `group` is None where keys are exchanged by RSA."""

    version: ProtocolVersion
    cipher: str
    group: str | None


def negotiate(policy: TlsPolicy, hello: Hello, library: Library) -> Negotiated | int:
    """The agreement, or the OpenSSL reason of its failure; `CipherError` if the policy itself is not usable."""
    ciphers = choose_ciphers(policy.ciphers, policy.selection, library)
    common = [version for version in policy.selection if version in hello.versions and version in library.versions]
    if not common:
        return UNSUPPORTED_PROTOCOL
    version = common[-1]
    if hello.fallback_scsv and version < policy.selection.highest:
        return INAPPROPRIATE_FALLBACK  # RFC 7507 §3
    if version is ProtocolVersion.TLS1_3:
        return _newest(hello, library)
    return _older(version, ciphers, policy, hello, library)


def _newest(hello: Hello, library: Library) -> Negotiated | int:
    cipher = next((name for name in TLS13_SUITES if suite_number(name) in hello.suites), None)
    if cipher is None:
        return NO_SHARED_CIPHER
    group = _group_13(hello, library)
    if group is None:
        return NO_SUITABLE_KEY_SHARE
    if not (_RSA_PSS | _ECDSA_13).intersection(hello.signature_algorithms):
        return NO_SUITABLE_SIGNATURE
    return Negotiated(ProtocolVersion.TLS1_3, cipher, group)


def _group_13(hello: Hello, library: Library) -> str | None:
    """The first tuple that has a common group decides; within it one whose share is there goes before the others."""
    for names in server_tuples(library):
        common = [name for name in names if group_number(name) in hello.groups]
        if common:
            return next((name for name in common if group_number(name) in hello.key_shares), common[0])
    return None


def _older(
    version: ProtocolVersion, ciphers: CipherChoice, policy: TlsPolicy, hello: Hello, library: Library
) -> Negotiated | int:
    group = _group_12(hello, library)
    signers = _signers(version, policy, hello)
    for name in served_suites(ciphers, version):
        facts = KNOWN_SUITES[name]
        if facts.number not in hello.suites:
            continue
        if facts.exchange == "RSA":
            return Negotiated(version, name, None)
        if group is not None and facts.authentication in signers:
            return Negotiated(version, name, group)
    return NO_SHARED_CIPHER


def _group_12(hello: Hello, library: Library) -> str | None:
    """The server's first common curve. Without a list OpenSSL 4 takes none, though RFC 8422 §4 would allow it.

    Hybrids belong to TLS 1.3 alone.
    """
    curves = [name for names in server_tuples(library) for name in names if name not in HYBRID_GROUPS]
    return next((name for name in curves if group_number(name) in hello.groups), None)


def _signers(version: ProtocolVersion, policy: TlsPolicy, hello: Hello) -> frozenset[str]:
    """The kinds of certificate with which the server can sign what this client accepts."""
    sha1 = policy.selection.lowest <= ProtocolVersion.TLS1_1
    # A client of TLS 1.2 that lists no schemes means SHA-1 (RFC 5246 §7.4.1.4.1); older versions know nothing else.
    schemes = set(hello.signature_algorithms) if version is ProtocolVersion.TLS1_2 else set()
    schemes = schemes or {_RSA_SHA1, _ECDSA_SHA1}
    found = set()
    if schemes & _RSA or (sha1 and _RSA_SHA1 in schemes):
        found.add("RSA")
    if _SECP256R1 in hello.groups and (schemes & _ECDSA or (sha1 and _ECDSA_SHA1 in schemes)):
        found.add("ECDSA")
    return frozenset(found)
