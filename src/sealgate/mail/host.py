"""A host that sends mail, as far as DNS tells who it is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class PeerName:
    """The name in a host's PTR record, without a final dot.

    It is verified if an address record of the name leads back to the host. `unsure`: DNS did not answer, so that
    nothing is known of a name.
    """

    name: str | None = None
    verified: bool = False
    unsure: bool = False


NAMELESS = PeerName()
"""A host of which DNS says for certain that it has no name."""


@lru_cache(maxsize=4096)
def counted_as(ip: str) -> str:
    """What a host is counted as where there is a limit for each: an IPv4 address, or the /64 of an IPv6 one.

    A host on an IPv6 link has the whole /64 to choose its addresses from (RFC 4291 §2.5.4), so that a limit for each
    of them would be none. What is no address counts as itself.
    """
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
