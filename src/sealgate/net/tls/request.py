"""New keys, certificates signed by themselves, and requests for certificates that others sign (RFC 2986)."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealgate.net.tls.credential import Credential, CredentialError, PrivateKey

KINDS = ("RSA 2048", "RSA 3072", "RSA 4096", "ECDSA P-256", "ECDSA P-384")
"""Keys that every peer can check."""

DAYS = 825
"""How long a certificate signed by itself is good."""

LONGEST_NAME = 64
"""Characters of a common name (RFC 5280 appendix A)."""

_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a certificate is for: `names` are DNS names and addresses, the first of them the common name."""

    names: tuple[str, ...]
    organization: str = ""
    country: str = ""


def new_key(kind: str) -> PrivateKey:
    """A key of one of `KINDS`."""
    family, _, size = kind.partition(" ")
    if family == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    return ec.generate_private_key(ec.SECP256R1() if size == "P-256" else ec.SECP384R1())


def self_signed_by(key: PrivateKey, subject: Subject, *, now: datetime.datetime, days: int = DAYS) -> str:
    """A certificate in PEM form; `CredentialError` if the subject is no subject."""
    name = _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(_alternatives(subject.names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=False)
    )
    return _pem(builder.sign(key, _hash(key)))


def request_for(credential: Credential) -> str:
    """A request in PEM form for a certificate like the one that is there, with the same key."""
    leaf = credential.chain[0]
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.subject)
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = builder.add_extension(names, critical=False)
    except x509.ExtensionNotFound:
        pass
    return _pem(builder.sign(credential.key, _hash(credential.key)))


def key_pem(key: PrivateKey) -> str:
    """The key in PEM form, without a passphrase."""
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(*form, serialization.NoEncryption()).decode("ascii")


def _pem(made: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return None
    return hashes.SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256 else hashes.SHA256()


def _name(subject: Subject) -> x509.Name:
    values = (
        (NameOID.COUNTRY_NAME, subject.country.upper()),
        (NameOID.ORGANIZATION_NAME, subject.organization),
        (NameOID.COMMON_NAME, subject.names[0][:LONGEST_NAME]),
    )
    try:
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in values if value])
    except ValueError as error:
        raise CredentialError(f"this is no subject of a certificate: {error}") from error


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(list(_general(names)))


def _general(names: Sequence[str]) -> Iterator[x509.GeneralName]:
    for name in names:
        try:
            yield x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            yield x509.DNSName(name)
