"""Where the mail of a domain goes, asked of DNS: MX hosts and their addresses (RFC 5321 §5.1, RFC 7505).

Three answers are kept apart, because they end differently for a message: hosts, a domain that takes no mail
(a bounce), and a resolver that could not say (the message waits). SERVFAIL is not NXDOMAIN.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.ANY.MX import MX


class DnsUnknown(Exception):
    """DNS could not answer now; the sentence says what was asked and what went wrong."""


class DnsRefused(Exception):
    """DNS says for certain that this domain takes no mail; the sentence says why, `status` as RFC 3463 has it."""

    def __init__(self, sentence: str, status: str = "5.1.2") -> None:
        super().__init__(sentence)
        self.status = status


Family = Literal["ipv4-first", "ipv6-first", "ipv4", "ipv6"]

_KINDS: dict[Family, tuple[str, ...]] = {
    "ipv4-first": ("A", "AAAA"),
    "ipv6-first": ("AAAA", "A"),
    "ipv4": ("A",),
    "ipv6": ("AAAA",),
}


@dataclass(frozen=True, slots=True)
class MailHost:
    """One MX host of a domain."""

    name: str
    preference: int


class MailResolver:
    """Looks up MX hosts and addresses through the configured name servers, or the system's."""

    def __init__(self, servers: Sequence[str], timeout: float) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [_nameserver(server) for server in servers]
        self._resolver.lifetime = timeout
        self._resolver.cache = dns.resolver.LRUCache()

    async def mail_hosts(self, domain: str, shuffle: random.Random) -> list[MailHost]:
        """The MX hosts by preference, equal ones shuffled; the domain itself if it has none (implicit MX)."""
        try:
            answer = await self._ask(domain, "MX")
        except NoRecords:
            return [MailHost(domain, 0)]
        records = [record for record in answer if isinstance(record, MX)]
        hosts = [record for record in records if record.exchange != dns.name.root]
        if records and not hosts:  # beside others a null MX record means nothing (RFC 7505 §3)
            raise DnsRefused(f"the domain {domain} takes no mail: it publishes a null MX record (RFC 7505)", "5.1.10")
        shuffle.shuffle(hosts)
        hosts.sort(key=lambda record: record.preference)
        return [MailHost(record.exchange.to_text(omit_final_dot=True), record.preference) for record in hosts]

    async def addresses(self, host: str, family: Family) -> list[str]:
        """The addresses of a host in the order to try them; `[]` if it has none of this family.

        The families take turns, so that one that leads nowhere from here costs one attempt and not all of them.
        """
        if (literal := _literal(host)) is not None:
            return [literal]
        answers = await asyncio.gather(*(self._addresses(host, kind) for kind in _KINDS[family]))
        lists = [answer for answer in answers if not isinstance(answer, DnsUnknown)]
        found = [each for each in chain.from_iterable(zip_longest(*lists)) if each is not None]
        unknown = next((answer for answer in answers if isinstance(answer, DnsUnknown)), None)
        if not found and unknown is not None:
            raise unknown
        return found

    async def _addresses(self, host: str, kind: str) -> list[str] | DnsUnknown:
        try:
            return await self.records(host, kind)
        except (NoRecords, DnsRefused):
            return []
        except DnsUnknown as error:
            return error

    async def records(self, name: str, kind: str) -> list[str]:
        """The records of this kind as text. `NoRecords`, `DnsRefused` (no such name), `DnsUnknown`."""
        return [record.to_text() for record in await self._ask(name, kind)]

    async def _ask(self, name: str, kind: str) -> list[Rdata]:
        question = f"{kind} of {name}"
        try:
            answer = await self._resolver.resolve(name, dns.rdatatype.from_text(kind), search=False)
        except dns.resolver.NXDOMAIN as error:
            raise DnsRefused(f"DNS says that {name} does not exist (NXDOMAIN)") from error
        except dns.resolver.NoAnswer as error:
            raise NoRecords(question) from error
        except (dns.exception.DNSException, OSError) as error:
            raise DnsUnknown(f"DNS gave no answer for {question}: {_sentence(error)}") from error
        return list(answer)


class NoRecords(Exception):
    """The name exists, but has no records of the kind asked for."""


def _sentence(error: Exception) -> str:
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "no name server answered in time"
    if isinstance(error, dns.resolver.NoNameservers):
        return "every name server failed (SERVFAIL or refused)"
    return str(error) or type(error).__name__


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.strip("[]").removeprefix("IPv6:")))
    except ValueError:
        return None


def _nameserver(server: str) -> dns.nameserver.Do53Nameserver:
    host, separator, port = server.rpartition(":")
    if not separator or (":" in host and not host.startswith("[")):
        return dns.nameserver.Do53Nameserver(server.strip("[]"))
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))
