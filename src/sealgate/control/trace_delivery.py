"""What would become of a message that has been taken: its way, its TLS, its retries."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sealgate.config.lookup import destination_for, handling_of, route_row
from sealgate.config.schema import Configuration
from sealgate.control import trace_step as step
from sealgate.control.trace_step import Step
from sealgate.delivery.route import Router
from sealgate.delivery.trouble import HopTrouble
from sealgate.inbound.acceptance import full_address
from sealgate.live.gui import LiveGui
from sealgate.live.resolver import LiveResolver
from sealgate.live.revision import Current, LiveRevision
from sealgate.mail.address import Address


def domain_of(configuration: Configuration, recipient: Address) -> str:
    """Where mail for this recipient goes; the bare postmaster is the one of the settings."""
    return full_address(configuration, recipient).domain_key


def trace_delivery(
    configuration: Configuration, recipient: Address, found: Sequence[str] | None = None
) -> tuple[Step, ...]:
    """Every decision; `found` is what DNS says, if it was asked."""
    domain = domain_of(configuration, recipient)
    handling, delivery = handling_of(configuration, domain), configuration.delivery
    row, tls = destination_for(configuration, domain), configuration.tls.outbound_smtp
    return (
        _way(configuration, domain, found),
        step.OutboundTls(
            row="" if row is None else row.domain,
            level=handling.level.word,
            versions=str(tls.selection),
            ciphers=tls.ciphers,
            server_name=handling.server_name or "that of the host",
            certificate=delivery.certificate or "",
        ),
        step.Sending(handling.hostname, handling.source_v4 or "", handling.source_v6 or "", handling.connections),
        step.Retries(delivery.retry_first, delivery.retry_max, delivery.lifetime, delivery.delay_warning),
    )


def _way(configuration: Configuration, domain: str, found: Sequence[str] | None) -> step.Way:
    row = route_row(configuration, domain)
    if row is not None and row.targets is not None:
        hosts = tuple(f"{host} port {port}" for host, port in row.targets)
        return step.Way(domain, row.domain, "route", hosts if found is None else tuple(found))
    how = "address literal" if domain.startswith("[") else "MX"
    return step.Way(domain, "" if row is None else row.domain, how, tuple(found or ()))


async def ask_dns(configuration: Configuration, recipient: Address) -> tuple[str, ...]:
    """The addresses that would be tried, in this order, or the sentence that says why there are none."""
    domain = domain_of(configuration, recipient)
    current = Current(LiveRevision(0, configuration, {}, None, None, LiveGui(configuration.gui)))
    router = Router(current, LiveResolver(current), random.Random())
    try:
        targets = await router.targets(domain, handling_of(configuration, domain).hostname)
    except HopTrouble as error:
        return tuple(error.trouble.lines)
    return tuple(str(each) for each in targets)
