"""Every kind of client of the matrix, each of which sends one message to the gateway in the way it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from tests.matrix.cells import Fate, fates_of, submit
from tests.matrix.table import DELIVERY_WORDS
from tests.peers import clients, exim, opensmtpd, postfix
from tests.peers.server import Relay
from tests.peers.versions import Versions
from tests.running import Gateway, eventually

FROM = "sender@outside.example"
PATIENCE = 30.0

MODES = {"clear": "none", "TLS if offered": "may", "STARTTLS": "encrypt", "implicit TLS": "encrypt"}
"""The modes a client can be in, and what a mail server that relays calls them."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a client is to send: where, in which mode, with which versions."""

    port: int
    mode: str
    versions: Versions

    @property
    def domain(self) -> str:
        """A domain of the gateway's, by which a mail server knows this way."""
        mode = "".join(char if char.isalnum() else "-" for char in self.mode.lower())
        return (
            f"{mode}-{self.versions.lowest}-{self.versions.highest}-{self.port}".replace(".", "-") + ".inside.example"
        )

    @property
    def relay(self) -> Relay:
        """The same for a mail server."""
        return Relay(self.port, MODES[self.mode], self.versions, implicit=self.mode == "implicit TLS")


class Sender(Protocol):
    """A kind of client, and the modes it can be in."""

    @property
    def modes(self) -> Collection[str]: ...

    def send(self, way: Way, name: str) -> str | None:
        """Send a message to NAME at the domain of this way; None if it was taken, else what the client says."""
        ...


class Swaks:
    """Perl's Net::SSLeay: OpenSSL."""

    OPTIONS: Mapping[str, Sequence[str]] = {
        "clear": (),
        "TLS if offered": ("--tls-optional-strict",),
        "STARTTLS": ("--tls",),
        "implicit TLS": ("--tlsc",),
    }
    modes = OPTIONS.keys()

    def send(self, way: Way, name: str) -> str | None:
        options = list(self.OPTIONS[way.mode])
        if options:
            numbers = [f"tlsv{number.replace('.', '_').removesuffix('_0')}" for number in way.versions.all]
            options += ["--tls-protocol", ",".join(numbers), "--tls-cipher", "ALL:@SECLEVEL=0"]
        said = clients.swaks(way.port, f"{name}@{way.domain}", "--timeout", "10", *options)
        return said.stdout if said.returncode else None


class Msmtp:
    """GnuTLS. It has no opportunistic mode."""

    TLS: Mapping[str, str] = {"clear": "off", "STARTTLS": "starttls", "implicit TLS": "implicit"}
    modes = TLS.keys()

    def send(self, way: Way, name: str) -> str | None:
        said = clients.msmtp(way.port, f"{name}@{way.domain}", tls=self.TLS[way.mode], versions=way.versions)
        return said.stdout if said.returncode else None


class Postfix:
    """OpenSSL, in a mail server."""

    modes = MODES.keys()

    def __init__(self, server: postfix.Postfix) -> None:
        self._server = server

    def send(self, way: Way, name: str) -> str | None:
        recipient = f"{name}@{way.domain}"
        self._server.submit(FROM, recipient)
        line = _logged(self._server.log, lambda line: f"to=<{recipient}>" in line and "status=" in line)
        return None if "status=sent" in line else line


class Exim:
    """GnuTLS, in a mail server."""

    modes = MODES.keys()

    def __init__(self, server: exim.Exim) -> None:
        self._server = server

    def send(self, way: Way, name: str) -> str | None:
        recipient = f"{name}@{way.domain}"
        self._server.submit(FROM, recipient)
        line = _logged(
            self._server.log, lambda line: any(f" {sign} {recipient} " in line for sign in ("=>", "==", "**"))
        )
        self._server.forget()
        return None if f"=> {recipient}" in line else line


class OpenSmtpd:
    """OpenSSL, in a third mail server; each way has one of its own, for its versions belong to the whole server."""

    modes = MODES.keys()

    def send(self, way: Way, name: str) -> str | None:
        recipient = f"{name}@{way.domain}"
        with opensmtpd.running(relay=way.relay, domains=()) as server:
            server.submit(FROM, recipient)
            ends = ("mta delivery ", "mta error reason=", "mta disconnected reason=")
            line = _logged(server.log, lambda line: any(end in line for end in ends))
        return None if 'result="Ok"' in line else line


class Sealgate:
    """This gateway's own client: OpenSSL. It delivers by STARTTLS alone."""

    LEVELS: Mapping[str, str] = {"clear": "no", "TLS if offered": "preferred", "STARTTLS": "required"}
    modes = LEVELS.keys()

    def __init__(self, gate: Gateway) -> None:
        self._gate = gate
        self._first = gate.settings()

    def send(self, way: Way, name: str) -> str | None:
        settings = {**self._first}
        settings["gateway"] = {**settings["gateway"], "accepted_domains": [".inside.example"]}
        settings["delivery"] = {"tls": self.LEVELS[way.mode], "retry_first": 3600.0, "retry_max": 7200.0}
        settings["routes"] = [{"domain": way.domain, "hosts": [f"127.0.0.1:{way.port}"]}]
        settings["tls"] = {**settings["tls"], "outbound_smtp": {"versions": list(way.versions.all)}}
        self._gate.load(settings)
        mid = submit(self._gate, f"{name}@{way.domain}", "Subject: a test")
        fate: Fate = eventually(lambda: fates_of(self._gate, {mid}).get(mid), why=lambda: f"{name}: no fate")
        return None if fate.over else DELIVERY_WORDS.get(fate.reason, fate.reason)


def _logged(log: Callable[[], str], wanted: Callable[[str], bool]) -> str:
    """The first such line of the log."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if line := next((line for line in log().splitlines() if wanted(line)), ""):
            return line
        time.sleep(0.02)
    raise TimeoutError(log())


@contextmanager
def of_postfix(ways: Sequence[Way]) -> Iterator[Sender]:
    """One Postfix, which knows these ways."""
    # A port that could not be used is asked again at once by the next message; what failed is not tried again.
    settings = {"default_destination_concurrency_failed_cohort_limit": "0", "minimal_backoff_time": "1h"}
    with postfix.running(domains=(), relays=_relays(ways), settings=settings) as server:
        yield Postfix(server)


@contextmanager
def of_exim(ways: Sequence[Way]) -> Iterator[Sender]:
    """One Exim, which knows these ways."""
    with exim.running(domains=(), relays=_relays(ways)) as server:
        yield Exim(server)


def _relays(ways: Sequence[Way]) -> dict[str, Relay]:
    return {way.domain: way.relay for way in ways}
