"""What a TLS library can really do. Measured elsewhere, passed in here."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.tls.version import ProtocolVersion


@dataclass(frozen=True, slots=True)
class Library:
    """Versions, suites (up to TLS 1.2) and groups of a build, by OpenSSL's names."""

    name: str
    versions: frozenset[ProtocolVersion]
    suites: frozenset[str]
    groups: frozenset[str]
