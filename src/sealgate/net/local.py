"""Whether an address is one of this machine's."""

from __future__ import annotations

import errno
import socket


def is_local(ip: str) -> bool:
    """Ask the system: only an address of its own can be bound. A doubt is a no."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return True
