"""What OpenSSL must be told so that a service speaks its policy and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.tls.cipher import CipherError, choose_ciphers
from sealgate.tls.group import client_groups, server_groups
from sealgate.tls.library import Library
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.suite import TLS13_SUITES
from sealgate.tls.version import ProtocolVersion


class PlanError(ValueError):
    """A policy that this build cannot carry out, as a sentence."""


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """Every setting of a context; two equal plans make equal contexts."""

    minimum: ProtocolVersion
    maximum: ProtocolVersion
    cipher_list: str
    tls13_suites: str
    groups: str
    client_certificate: ClientCertificate
    notes: tuple[str, ...] = ()


def plan_server(policy: TlsPolicy, library: Library) -> TlsPlan:
    """The plan of a service that accepts connections."""
    return _plan(policy, library, server_groups(library))


def plan_client(policy: TlsPolicy, library: Library) -> TlsPlan:
    """The plan of a service that opens connections."""
    return _plan(policy, library, client_groups(library))


def _plan(policy: TlsPolicy, library: Library, groups: str) -> TlsPlan:
    missing = [version.number for version in policy.selection if version not in library.versions]
    if missing:
        raise PlanError(f"{library.name} cannot speak TLS {' and '.join(missing)}; select other versions")
    try:
        ciphers = choose_ciphers(policy.ciphers, policy.selection, library)
    except CipherError as error:
        raise PlanError(str(error)) from error
    return TlsPlan(
        minimum=policy.selection.lowest,
        maximum=policy.selection.highest,
        cipher_list=ciphers.openssl,
        tls13_suites=":".join(TLS13_SUITES),
        groups=groups,
        client_certificate=policy.client_certificate,
        notes=ciphers.notes,
    )
