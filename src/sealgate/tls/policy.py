"""What an administrator wants a service to speak."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealgate.tls.version import Selection


class ClientCertificate(StrEnum):
    """Whether a server asks its clients for a certificate."""

    NONE = "none"
    REQUEST = "request"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """Selection and ciphers of one service. The TLS 1.3 suites are fixed and no part of it."""

    selection: Selection
    ciphers: str = "default"
    client_certificate: ClientCertificate = ClientCertificate.NONE
