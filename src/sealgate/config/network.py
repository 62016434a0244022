"""Networks as settings name them: which are local, which are too wide to be one organisation's."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

WIDEST_RELAY = {4: 8, 6: 16}
"""By IP version, the shortest prefix that one organisation can hold: relaying for a wider network is an open relay."""

WIDE_RELAY = {4: 16, 6: 32}
"""By IP version, the shortest prefix of public addresses that is relayed for without a remark."""

LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""Networks from which no packet of the Internet comes."""


@lru_cache(maxsize=65536)  # every connection asks it of every member
def network_of(member: str) -> Network | None:
    """The network or address that a member of a sender group is, or None if it is a name."""
    try:
        return ipaddress.ip_network(member)
    except ValueError:
        return None


def is_local(network: Network) -> bool:
    """Whether no host of it can be elsewhere on the Internet."""
    return any(
        network.version == local.version and network.subnet_of(local)  # type: ignore[arg-type]
        for local in LOCAL_NETWORKS
    )


def is_wide(network: Network, limits: dict[int, int]) -> bool:
    """Whether it holds more of the Internet than the limit for its IP version allows."""
    return network.prefixlen < limits[network.version] and not is_local(network)
