"""From a domain to the hosts to try, in order: an SMTP route if one is set, else MX."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealgate.config.lookup import route_for
from sealgate.config.schema import Configuration
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.live.resolver import LiveResolver
from sealgate.live.revision import Current
from sealgate.net.dns import DnsRefused, DnsUnknown, MailHost
from sealgate.net.local import is_local

SMTP_PORT = 25
MOST_TARGETS = 10
"""Addresses tried for one delivery at most; a domain with more has its turn at the next attempt."""

EVERY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Target:
    """One address to try. `literal` if the host was given as an address: then there is no name to ask for."""

    host: str
    ip: str
    port: int
    literal: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """What a connection is made to."""
        return self.ip, self.port

    def __str__(self) -> str:
        return f"{self.host} [{self.ip}]:{self.port}"


class Router:
    """Finds targets under the configuration in force."""

    def __init__(self, current: Current, resolver: LiveResolver, shuffle: random.Random) -> None:
        self._current = current
        self._dns = resolver.get
        self._shuffle = shuffle

    async def targets(self, domain: str, own_name: str) -> list[Target]:
        """Addresses in the order to try; `HopTrouble` if there are none, for now or for good.

        `own_name` is what the gateway calls itself there: mail never goes to it by MX.
        """
        route = route_for(self._current.revision.configuration, domain)
        if route is None and domain.startswith("["):
            route = ((domain.strip("[]").removeprefix("ipv6:"), SMTP_PORT),)  # RFC 5321 §4.1.3: no DNS is asked
        try:
            if route is not None:
                return await self._of_route(domain, route)
            return await self._of_mx(domain, own_name)
        except DnsRefused as error:
            raise HopTrouble(Trouble(True, error.status, "000", (str(error),), "Bad destination host")) from error
        except DnsUnknown as error:
            raise HopTrouble(Trouble(False, "4.4.3", "000", (str(error),), "DNS problem")) from error

    async def _of_route(self, domain: str, route: Sequence[tuple[str, int]]) -> list[Target]:
        targets: list[Target] = []
        unknown: DnsUnknown | None = None
        for host, port in route:
            try:
                targets += await self._targets(host, port)
            except DnsUnknown as error:
                unknown = error
        if targets:
            return targets[:MOST_TARGETS]
        # The administrator named these hosts, not the sender: whatever is wrong with them, the mail waits.
        raise unknown or DnsUnknown(f"no host of the SMTP route for {domain} has an address")

    async def _of_mx(self, domain: str, own_name: str) -> list[Target]:
        """Up to the gateway's own place in the list, which must not send to itself or to those behind it (§5.1)."""
        targets: list[tuple[int, Target]] = []
        unknown: DnsUnknown | None = None
        configuration = self._current.revision.configuration
        for host in await self._dns().mail_hosts(domain, self._shuffle):
            try:
                found = await self._targets(host.name, SMTP_PORT)
            except DnsUnknown as error:
                unknown, found = error, []
            if is_own(
                host.name, [each.ip for each in found], (own_name, configuration.gateway.hostname), configuration
            ):
                targets = [each for each in targets if each[0] < host.preference]
                if not targets and unknown is None:
                    raise _loops(domain, host)
                break
            targets += [(host.preference, each) for each in found]
            if len(targets) >= MOST_TARGETS:
                break
        if targets:
            return [target for _, target in targets[:MOST_TARGETS]]
        raise unknown or DnsRefused(f"no mail host of {domain} has an address that can be used", "5.4.4")

    async def _targets(self, host: str, port: int) -> list[Target]:
        """All addresses of one host."""
        if _is_literal(host):
            return [Target(host.strip("[]"), host.strip("[]"), port, literal=True)]
        family = self._current.revision.configuration.delivery.family
        return [Target(host, address, port) for address in await self._dns().addresses(host, family)]


def is_own(
    host: str,
    ips: Sequence[str],
    names: Sequence[str],
    configuration: Configuration,
    local: Callable[[str], bool] = is_local,
) -> bool:
    """Whether an MX host is this gateway: by its name, or because a listener would take the connection."""
    if host.lower() in {name.lower() for name in names}:
        return True
    listening = {
        address
        for listener in configuration.listeners
        if listener.enabled and listener.port == SMTP_PORT
        for address in listener.addresses
    }
    anywhere = not listening.isdisjoint(EVERY_ADDRESS)
    return any(ip in listening or (anywhere and local(ip)) for ip in ips)


def _loops(domain: str, host: MailHost) -> DnsRefused:
    return DnsRefused(
        f"the best mail host of {domain} is {host.name}, which is this gateway, and no SMTP route says where its mail"
        " goes from here",
        "5.4.6",
    )


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
