"""The next hop of the fault test, `sealgate sink`: every message it said 250 to is a file in its Maildir."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway import wait_for_greeting
from bench.machine import Tree
from bench.sealgate import COMMAND
from tests.fault.message import recognise
from tests.peers.ports import free_port


@dataclass(frozen=True, slots=True)
class NextHop:
    """A running sink, and how often each message has arrived there, as far as it has been looked at."""

    port: int
    maildir: Path
    arrived: Counter[str] = field(default_factory=Counter)

    def collect(self) -> None:
        """Look at what is new, and throw it away: a long campaign must not fill the disk."""
        for path in (self.maildir / "new").iterdir():
            self.arrived[recognise(path.read_bytes())] += 1
            path.unlink()


@contextmanager
def running_next_hop(folder: Path) -> Iterator[NextHop]:
    """A sink with its Maildir in `folder`, for the length of a `with`."""
    hop = NextHop(free_port(), folder / "maildir")
    options = ("--port", str(hop.port), "--maildir", str(hop.maildir))
    output = folder / "sink-output"
    sink = Tree([str(COMMAND), "--home", str(folder), "sink", *options], output)
    try:
        wait_for_greeting(hop.port, sink, output)
        yield hop
    finally:
        sink.stop()
