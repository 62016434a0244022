"""Real gateways for tests: an installed command, its own home, free ports on loopback."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import tomli_w

from sealgate.app.main import main
from tests.peers.ports import HOST, free_port, free_ports, wait_for

COMMAND = str(Path(sys.executable).with_name("sealgate"))
PATIENCE = 30.0

Settings = dict[str, Any]


def eventually(what: Callable[[], Any], *, within: float = PATIENCE, why: Callable[[], str] = str) -> Any:
    """The first true value of `what`; AssertionError with `why` if there is none in time."""
    end = time.monotonic() + within
    while not (value := what()):
        assert time.monotonic() < end, f"not within {within:g} s: {why()}"
        time.sleep(0.02)
    return value


class Gateway:
    """One gateway: its home, its ports, its process."""

    def __init__(self, home: Path, *flags: str, next_hop: int | None = None, workers: int = 1) -> None:
        self.home = home
        hop = ("--next-hop", f"{HOST}:{next_hop}") if next_hop else ("--next-hop", f"{HOST}:1")
        names = ("--hostname", "gate.inside.example", "--domain", "inside.example")
        self.made = self.command("init", *names, *hop, *flags, "--force").stdout
        """What init said."""
        self.ports: dict[str, int] = {}
        self.gui_ports = (0, 0)
        self._process: subprocess.Popen[bytes] | None = None

        def first(settings: Settings) -> None:
            settings["gateway"]["workers"] = workers
            classic, ngui, *others = free_ports(2 + len(settings["listeners"]))
            self.gui_ports = settings["gui"]["port"], settings["gui"]["ngui_port"] = classic, ngui
            for listener, port in zip(settings["listeners"], others, strict=True):
                self.ports[listener["name"]] = listener["port"] = port

        self.configure(first)

    def command(self, *words: str, check: bool = True, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """`sealgate --home HOME words`, its standard input `text`.

        It runs inside this process: a Python of its own would cost most of a second each time.
        """
        arguments = ["--home", str(self.home), *words]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", io.StringIO(text or "")):
            try:
                status = main(arguments)
            except SystemExit as refused:  # words that the parser does not know
                status = int(str(refused.code))
        done = subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())
        assert not check or done.returncode == 0, f"sealgate {' '.join(words)}: {done.stderr or done.stdout}"
        return done

    def settings(self) -> Settings:
        """The stored configuration with its secrets."""
        return tomllib.loads(self.command("showconfig", "--secrets").stdout)

    def configure(self, change: Callable[[Settings], None]) -> None:
        """Change settings; a running gateway goes on with them."""
        settings = self.settings()
        change(settings)
        self.load(settings)

    def load(self, settings: Settings) -> None:
        """Put these settings into force, all of them."""
        self.command("loadconfig", "-", text=tomli_w.dumps(settings))

    def versions(self, service: str, *versions: str) -> None:
        """Select the TLS versions of a service."""
        self.configure(lambda settings: settings["tls"][service].update(versions=list(versions)))

    def serve(self) -> subprocess.Popen[bytes]:
        """Its process, just begun."""
        with (self.home / "output").open("ab") as output:
            words = [COMMAND, "--home", str(self.home), "serve"]
            self._process = subprocess.Popen(words, stdout=output, stderr=output)
        return self._process

    def start(self) -> Gateway:
        """Serve, and return when the gateway answers."""
        position = len(self.log())
        self.serve()
        self.wait_for_log("Gateway started", after=position)
        for name, port in self.ports.items():
            wait_for(port, greeting=b"" if name == "private-tls" else b"220")
        return self

    def stop(self) -> int:
        """The orderly end; its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(60)
        finally:
            self._process.kill()
            self._process = None

    def wait(self) -> int:
        """The exit status of a gateway that ends by itself."""
        assert self._process is not None
        return self._process.wait(60)

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """The whole mail log."""
        path = self.home / "logs" / "mail.log"
        return path.read_text() if path.exists() else ""

    def wait_for_log(self, pattern: str, *, within: float = PATIENCE, after: int = 0) -> str:
        """The first line behind position `after` that has the pattern."""
        regex = re.compile(f"^.*{pattern}.*$", re.MULTILINE)

        def found() -> str | None:
            match = regex.search(self.log(), after)
            return match and match[0]

        line: str = eventually(found, within=within, why=lambda: f"no line with {pattern!r} in:\n{self.log()[-4000:]}")
        return line

    def children(self) -> dict[str, int]:
        """Process ids by the name of the child, as `sealgate status` tells."""
        lines = self.command("status", check=False).stdout.splitlines()
        return {line.split()[0]: int(match[1]) for line in lines if (match := re.search(r"process (\d+)", line))}


@contextmanager
def gateway(home: Path, *flags: str, next_hop: int | None = None, workers: int = 1) -> Iterator[Gateway]:
    """A gateway that runs."""
    running = Gateway(home, *flags, next_hop=next_hop, workers=workers)
    try:
        yield running.start()
    finally:
        running.stop()


class NextHop:
    """`sealgate sink` as the next hop, with the versions one wants."""

    def __init__(self, folder: Path, versions: str = "1.2-1.3", port: int | None = None) -> None:
        self.maildir = folder / "maildir"
        self.port = port or free_port()
        words = ["sink", "--port", str(self.port), "--tls", versions, "--maildir", str(self.maildir)]
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [COMMAND, "--home", str(folder), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.port, greeting=b"220")

    def messages(self) -> list[bytes]:
        """Everything that has arrived."""
        return [path.read_bytes() for path in sorted((self.maildir / "new").iterdir())]

    def wait_for_messages(self, count: int = 1) -> list[bytes]:
        """At least so many of them."""
        found: list[bytes] = eventually(lambda: len(self.messages()) >= count and self.messages())
        return found

    def stop(self) -> None:
        """The end."""
        self._process.kill()
        self._process.wait()


@contextmanager
def next_hop(folder: Path, versions: str = "1.2-1.3", port: int | None = None) -> Iterator[NextHop]:
    """A next hop that runs."""
    running = NextHop(folder, versions, port)
    try:
        yield running
    finally:
        running.stop()
