"""Configurations and a TLS library for tests that need some."""

from __future__ import annotations

from typing import Any

from sealgate.config.schema import Configuration
from sealgate.tls.library import Library
from sealgate.tls.suite import LEGACY_SUITES, MODERN_SUITES
from sealgate.tls.version import ProtocolVersion

LIBRARY = Library(
    name="a library that can do everything",
    versions=frozenset(ProtocolVersion),
    suites=frozenset((*MODERN_SUITES, *LEGACY_SUITES)),
    groups=frozenset({"X25519", "X25519MLKEM768", "P-256"}),
)

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


def data(**changes: Any) -> dict[str, Any]:
    """A small good configuration as plain data, with some of its parts replaced."""
    good: dict[str, Any] = {
        "gateway": {"hostname": "gate.inside.example", "accepted_domains": ["inside.example"]},
        "certificates": [{"name": "main", "certificate": CERTIFICATE, "key": KEY}],
        "gui": {"enabled": True, "addresses": ["127.0.0.1"], "certificates": ["main"]},
        "listeners": [{"name": "public", "addresses": ["127.0.0.1"], "port": 2525, "certificates": ["main"]}],
        "routes": [{"domain": "inside.example", "hosts": ["127.0.0.1:2526"]}],
    }
    return {**good, **changes}


def listener(**changes: Any) -> dict[str, Any]:
    """One good private listener as plain data, with some settings replaced."""
    good = {"name": "private", "kind": "private", "addresses": ["127.0.0.1"], "port": 2587, "certificates": ["main"]}
    return {**good, **changes}


HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43
"""What a passphrase is kept as."""


def relaying(*members: str, **changes: Any) -> dict[str, Any]:
    """The tables that let these hosts relay."""
    group = {"name": "RELAYLIST", "members": list(members), "policy": "RELAYED", **changes}
    return {"policies": [{"name": "RELAYED", "action": "relay"}], "sender_groups": [group]}


def configuration(**changes: Any) -> Configuration:
    """The same as `data`, read."""
    return Configuration.model_validate(data(**changes))
