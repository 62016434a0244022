"""Which TLS versions does a port speak?  Asked of two TLS libraries that share no code.

One handshake per version, each offering that version alone.  A version is either reached, or refused, with
the alert that came back.  Whatever cannot be read as one of the two is a ProbeError: a probe that failed for
a reason of its own must never count as a refusal.  tests/outside/test_peers.py proves both on known servers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.peers.clients import gnutls_client, openssl_client
from tests.peers.versions import VERSIONS

# How a version can be refused.  A client offers TLS 1.2 and below by its highest version alone, so a server
# that ends lower answers with what it has, and it is the client that then goes away.
PROTOCOL_VERSION = "alert 70"  # RFC 8446 §6.2
CLOSED = "closed without an alert"
LOWER = "answered with a lower version"


class ProbeError(Exception):
    """The probe could not tell; its whole output."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The versions a port speaks, and how each of the others was refused: "alert NUMBER", CLOSED or LOWER."""

    reached: frozenset[str]
    refused: dict[str, str]


def offered_versions_openssl(port: int, starttls: bool) -> Offered:
    """The versions that `openssl s_client` reaches on 127.0.0.1:port."""
    return _offered(lambda version: _openssl(port, starttls, version))


def offered_versions_gnutls(port: int, starttls: bool) -> Offered:
    """The versions that `gnutls-cli` reaches on 127.0.0.1:port."""
    return _offered(lambda version: _gnutls(port, starttls, version))


def _offered(refusal: Callable[[str], str | None]) -> Offered:
    answers = {version: refusal(version) for version in VERSIONS}
    reached = frozenset(version for version, answer in answers.items() if answer is None)
    return Offered(reached, {version: answer for version, answer in answers.items() if answer})


def _openssl(port: int, starttls: bool, version: str) -> str | None:
    said = openssl_client(port, starttls=starttls, version=version).stdout
    # "New, TLSv1.0" of a TLS 1.1 session is the version its suite was born with: the Protocol line counts.
    name = f"TLSv{version.removesuffix('.0')}"
    line = r"New, TLSv1\.3, Cipher is TLS_" if version == "1.3" else rf"Protocol +: {re.escape(name)}$"
    if re.search(line, said, re.MULTILINE) and "Cipher is (NONE)" not in said:
        return None
    return _refusal(
        said,
        alert=r"SSL alert number (\d+)",
        lower=r"ssl_choose_client_version:unsupported protocol",
        closed=r"unexpected eof|(read|write):errno=|handshake has read 0 bytes",
    )


def _gnutls(port: int, starttls: bool, version: str) -> str | None:
    said = gnutls_client(port, starttls=starttls, version=version).stdout
    if "Handshake was completed" in said and f"Description: (TLS{version}-" in said:
        return None
    return _refusal(
        said,
        alert=r"Received alert \[(\d+)\]",
        lower=r"packet with illegal or unsupported version was received",
        closed=r"non-properly terminated|rror in the pull function|[Cc]onnection reset",
    )


def _refusal(said: str, *, alert: str, lower: str, closed: str) -> str:
    if "Didn't find STARTTLS" in said:
        raise ProbeError(said)
    if found := re.search(alert, said):
        return f"alert {found[1]}"
    if re.search(lower, said):
        return LOWER
    if re.search(closed, said):
        return CLOSED
    raise ProbeError(said)
