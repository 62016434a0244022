"""What the service manager is told: sd_notify(3), without its library."""

from __future__ import annotations

import contextlib
import socket


class ServiceManager:
    """Sends state lines to $NOTIFY_SOCKET; without one it is silent. A lost line is no fault of ours."""

    def __init__(self, address: str | None) -> None:
        # A leading "@" stands for the NUL of an abstract address.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    def tell(self, *lines: str) -> None:
        """Lines such as "READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…"."""
        if self._address:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), self._address)
