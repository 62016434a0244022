"""Certificates and keys as other programs hand them over: PEM in any order, and PKCS#12 (RFC 7292)."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from sealgate.net.tls.credential import CredentialError, PrivateKey
from sealgate.net.tls.request import key_pem

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)

_WRONG_PASSPHRASE = "the pass phrase does not open it"
_NO_PASSPHRASE = "the private key is encrypted, and there is no pass phrase for it"


class PassphraseError(CredentialError):
    """The key is encrypted, and what was given does not open it."""


def read_bundle(data: bytes, passphrase: str = "") -> tuple[str, str | None]:
    """The certificate chain, leaf first, and the key if there is one, in PEM form; `CredentialError` is a sentence."""
    if b"-----BEGIN " in data:
        return read_chain(data), read_key(data, passphrase)
    secret = passphrase.encode() or None
    try:
        key, leaf, others = pkcs12.load_key_and_certificates(data, secret)
    except ValueError as error:
        if "password" in str(error).lower():
            raise PassphraseError(_WRONG_PASSPHRASE if secret else _NO_PASSPHRASE) from error
        raise CredentialError("this is neither PEM nor PKCS#12") from error
    if leaf is None:
        raise CredentialError("there is no certificate that belongs to the key in it")
    if key is not None and not isinstance(key, PrivateKey):
        raise CredentialError("a key of this kind cannot sign TLS handshakes; use RSA or ECDSA")
    return _chain(_ordered(leaf, others)), None if key is None else key_pem(key)


def read_chain(data: bytes) -> str:
    """The certificates of a PEM text, its other blocks left out."""
    blocks = [match[0] for match in _BLOCK.finditer(data) if match[1] == b"CERTIFICATE"]
    if not blocks:
        raise CredentialError("there is no certificate in it; one begins with -----BEGIN CERTIFICATE-----")
    try:
        return _chain(x509.load_pem_x509_certificates(b"\n".join(blocks)))
    except ValueError as error:
        raise CredentialError("a certificate in it is damaged, or cut off") from error


def read_key(data: bytes, passphrase: str = "") -> str | None:
    """The private key of a PEM text, without its passphrase; None if there is none."""
    blocks = [match[0] for match in _BLOCK.finditer(data) if match[1].endswith(b"PRIVATE KEY")]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise CredentialError("there are several private keys in it; leave the one that belongs to the certificate")
    encrypted = b"ENCRYPTED" in blocks[0]
    try:
        key = serialization.load_pem_private_key(blocks[0], passphrase.encode() or None if encrypted else None)
    except TypeError as error:
        raise PassphraseError(_NO_PASSPHRASE) from error
    except ValueError as error:
        if encrypted:
            raise PassphraseError(_WRONG_PASSPHRASE) from error
        raise CredentialError("the private key in it is damaged, or cut off") from error
    if not isinstance(key, PrivateKey):
        raise CredentialError("a key of this kind cannot sign TLS handshakes; use RSA or ECDSA")
    return key_pem(key)


def _ordered(leaf: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Each behind the one that it has signed, as a handshake shows them (RFC 8446 §4.4.2); PKCS#12 has no order."""
    chain = [leaf]
    while chain[-1].issuer != chain[-1].subject:
        above = next((each for each in others if each.subject == chain[-1].issuer and each not in chain), None)
        if above is None:
            break
        chain.append(above)
    return chain


def _chain(certificates: list[x509.Certificate]) -> str:
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode("ascii") for each in certificates)
