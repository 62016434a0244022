"""Certificates and keys: read from PEM, checked against each other, and the self-signed pair of a new gateway."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class CredentialError(ValueError):
    """A certificate or key that cannot be used; the sentence says which and what would be right."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate chain, its private key, and the profile name an administrator knows it by."""

    profile: str
    chain: tuple[x509.Certificate, ...]
    key: PrivateKey

    @property
    def names(self) -> frozenset[str]:
        """The DNS names it is for, in lower case; the common name if it carries no alternative names."""
        leaf = self.chain[0]
        try:
            extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            return frozenset(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return frozenset(str(name.value).lower() for name in common)

    @property
    def kind(self) -> str:
        """The family of its key: one certificate of each family can serve the same name."""
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ec"

    @property
    def chain_pem(self) -> bytes:
        """The chain as OpenSSL reads it from a file, leaf first."""
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in self.chain)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the chain or its key does."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(self.chain_pem + public).hexdigest()


def read_credential(profile: str, certificate: bytes, key: bytes) -> Credential:
    """Read a PEM chain and an unencrypted PEM key, and see that they belong together."""
    where = f"certificate profile '{profile}'"
    try:
        chain = tuple(x509.load_pem_x509_certificates(certificate))
    except ValueError as error:
        raise CredentialError(
            f"{where}: the certificate is not readable PEM; it should begin with -----BEGIN CERTIFICATE-----"
        ) from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except TypeError as error:
        raise CredentialError(f"{where}: the private key is encrypted; store it without a passphrase") from error
    except ValueError as error:
        raise CredentialError(f"{where}: the private key is not readable PEM (PKCS#8, PKCS#1 or SEC1)") from error
    if not isinstance(private, PrivateKey):
        raise CredentialError(f"{where}: a key of this kind cannot sign TLS handshakes; use RSA or ECDSA")
    _check_pair(where, chain[0], private)
    return Credential(profile, chain, private)


def _check_pair(where: str, leaf: x509.Certificate, key: PrivateKey) -> None:
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if leaf.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise CredentialError(f"{where}: the private key does not belong to the first certificate of the chain")


def self_signed(host: str, kind: str, *, now: datetime.datetime, days: int = 825) -> tuple[str, str]:
    """A certificate for `host` signed by its own key, as PEM texts (certificate, key); `kind` is "rsa" or "ec"."""
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host != "localhost":
        names.append(x509.DNSName("localhost"))
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
