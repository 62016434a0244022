"""Certificates for the peers: self-signed ones, and those of an authority that a test chooses to trust or not."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Two PEM files. A self-signed certificate is its own trust anchor."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; `certificate` is the PEM file to trust it by."""

    def __init__(self, folder: Path, name: str = "authority.example", *, under: Authority | None = None) -> None:
        """One that signs for itself, or an intermediate one `under` another."""
        self._folder = folder
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = _name(name)
        above = self if under is None else under
        own = _build(self._name, above._name, self._key, above._key, [name], authority=True)
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *names: str, expired: bool = False) -> KeyPair:
        """A certificate for `names`, or for `name` alone; an expired one ended an hour ago."""
        key = rsa.generate_private_key(65537, 2048)
        found = _build(_name(name), self._name, key, self._key, list(names or (name,)), expired=expired)
        return _write(self._folder, name, found, key)

    def sign(self, request: x509.CertificateSigningRequest) -> str:
        """The certificate that somebody asks for, in PEM form."""
        public = request.public_key()
        assert isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = _build(request.subject, self._name, public, self._key, names.get_values_for_type(x509.DNSName))
        return found.public_bytes(serialization.Encoding.PEM).decode()


def self_signed(folder: Path, name: str = "peer.example", *, elliptic: bool = False) -> KeyPair:
    """Write `name`.crt and .key into `folder`: RSA 2048 or P-256, for `name` and 127.0.0.1, for a day."""
    key: Key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
    found = _build(_name(name), _name(name), key, key, [name, "127.0.0.1"], authority=True)
    return _write(folder, name, found, key)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _build(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key | rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    signer: Key,
    names: list[str],
    *,
    authority: bool = False,
    expired: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key() if isinstance(key, Key) else key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now - HOUR if expired else now + DAY)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(folder: Path, name: str, certificate: x509.Certificate, key: Key) -> KeyPair:
    pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair
