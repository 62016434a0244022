"""The first configuration of a gateway."""

from __future__ import annotations

from typing import Literal

from sealgate.config.schema import (
    CertificateProfile,
    Configuration,
    GatewaySettings,
    Listener,
    Route,
    TlsService,
    TlsSettings,
)

Defaults = Literal["modern", "asyncos-15.5"]

_VERSIONS: dict[Defaults, tuple[Literal["1.0", "1.1", "1.2", "1.3"], ...]] = {
    "modern": ("1.2", "1.3"),
    "asyncos-15.5": ("1.1", "1.2"),  # the state right after an upgrade to AsyncOS 15.5
}


def first_configuration(
    hostname: str,
    certificates: tuple[CertificateProfile, ...],
    *,
    domains: tuple[str, ...],
    next_hop: str | None,
    port_base: int = 0,
    defaults: Defaults = "modern",
    production: bool = False,
) -> Configuration:
    """Three listeners, the given domains, and their route. `port_base` is added to every port."""
    service = TlsService(versions=_VERSIONS[defaults])
    return Configuration(
        gateway=GatewaySettings(hostname=hostname, accepted_domains=domains),
        tls=TlsSettings(gui_https=service, inbound_smtp=service, outbound_smtp=service, other_clients=service),
        certificates=certificates,
        listeners=_listeners(tuple(each.name for each in certificates), port_base, production=production),
        routes=tuple(Route(domain=domain, hosts=(next_hop,)) for domain in domains) if next_hop else (),
    )


def _listeners(certificates: tuple[str, ...], port_base: int, *, production: bool) -> tuple[Listener, ...]:
    addresses = ("0.0.0.0", "::") if production else ("127.0.0.1",)
    ports = (25, 587, 465) if production else (2525, 2587, 2465)
    public, private, implicit = (port + port_base for port in ports)
    networks = ("127.0.0.0/8", "::1/128")
    return (
        Listener(name="public", addresses=addresses, port=public, certificates=certificates),
        Listener(
            name="private",
            kind="private",
            addresses=addresses,
            port=private,
            tls="required",
            relay_networks=networks,
            certificates=certificates,
        ),
        Listener(
            name="private-tls",
            kind="private",
            addresses=addresses,
            port=implicit,
            tls="required",
            implicit_tls=True,
            relay_networks=networks,
            certificates=certificates,
        ),
    )
