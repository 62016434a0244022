"""Which setting holds for a domain: the exact name beats .domain, a longer .domain a shorter one, and both beat *."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sealgate.config.schema import Configuration, Destination, Route
from sealgate.tls.level import TlsLevel


@dataclass(frozen=True, slots=True)
class Handling:
    """What holds for mail to one domain: the settings of delivery, with the row of its destination laid over them.

    `server_name` None is the name of the host, a source None is the system's choice. `hostname` is what EHLO says.
    """

    level: TlsLevel
    server_name: str | None
    connections: int
    messages_per_connection: int
    max_recipients: int
    hostname: str
    source_v4: str | None
    source_v6: str | None


_NO_ROW = Destination(domain="any.invalid")  # it says nothing, so everything is as under delivery


def destination_for(configuration: Configuration, domain: str) -> Destination | None:
    """The row of the destinations that holds for this domain."""
    listed = configuration.destination_of
    return next((listed[pattern] for pattern in patterns_of(domain) if pattern in listed), None)


def handling_of(configuration: Configuration, domain: str) -> Handling:
    """How mail to this domain is handled."""
    delivery = configuration.delivery
    row = destination_for(configuration, domain) or _NO_ROW
    return Handling(
        level=delivery.level if row.tls is None else TlsLevel.of(row.tls),
        server_name=row.server_name,
        connections=row.connections or delivery.connections_per_destination,
        messages_per_connection=row.messages_per_connection or delivery.messages_per_connection,
        max_recipients=row.max_recipients or delivery.max_recipients,
        hostname=row.hostname or delivery.hostname or configuration.gateway.hostname,
        source_v4=row.source_v4 or delivery.source_v4,
        source_v6=row.source_v6 or delivery.source_v6,
    )


def route_row(configuration: Configuration, domain: str) -> Route | None:
    """The row of the routes that holds for this domain."""
    listed = configuration.route_of
    return next((listed[pattern] for pattern in patterns_of(domain) if pattern in listed), None)


def route_for(configuration: Configuration, domain: str) -> tuple[tuple[str, int], ...] | None:
    """Hosts and ports that take the mail of this domain, in order; None if DNS is to be asked for its MX."""
    row = route_row(configuration, domain)
    return None if row is None else row.targets


def accepted_as(configuration: Configuration, domain: str) -> str | None:
    """The accepted domain that this one is, or is below; None if its mail is not accepted from anyone."""
    accepted = configuration.gateway.accepted_domains
    return next((pattern for pattern in patterns_of(domain) if pattern in accepted), None)


def patterns_of(domain: str) -> Iterator[str]:
    """Every way in which a row may name this domain, the closest one first."""
    name = domain.lower().removesuffix(".")
    yield name
    _, dot, parent = name.partition(".")
    while dot:
        yield f".{parent}"
        _, dot, parent = parent.partition(".")
    yield "*"
