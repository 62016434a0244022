"""What a certificate says, and what an administrator should know about it before it is used."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

SHORTEST_RSA = 2048
"""Bits of an RSA key (NIST SP 800-131A); current peers refuse shorter ones."""

SOON = datetime.timedelta(days=30)
"""How long before its end a certificate is to be replaced."""

_WEAK_HASHES = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True)
class Facts:
    """A certificate in words. `key` is as "RSA 2048"."""

    common_name: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime.datetime
    not_after: datetime.datetime
    key: str
    self_signed: bool
    sha256: str
    serial: str

    def days_left(self, now: datetime.datetime) -> int:
        """Whole days until it ends; less than 0 when it has ended."""
        return (self.not_after - now).days


def facts_of(certificate: x509.Certificate) -> Facts:
    """What it says."""
    return Facts(
        common_name=_common_name(certificate.subject),
        issuer=_common_name(certificate.issuer) or certificate.issuer.rfc4514_string(),
        names=names_of(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=_key(certificate),
        self_signed=certificate.issuer == certificate.subject,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        serial=f"{certificate.serial_number:x}",
    )


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses it is for; the common name only if it carries no alternative names (RFC 9525)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = _common_name(certificate.subject)
        return (common,) if common else ()
    addresses = (str(address) for address in found.get_values_for_type(x509.IPAddress))
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def doubts(certificate: x509.Certificate, host: str, now: datetime.datetime) -> Iterator[str]:
    """Why peers that look at it may not take it, one sentence each, without a full stop."""
    facts = facts_of(certificate)
    if now >= facts.not_after:
        yield f"it has expired on {_day(facts.not_after)}"
    elif now + SOON >= facts.not_after:
        yield f"it expires on {_day(facts.not_after)}"
    if now < facts.not_before:
        yield f"it is not valid before {_day(facts.not_before)}"
    if not any(_matches(name.lower(), host.lower()) for name in facts.names):
        yield f"it is not for {host}, the name of this gateway, but for {', '.join(facts.names) or 'no name'}"
    yield from _weak(certificate)


def _weak(certificate: x509.Certificate) -> Iterator[str]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < SHORTEST_RSA:
        yield f"its RSA key has {key.key_size} bits, and peers want {SHORTEST_RSA} at least"
    signed_with = certificate.signature_hash_algorithm
    if isinstance(signed_with, _WEAK_HASHES) and certificate.issuer != certificate.subject:
        yield f"it is signed with {signed_with.name.upper()}, which peers do not trust any more"


def _matches(name: str, host: str) -> bool:
    """RFC 9525 §6.3: a wildcard stands for the whole first label, and for no other."""
    return name == host or (name.startswith("*.") and name[1:] == f".{host.partition('.')[2]}")


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


def _day(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%d")
