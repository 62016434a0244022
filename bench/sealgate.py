"""Sealgate as it is installed: the command beside this Python, `init`, one `loadconfig`, `serve`.

Beyond the defaults stand only the ports, the next hop of inside.example and that TLS to it is required.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from bench.gateway import Running, wait_for_greeting
from bench.machine import Tree
from bench.traffic import running_sink
from tests.peers.ports import HOST, free_port

COMMAND = Path(sys.executable).with_name("sealgate")


@dataclass(frozen=True, slots=True)
class Installed:
    """A configured gateway that does not run yet; `port` is that of its public listener."""

    home: Path
    port: int

    def run(self, *words: str) -> str:
        """One command of this gateway; RuntimeError with what it printed when it fails."""
        return _run(self.home, *words)

    def serve(self, output: Path) -> Tree:
        """Start it, and return when it answers."""
        tree = Tree([str(COMMAND), "--home", str(self.home), "serve"], output)
        wait_for_greeting(self.port, tree, output)
        return tree


def install(home: Path, sink_port: int, workers: int = 0) -> Installed:
    """Set up a gateway that relays inside.example over TLS to 127.0.0.1:`sink_port`.

    `workers` 0 is the default, one for each core.
    """
    answers = ("--hostname", "gate.inside.example", "--domain", "inside.example")
    _run(home, "init", *answers, "--next-hop", f"{HOST}:{sink_port}")
    configuration = tomllib.loads(_run(home, "showconfig", "--secrets"))
    for listener in configuration["listeners"]:
        listener["port"] = free_port()
    configuration["gateway"]["workers"] = workers
    configuration["destinations"] = [{"domain": "inside.example", "tls": "required"}]
    file = home / "bench.toml"
    file.write_text(tomli_w.dumps(configuration))
    _run(home, "loadconfig", str(file))
    (public,) = (each["port"] for each in configuration["listeners"] if each["kind"] == "public")
    return Installed(home, public)


@contextmanager
def running_sealgate(folder: Path) -> Iterator[Running]:
    """Sealgate in `folder`, relaying inside.example over TLS to a sink of its own."""
    folder = folder / "sealgate"
    folder.mkdir()
    with running_sink(folder) as sink:
        installed = install(folder / "home", sink.port)
        tree = installed.serve(folder / "output")
        try:
            yield Running("Sealgate", installed.port, tree, sink, folder)
        finally:
            tree.stop()


def _run(home: Path, *words: str) -> str:
    command = [str(COMMAND), "--home", str(home), *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout
