"""The first configuration of a gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.config.schema.delivery import MX
from sealgate.config.validation import validated

Defaults = Literal["modern", "asyncos-15.5"]

VERSIONS: dict[Defaults, tuple[str, ...]] = {
    "modern": ("1.2", "1.3"),
    "asyncos-15.5": ("1.1", "1.2"),  # the state right after an upgrade: TLS 1.3 is there to be switched on
}
"""What every TLS service speaks at first."""

RELAYED = "RELAYED"
"""The mail flow policy of hosts that may send to anyone, and RELAYLIST, the sender group of these hosts."""

RELAYLIST = "RELAYLIST"

PRIVATE = ("private", "private-tls")

LOOPBACK = ("127.0.0.0/8", "::1/128")


def first_configuration(
    hostname: str,
    certificates: Sequence[CertificateProfile],
    *,
    domains: Sequence[str],
    next_hop: str | None,
    port_base: int = 0,
    defaults: Defaults = "modern",
    production: bool = False,
) -> Configuration:
    """A public listener, a private one with STARTTLS and one with implicit TLS; the domains go to `next_hop`.

    In evaluation they and the GUI listen on loopback from 2525 on, in production on every address and the ports of
    the field.
    `port_base` is added to every port; without `next_hop` mail goes by MX. `ConfigurationError` for bad values.
    """
    service = {"versions": VERSIONS[defaults]}
    services = ("gui_https", "inbound_smtp", "outbound_smtp", "other_clients")
    hosts = [] if next_hop in (None, MX) else [next_hop]
    return validated(
        {
            "gateway": {"hostname": hostname, "accepted_domains": list(domains)},
            "tls": dict.fromkeys(services, service),
            "certificates": list(certificates),
            "gui": _gui([each.name for each in certificates], port_base, production=production),
            "listeners": _listeners([each.name for each in certificates], port_base, production=production),
            "policies": [{"name": RELAYED, "action": "relay"}],
            "sender_groups": [
                {"name": RELAYLIST, "listeners": list(PRIVATE), "members": list(LOOPBACK), "policy": RELAYED}
            ],
            "routes": [{"domain": domain, "hosts": hosts} for domain in domains if hosts],
        }
    )


def _listeners(certificates: list[str], port_base: int, *, production: bool) -> list[dict[str, Any]]:
    places: dict[str, Any] = {"addresses": _addresses(production=production), "certificates": certificates}
    private = {**places, "kind": "private"}
    smtp, submission, submissions = (25, 587, 465) if production else (2525, 2587, 2465)
    return [
        {"name": "public", "port": smtp + port_base, **places},
        {"name": PRIVATE[0], "port": submission + port_base, **private},
        {"name": PRIVATE[1], "port": submissions + port_base, "implicit_tls": True, **private},
    ]


def _gui(certificates: list[str], port_base: int, *, production: bool) -> dict[str, Any]:
    """Without a certificate there is none: it has no other way to be encrypted."""
    return {
        "enabled": bool(certificates),
        "addresses": _addresses(production=production),
        "port": (443 if production else 8443) + port_base,
        "ngui_port": 4431 + port_base,
        "certificates": certificates,
    }


def _addresses(*, production: bool) -> list[str]:
    return ["0.0.0.0", "::"] if production else ["127.0.0.1"]
