"""Every kind of next hop in every state of the matrix, each on a port of its own, and what arrived there."""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import exim, opensmtpd, postfix
from tests.peers.certificate import Authority, KeyPair, self_signed
from tests.peers.hop import Hop, hop
from tests.peers.server import MailServer, Service
from tests.peers.versions import VERSIONS, Versions
from tests.running import NextHop, next_hop

RANGES = [Versions(lowest, highest) for index, lowest in enumerate(VERSIONS) for highest in VERSIONS[index:]]
CLEAR = "clear"
UNSAID = "over what it does not say"

Arrivals = Callable[[], list[bytes]]
Prepare = Callable[[Hop], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A port of 127.0.0.1 that takes mail, and all messages that its server has taken, at this port or another."""

    port: int
    arrivals: Arrivals
    says: bool = True
    """Whether its server notes over what a message came."""

    def arrived(self, mark: str) -> str | None:
        """Over what the message with this mark came: a TLS version as "1.2", `clear`, or None if it is not here."""
        found = [message for message in self.arrivals() if mark.encode() in message]
        assert len(found) < 2, f"{mark} came {len(found)} times"
        if not found:
            return None
        return _protocol(found[0]) if self.says else UNSAID


def _protocol(message: bytes) -> str:
    """What the server says in the field it has put on top: Postfix, Exim, or one of ours (X-Over)."""
    head = re.sub(r"\r?\n[ \t]+", " ", message.decode("ascii", "replace"))
    received = next(line for line in head.splitlines() if line.startswith(("Received:", "X-Over:")))
    match = re.search(r"using TLSv(1(?:\.\d)?) with|\(TLS(1\.\d)\)|X-Over: TLSv(1(?:\.\d)?)$", received)
    if match is None:
        return CLEAR
    number = next(group for group in match.groups() if group)
    return "1.0" if number == "1" else number


def named(versions: Versions) -> str:
    """As the table names a range."""
    return versions.lowest if versions.lowest == versions.highest else f"{versions.lowest}-{versions.highest}"


class Certificates:
    """The certificates of the matrix, and the file of the authorities that the gateway is told to trust."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self.trust_file = authority.certificate
        self.pairs: dict[str, KeyPair] = {
            "valid": authority.issue("hop.matrix.example", "*.matrix.example", "127.0.0.1"),
            "another name": authority.issue("elsewhere.example"),
            "expired": authority.issue("late.matrix.example", "*.matrix.example", "127.0.0.1", expired=True),
            "self-signed": self_signed(folder, "stranger.example"),
        }


def context(pair: KeyPair, versions: Versions) -> ssl.SSLContext:
    """OpenSSL as a server of these versions alone."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0 and 1.1, which are wanted here
        tls.minimum_version, tls.maximum_version = _version(versions.lowest), _version(versions.highest)
    return tls


def _version(number: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[f"TLSv{number.replace('.', '_').removesuffix('_0')}"]


@contextmanager
def of_postfix(services: dict[str, Service]) -> Iterator[dict[str, Place]]:
    """One Postfix, with a port for each of the states."""
    everything = {"virtual_mailbox_domains": "static:all"}
    with postfix.running(*services.values(), settings=everything) as server:
        yield _places(server, services)


@contextmanager
def of_exim(services: dict[str, Service]) -> Iterator[dict[str, Place]]:
    """One Exim, with a port for each of the states."""
    with exim.running(*services.values(), domains=("*.matrix.example",)) as server:
        yield _places(server, services)


def _places(server: MailServer, services: dict[str, Service]) -> dict[str, Place]:
    return {name: Place(service.port, server.raw_messages) for name, service in services.items()}


@contextmanager
def of_opensmtpd() -> Iterator[Place]:
    """An OpenSMTPD, which offers no STARTTLS."""
    with opensmtpd.running(domains=("*.matrix.example",)) as server:
        yield Place(server.port, server.raw_messages)


@contextmanager
def of_openssl(states: dict[str, Prepare]) -> Iterator[dict[str, Place]]:
    """Hops led by hand, whose TLS is OpenSSL's; each is prepared by a function."""
    with ExitStack() as stack:
        places = {}
        for name, prepare in states.items():
            server = stack.enter_context(hop())
            prepare(server)
            places[name] = Place(server.port, _marked(server))
        yield places


def _marked(server: Hop) -> Arrivals:
    def arrivals() -> list[bytes]:
        return [
            f"X-Over: {visit.version}\r\n".encode() + message for visit in server.visits for message in visit.messages
        ]

    return arrivals


@contextmanager
def of_sink(folder: Path, ranges: Sequence[Versions]) -> Iterator[dict[str, Place]]:
    """`sealgate sink` at these versions."""
    with ExitStack() as stack:
        places = {}
        for versions in ranges:
            server: NextHop = stack.enter_context(next_hop(folder / named(versions), named(versions)))
            places[named(versions)] = Place(server.port, server.messages, says=False)
        yield places


CERTIFICATES = {
    "certificate valid": "valid",
    "certificate for another name": "another name",
    "certificate expired": "expired",
    "certificate self-signed": "self-signed",
}
BY_HAND: dict[str, Prepare] = {
    "no STARTTLS": lambda server: None,
    "454 to STARTTLS": lambda server: server.answers.update(STARTTLS="454 4.7.0 TLS not available now"),
    "502 to STARTTLS": lambda server: server.answers.update(STARTTLS="502 5.5.1 no such command"),
    "hangs up after its 220": lambda server: setattr(server, "instead_of_tls", b""),
    "no TLS after its 220": lambda server: setattr(server, "instead_of_tls", b"250 hop.example at your service\r\n"),
    "data behind its 220": lambda server: server.answers.update(STARTTLS="220 go ahead\r\n250 and more"),
}
OLD = Versions("1.0", "1.1")


def of_servers(certificates: Certificates) -> dict[str, Service]:
    """The states that a whole mail server can be in."""
    known = {state: Service(pair=certificates.pairs[name]) for state, name in CERTIFICATES.items()}
    valid = certificates.pairs["valid"]
    return {
        **known,
        "no version in common": Service(versions=OLD, pair=valid),
        "no STARTTLS": Service("none"),
        "TLS demanded": Service("encrypt", pair=valid),
    }


def of_hands(certificates: Certificates) -> dict[str, Prepare]:
    """The states that a hop led by hand can be in."""

    def secured(name: str, versions: Versions) -> Prepare:
        return lambda server: setattr(server, "tls", context(certificates.pairs[name], versions))

    known = {state: secured(name, Versions("1.2", "1.3")) for state, name in CERTIFICATES.items()}
    return {**known, "no version in common": secured("valid", OLD), **BY_HAND}
