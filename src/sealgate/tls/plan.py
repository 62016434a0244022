"""What OpenSSL must be told so that a service speaks its policy and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from sealgate.tls.cipher import CipherChoice, CipherError, choose_ciphers
from sealgate.tls.group import client_groups, server_groups
from sealgate.tls.library import Library
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.suite import KNOWN_SUITES, TLS13_SUITES
from sealgate.tls.version import ProtocolVersion


class PlanError(ValueError):
    """A policy that this build cannot carry out, as a sentence."""


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """Every setting of a context; two equal plans make equal contexts.

    `security_level` is OpenSSL's, None for the library's own; `cipher_list` already carries it. `notes` are for the
    administrator and make no difference between plans.
    """

    minimum: ProtocolVersion
    maximum: ProtocolVersion
    cipher_list: str
    tls13_suites: str
    groups: str
    security_level: int | None
    client_certificate: ClientCertificate
    notes: tuple[str, ...] = field(default=(), compare=False)


def plan_server(policy: TlsPolicy, library: Library) -> TlsPlan:
    """The plan of a service that accepts connections."""
    ciphers = _ciphers(policy, library)
    notes = ciphers.notes
    if any(map(_finite_field, ciphers.suites)):
        _check_served(policy, ciphers)
        notes += ("DHE suites are never chosen by this service: it has no finite-field group; peers get ECDHE instead",)
    return _plan(policy, ciphers.openssl, server_groups(library), notes)


def plan_client(policy: TlsPolicy, library: Library) -> TlsPlan:
    """The plan of a service that opens connections."""
    ciphers = _ciphers(policy, library)
    return _plan(policy, ciphers.openssl, client_groups(library), ciphers.notes)


def served_suites(ciphers: CipherChoice, version: ProtocolVersion) -> tuple[str, ...]:
    """What a server can really choose in a version up to TLS 1.2, in its order of preference."""
    return tuple(name for name in ciphers.suites_for(version) if not _finite_field(name))


def _finite_field(name: str) -> bool:
    """Since OpenSSL 4 a server does DHE in named groups only (RFC 7919), and mail clients hardly know those."""
    return KNOWN_SUITES[name].exchange == "DH"


def _check_served(policy: TlsPolicy, ciphers: CipherChoice) -> None:
    for version in policy.selection:
        if version < ProtocolVersion.TLS1_3 and not served_suites(ciphers, version):
            raise PlanError(
                f"the ciphers {policy.ciphers!r} leave TLS {version.number} with DHE suites alone, and a server of "
                "this gateway has no finite-field group for them; add ECDHE suites, or write default"
            )


def _ciphers(policy: TlsPolicy, library: Library) -> CipherChoice:
    missing = [version.number for version in policy.selection if version not in library.versions]
    if missing:
        raise PlanError(f"{library.name} cannot speak TLS {' and '.join(missing)}; select other versions")
    try:
        return choose_ciphers(policy.ciphers, policy.selection, library)
    except CipherError as error:
        raise PlanError(str(error)) from error


def _plan(policy: TlsPolicy, cipher_list: str, groups: str, notes: tuple[str, ...]) -> TlsPlan:
    old = policy.selection.lowest <= ProtocolVersion.TLS1_1
    return TlsPlan(
        minimum=policy.selection.lowest,
        maximum=policy.selection.highest,
        cipher_list=cipher_list,
        tls13_suites=":".join(TLS13_SUITES),
        groups=groups,
        security_level=0 if old else None,
        client_certificate=policy.client_certificate,
        notes=notes,
    )
