"""A gateway that runs, with the sink it relays to, and waiting until it does."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Tree, wait_until
from bench.traffic import Sink

PATIENCE = 60.0  # seconds for a start, on a machine that does much else


@dataclass(frozen=True, slots=True)
class Running:
    """A started gateway that relays inside.example over TLS to its own sink."""

    name: str
    port: int
    tree: Tree
    sink: Sink
    folder: Path


def wait_for_greeting(port: int, tree: Tree, output: Path) -> None:
    """Return when the program says 220; RuntimeError with what it printed when it ends or stays silent."""
    try:
        wait_until(lambda: tree.ended() or _greets(port), PATIENCE)
    except TimeoutError:
        pass
    else:
        if not tree.ended():
            return
    raise RuntimeError(f"nothing answers on port {port}; the program printed:\n{output.read_text()}")


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(3) == b"220" and connection.send(b"QUIT\r\n") > 0
    except OSError:
        return False
