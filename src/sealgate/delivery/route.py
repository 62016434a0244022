"""From a domain to the hosts to try, in order: an SMTP route if one is set, else MX."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass

from sealgate.config.lookup import route_for
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.live.revision import Current
from sealgate.net.dns import DnsRefused, DnsUnknown, MailResolver

SMTP_PORT = 25
MOST_TARGETS = 10
"""Addresses tried for one delivery at most; a domain with more has its turn at the next attempt."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address to try. `literal` if the host was given as an address: then there is no name to ask for."""

    host: str
    ip: str
    port: int
    literal: bool = False


class Router:
    """Finds targets under the configuration in force."""

    def __init__(self, current: Current, shuffle: random.Random) -> None:
        self._current = current
        self._shuffle = shuffle
        self._settings: object = None
        self._resolver: MailResolver | None = None

    def _dns(self) -> MailResolver:
        settings = self._current.revision.configuration.dns
        if self._resolver is None or settings != self._settings:
            self._resolver = MailResolver(settings.servers, settings.timeout)
            self._settings = settings
        return self._resolver

    async def targets(self, domain: str) -> list[Target]:
        """Addresses in the order to try; `HopTrouble` if there are none, for now or for good."""
        hosts = route_for(self._current.revision.configuration, domain)
        if hosts is None and domain.startswith("["):
            hosts = ((domain.strip("[]").removeprefix("ipv6:"), SMTP_PORT),)  # RFC 5321 §4.1.3: no DNS is asked
        try:
            if hosts is None:
                mail_hosts = await self._dns().mail_hosts(domain, self._shuffle)
                hosts = tuple((host.name, SMTP_PORT) for host in mail_hosts)
            return await self._addresses(domain, hosts)
        except DnsRefused as error:
            raise HopTrouble(Trouble(True, "5.1.2", "000", (str(error),), "Bad destination host")) from error
        except DnsUnknown as error:
            raise HopTrouble(Trouble(False, "4.4.3", "000", (str(error),), "DNS problem")) from error

    async def _addresses(self, domain: str, hosts: tuple[tuple[str, int], ...]) -> list[Target]:
        targets: list[Target] = []
        unknown: DnsUnknown | None = None
        for host, port in hosts:
            if _is_literal(host):
                targets.append(Target(host.strip("[]"), host.strip("[]"), port, literal=True))
                continue
            try:
                addresses = await self._dns().addresses(host)
            except DnsUnknown as error:
                unknown = error
                continue
            targets += [Target(host, address, port) for address in addresses]
            if len(targets) >= MOST_TARGETS:
                break
        if targets:
            return targets[:MOST_TARGETS]
        if unknown is not None:
            raise unknown
        raise DnsRefused(f"no host for {domain} has an address")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
