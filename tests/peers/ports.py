"""Loopback ports for peers, and waiting until one answers."""

from __future__ import annotations

import socket
import time

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(port: int, *, greeting: bytes = b"", within: float = 20, host: str = HOST) -> None:
    """Wait until `port` of `host` accepts a connection and, where `greeting` is given, begins with it."""
    deadline = time.monotonic() + within
    while True:
        try:
            with socket.create_connection((host, port), timeout=within) as connection:
                if not greeting or connection.recv(len(greeting)) == greeting:
                    return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing answered on {host} port {port} within {within:g} s")
        time.sleep(0.05)
