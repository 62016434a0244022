"""What the private mail servers have in common: a folder, a port, a log, and a Maildir for all that arrives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import TypeVar

from tests.peers.certificate import KeyPair
from tests.peers.ports import HOST, free_port
from tests.peers.versions import Versions

WITHIN = 30.0

ALL = Versions()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """A port where a server takes mail: which TLS (`level` is `none`, `may` or `encrypt`) and certificate."""

    level: str = "may"
    versions: Versions = ALL
    pair: KeyPair | None = None
    port: int = field(default_factory=free_port)


@dataclass(frozen=True, slots=True)
class Relay:
    """A port of 127.0.0.1 that a server relays to: with which TLS, and the login PLAIN of which account."""

    port: int
    level: str = "may"
    versions: Versions = ALL
    implicit: bool = False
    login: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server that is running. Paths are absolute; the port, its first one, is on `address`."""

    home: Path
    port: int
    address: str = field(default=HOST, kw_only=True)

    @property
    def certificate(self) -> Path:
        """The PEM file that a client trusts to verify this server, whose name is peer.example."""
        return self.home / "peer.example.crt"

    @property
    def maildir(self) -> Path:
        """Where messages arrive."""
        return self.home / "mail/inbox"

    @property
    def log_file(self) -> Path:
        """Where its processes log."""
        return self.home / "log"

    def log(self) -> str:
        """Everything its processes have logged so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_for_log(self, text: str, *, within: float = WITHIN) -> str:
        """The first logged line with `text` in it."""

        def found() -> str | None:
            return next((line for line in self.log().splitlines() if text in line), None)

        return _wait(found, within, lambda: f"no line with {text!r} was logged, but:\n{self.log()}")

    def raw_messages(self) -> list[bytes]:
        """The messages in its Maildir as they lie there, whoever they were for, in no order."""
        return [path.read_bytes() for path in (self.maildir / "new").glob("*")]

    def messages(self) -> list[Message]:
        """The same, read."""
        return [message_from_bytes(message) for message in self.raw_messages()]

    def wait_for_messages(self, count: int = 1, *, within: float = WITHIN) -> list[Message]:
        """The messages, once there are `count` of them or more."""

        def enough() -> list[Message] | None:
            found = self.messages()
            return found if len(found) >= count else None

        return _wait(enough, within, lambda: f"{len(self.messages())} of {count} messages came:\n{self.log()}")


def _wait(what: Callable[[], T | None], within: float, why: Callable[[], str]) -> T:
    deadline = time.monotonic() + within
    while (value := what()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {why()}")
        time.sleep(0.05)
    return value
