"""Whether a request means this gateway: the host that it names must be one of ours.

A page of somebody else can lead its own name to the gateway's address (DNS rebinding) and would then speak to it from
a browser inside. Such a request names a host that is none of ours. An address cannot be led anywhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Set

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?")


def is_ours(host: str, names: Set[str]) -> bool:
    """Whether a Host field names an address or one of these names (lower case, `*.` for one label; any port)."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = (match["six"] or match["name"]).lower().rstrip(".")
    return _is_address(name) or name in names or f"*.{name.partition('.')[2]}" in names


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
