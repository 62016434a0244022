"""Which setting holds for a domain: the exact name beats .domain, a longer .domain a shorter one, and both beat *."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.schema import Configuration, Destination
from sealgate.tls.level import TlsLevel


def destination_for(configuration: Configuration, domain: str) -> Destination | None:
    """The row of the destinations that holds for this domain."""
    listed = {destination.domain: destination for destination in configuration.destinations}
    return next((listed[pattern] for pattern in patterns_of(domain) if pattern in listed), None)


def level_for(configuration: Configuration, domain: str) -> TlsLevel:
    """The TLS that mail to this domain must have."""
    destination = destination_for(configuration, domain)
    if destination is None or destination.tls is None:
        return configuration.delivery.level
    return TlsLevel.of(destination.tls)


def route_for(configuration: Configuration, domain: str) -> tuple[tuple[str, int], ...] | None:
    """Hosts and ports that take the mail of this domain, in order; None if DNS is to be asked for its MX."""
    listed = {route.domain: route for route in configuration.routes}
    for pattern in patterns_of(domain):
        if pattern in listed:
            return listed[pattern].targets
    return None


def accepts_domain(configuration: Configuration, domain: str) -> bool:
    """Whether mail for this domain is accepted from anyone."""
    return not set(patterns_of(domain)).isdisjoint(configuration.gateway.accepted_domains)


def patterns_of(domain: str) -> Iterator[str]:
    """Every way in which a row may name this domain, the closest one first."""
    name = domain.lower().removesuffix(".")
    yield name
    _, dot, parent = name.partition(".")
    while dot:
        yield f".{parent}"
        _, dot, parent = parent.partition(".")
    yield "*"
