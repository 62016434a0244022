"""Whether a verified certificate is for the name that was asked (RFC 6125, RFC 9525), by a library made for it."""

from __future__ import annotations

from cryptography import x509
from service_identity import VerificationError
from service_identity.cryptography import verify_certificate_hostname
from service_identity.exceptions import CertificateError


def certificate_is_for(certificate: x509.Certificate | None, names: tuple[str, ...]) -> bool:
    """True at the first of `names` that the certificate carries, wildcards included."""
    if certificate is None:
        return False
    for name in dict.fromkeys(names):
        try:
            verify_certificate_hostname(certificate, name)
        except (VerificationError, CertificateError, ValueError):
            continue
        return True
    return False
