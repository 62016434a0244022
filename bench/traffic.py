"""The senders and the next hop: two small C programs (native/), built, run and read here.

They are C so that the gateway is measured and not they: with a full TLS 1.3 handshake for each message
both together take about 1.5 ms of CPU per message, and next to nothing when a connection carries twenty.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import ROOT, read_process

SOURCES = Path(__file__).resolve().parent / "native"
BUILD = ROOT / ".peers" / "bench"
COMPILE = ("cc", "-O2", "-Wall", "-Wextra", "-Werror")
LIBRARIES = ("-lssl", "-lcrypto", "-lpthread")
RECIPIENT = "someone@inside.example"


def build() -> None:
    """Compile what is older than its sources."""
    BUILD.mkdir(parents=True, exist_ok=True)
    if not shutil.which("cc") or not Path("/usr/include/openssl/ssl.h").exists():
        sys.exit("The load generator is C: gcc and libssl-dev are missing; as root, `tools/setup test` installs them.")
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    for name in ("load", "sink"):
        program = BUILD / name
        if not program.exists() or program.stat().st_mtime < newest:
            source = str(SOURCES / f"{name}.c")
            subprocess.run([*COMPILE, "-o", str(program), source, *LIBRARIES], check=True)


@dataclass(frozen=True, slots=True)
class Load:
    """What the senders are to do; sizes in bytes of body, one recipient each, TLS 1.3."""

    sessions: int
    messages: int = 1
    connections: int = 16
    size: int = 4096
    together: bool = False

    @property
    def total(self) -> int:
        return self.sessions * self.messages


@dataclass(frozen=True, slots=True)
class Sent:
    """What the senders saw: for each acknowledged id the seconds at MAIL FROM and at the 250."""

    messages: dict[str, tuple[float, float]]
    errors: tuple[str, ...]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message at the next hop: bytes of its body, and when."""

    size: int
    at: float


@dataclass(slots=True)
class Sink:
    """The next hop, a process of its own that writes down every message before it says 250."""

    port: int
    pid: int
    _file: Path
    _read: int = 0
    _arrivals: dict[str, list[Arrival]] = field(default_factory=dict)

    def arrivals(self) -> dict[str, list[Arrival]]:
        """Everything that has arrived since the sink began, by Message-ID; more than one is a duplicate."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            news = file.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode("ascii", "replace").splitlines():
            message_id, size, at = line.split()
            self._arrivals.setdefault(message_id, []).append(Arrival(int(size), float(at)))
        return self._arrivals

    def cpu_seconds(self) -> float:
        process = read_process(self.pid)
        return process.own if process else 0.0


@contextmanager
def running_sink(folder: Path) -> Iterator[Sink]:
    """A sink on a free port of the loopback for as long as the block lasts."""
    file = folder / "arrived"
    file.unlink(missing_ok=True)
    process = subprocess.Popen([str(BUILD / "sink"), "0", str(file)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Sink(int(process.stdout.readline()), process.pid, file)
    finally:
        process.kill()
        process.communicate()


def send(load: Load, port: int, name: str, folder: Path, tick: Callable[[], None] = lambda: None) -> Sent:
    """Run the senders to their end; `tick` is called ten times a second meanwhile."""
    command = [str(BUILD / "load"), "-p", str(port), "-n", name, "-r", RECIPIENT, "-s", str(load.sessions)]
    command += ["-m", str(load.messages), "-c", str(load.connections), "-l", str(load.size)]
    command += ["-t"] * load.together
    output = folder / "sent"
    with output.open("wb") as file:
        to_file = [(os.POSIX_SPAWN_DUP2, file.fileno(), 1)]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=to_file)
    while not (ended := os.wait4(pid, os.WNOHANG))[0]:
        tick()
        time.sleep(0.1)
    usage = ended[2]
    return _read_sent(output.read_text(), usage.ru_utime + usage.ru_stime)


def _read_sent(text: str, cpu_seconds: float) -> Sent:
    messages: dict[str, tuple[float, float]] = {}
    errors = []
    for line in text.splitlines():
        first, _, rest = line.partition(" ")
        if first == "error":
            errors.append(rest)
        else:
            begun, acknowledged = rest.split()
            messages[first] = float(begun), float(acknowledged)
    return Sent(messages, tuple(errors), cpu_seconds)
