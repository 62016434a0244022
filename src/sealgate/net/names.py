"""The names of hosts that connect: their PTR records, and whether the names lead back (RFC 1912 §2.1).

Nobody waits for an answer who could go on without: what is known is given at once, the rest by callback. Answers are
remembered, those of a DNS that is down too, so that a busy or a dead name server costs little.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import dns.reversename

from sealgate.mail.host import NAMELESS, PeerName
from sealgate.net.dns import DnsRefused, DnsUnknown, MailResolver, NoRecords

REMEMBERED = 300.0
"""Seconds that a name, or its absence, is remembered."""

REMEMBERED_UNSURE = 30.0
"""Seconds that DNS is not asked again for a host after it gave no answer."""

MOST_REMEMBERED = 20_000
"""Hosts remembered at once; the oldest go."""

MOST_UNDER_WAY = 200
"""Look-ups at the same time; a host beyond them has no name for now."""

MOST_NAMES = 3
"""PTR records of one host that are followed."""

_HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
"""Labels of DNS may hold anything, a dot too: `a\\.partner.example` ends like a name of partner.example and is none."""

Then = Callable[[PeerName], None]


@dataclass(frozen=True, slots=True)
class _Known:
    name: PeerName
    until: float


class HostNames:
    """Names by address, for one worker. `resolver` gives the name servers in force and how long they may take."""

    def __init__(self, resolver: Callable[[], tuple[MailResolver, float]]) -> None:
        self._resolver = resolver
        self._loop = asyncio.get_running_loop()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._under_way: dict[str, list[Then]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def known(self, ip: str) -> PeerName | None:
        """The name of a host if it is remembered, else None."""
        found = self._known.get(ip)
        return None if found is None or found.until < self._loop.time() else found.name

    def ask(self, ip: str, then: Then) -> None:
        """Look it up; `then` hears what came of it, always, and not before this returns."""
        waiting = self._under_way.get(ip)
        if waiting is not None:
            waiting.append(then)
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            self._loop.call_soon(then, PeerName(unsure=True))
            return
        self._under_way[ip] = [then]
        task = self._loop.create_task(self._look_up(ip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up(self, ip: str) -> None:
        resolver, patience = self._resolver()
        name = PeerName(unsure=True)
        try:
            async with asyncio.timeout(patience):
                name = await name_of(resolver, ip)
        except (TimeoutError, DnsUnknown):
            pass
        finally:
            self._remember(ip, name)
            for then in self._under_way.pop(ip):
                self._loop.call_soon(then, name)

    def _remember(self, ip: str, name: PeerName) -> None:
        until = self._loop.time() + (REMEMBERED_UNSURE if name.unsure else REMEMBERED)
        self._known[ip] = _Known(name, until)
        self._known.move_to_end(ip)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Other name servers may know better."""
        self._known.clear()


async def name_of(resolver: MailResolver, ip: str) -> PeerName:
    """The first name that leads back, else the first one unverified; `DnsUnknown` if DNS cannot say."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    try:
        pointers = await resolver.records(dns.reversename.from_address(str(address)).to_text(), "PTR")
    except (NoRecords, DnsRefused):
        return NAMELESS
    names = [pointer.rstrip(".").lower() for pointer in pointers[:MOST_NAMES]]
    unsure = False
    for name in filter(_HOST_NAME.fullmatch, names):
        try:
            if address in map(ipaddress.ip_address, await _addresses(resolver, name, address.version)):
                return PeerName(name, verified=True)
        except DnsUnknown:
            unsure = True
    return PeerName(names[0], unsure=unsure) if names else NAMELESS


async def _addresses(resolver: MailResolver, name: str, version: int) -> list[str]:
    try:
        return await resolver.records(name, "A" if version == 4 else "AAAA")
    except (NoRecords, DnsRefused):
        return []
