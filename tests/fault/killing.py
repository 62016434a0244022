"""Killing the processes of a running gateway, one by one or all at once, and seeing it come back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.machine import wait_until
from bench.sealgate import Installed

CHILD = "sealgate.app.child"
CHILDREN = ("worker-1", "worker-2", "control")
VICTIMS = (*CHILDREN, "supervisor", "everything")
RECOVERY = 30.0  # seconds in which what was killed must be back


class Gateway:
    """An installed gateway that is started, killed in parts or whole, and started again."""

    def __init__(self, installed: Installed, output: Path) -> None:
        self._installed, self._output = installed, output
        self._tree = installed.serve(output)

    def processes(self) -> dict[str, int]:
        """The process ids by name: `supervisor`, `control`, `worker-1` …"""
        found = {}
        for process in self._tree.members():
            with suppress(FileNotFoundError, ProcessLookupError):
                words = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
                if CHILD in words:
                    found[words[words.index(CHILD) + 1]] = process.pid
                elif "serve" in words:
                    found["supervisor"] = process.pid
        return found

    def kill(self, victim: str) -> None:
        """SIGKILL to one process or to all of them; return when the gateway is whole again."""
        before = self.processes()
        for name, pid in before.items():
            if victim in (name, "everything"):
                os.kill(pid, signal.SIGKILL)
        if victim in CHILDREN:
            wait_until(lambda: self._is_whole_without(before[victim]), RECOVERY)
        else:
            # Without their supervisor the others end by themselves, at once: nobody is left to hold a port.
            wait_until(self._tree.ended, RECOVERY)
            self._tree = self._installed.serve(self._output)
            wait_until(lambda: self._is_whole_without(0), RECOVERY)

    def _is_whole_without(self, gone: int) -> bool:
        now = self.processes()
        return gone not in now.values() and all(name in now for name in (*CHILDREN, "supervisor"))

    def stop(self) -> None:
        """The graceful end."""
        self._tree.stop()


@contextmanager
def running(installed: Installed, output: Path) -> Iterator[Gateway]:
    """The gateway for the length of a `with`, whatever happens to it there."""
    gateway = Gateway(installed, output)
    try:
        yield gateway
    finally:
        gateway.stop()
