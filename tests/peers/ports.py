"""Loopback ports for peers, and waiting until one answers."""

from __future__ import annotations

import contextlib
import socket
import time

HOST = "127.0.0.1"


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many of them, each another one."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


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
