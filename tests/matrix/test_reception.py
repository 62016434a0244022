"""The table of clients: each reaches the running gateway over the version the table says, or is refused as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sealgate.event.facts import TlsFailed, Way
from sealgate.journal.tail import records
from tests.conftest import require
from tests.matrix import senders
from tests.matrix.cells import versions_of
from tests.matrix.hops import CLEAR, named
from tests.matrix.senders import MODES, Sender
from tests.matrix.table import RECEPTION_DEMANDS, RECEPTION_VERSIONS
from tests.peers.hop import Hop, hop
from tests.peers.ports import free_port
from tests.peers.versions import VERSIONS, Versions
from tests.running import Gateway, Settings, eventually, gateway

ALONE = [Versions(version, version) for version in VERSIONS]
OFFERED = {named(each): each for each in (*ALONE, Versions())}
BY_TLS = ("STARTTLS", "implicit TLS")
KINDS = ("swaks", "msmtp", "postfix", "exim", "opensmtpd", "sealgate")
FEW = ("1.0", "1.1-1.2", "1.3")
"""Selections that `make test` tries; OpenSMTPD, which is started for each cell, with the second alone."""

SILENT = ("clear", "TLS if offered", "STARTTLS")
PATIENT = ("swaks", "msmtp")
"""Clients that are let wait for a greeting that does not come; mail servers wait for minutes."""

PORTS = {listener: free_port() for listener in ("off", "preferred", "required", "implicit")}
LISTENER = {"STARTTLS": "preferred", "implicit TLS": "implicit"}
WAYS = {
    **{(mode, each): senders.Way(PORTS[LISTENER[mode]], mode, OFFERED[each]) for mode in BY_TLS for each in OFFERED},
    **{(listener, mode): senders.Way(PORTS[listener], mode, Versions()) for listener in PORTS for mode in MODES},
}


@pytest.fixture(scope="module")
def arrivals() -> Iterator[Hop]:
    """Where the gateway delivers what it has taken."""
    with hop() as running:
        yield running


@pytest.fixture(scope="module")
def gate(arrivals: Hop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with one listener for each row of the table."""

    def listeners(settings: Settings) -> None:
        common = {"addresses": ["127.0.0.1"], "certificates": settings["listeners"][0]["certificates"]}
        settings["listeners"] += [
            {"name": f"at-{name}", "port": port, "kind": "public", "tls": name, **common}
            if name != "implicit"
            else {"name": "at-implicit", "port": port, "kind": "public", "implicit_tls": True, **common}
            for name, port in PORTS.items()
        ]
        settings["gateway"]["accepted_domains"] = [".inside.example"]
        settings["delivery"]["tls"] = "no"
        settings["limits"] = {"handshake_timeout": 1.0}
        settings["routes"] = [{"domain": "*", "hosts": [f"127.0.0.1:{arrivals.port}"]}]

    with gateway(tmp_path_factory.mktemp("reception"), workers=2) as running:
        running.configure(listeners)
        yield running


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sender]]:
    """Every kind of client."""
    for name in ("swaks", "perl:Net::SSLeay", "msmtp", "postfix", "exim", "opensmtpd"):
        require(name)
    ways = list(dict.fromkeys(WAYS.values()))
    with ExitStack() as stack:
        yield {
            "swaks": senders.Swaks(),
            "msmtp": senders.Msmtp(),
            "postfix": stack.enter_context(senders.of_postfix(ways)),
            "exim": stack.enter_context(senders.of_exim(ways)),
            "opensmtpd": senders.OpenSmtpd(),
            "sealgate": senders.Sealgate(
                stack.enter_context(gateway(tmp_path_factory.mktemp("sealgate-as-client"), workers=1))
            ),
        }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All cells in a soak, a representative part otherwise."""
    soak = metafunc.config.getoption("--soak")
    if "selection" in metafunc.fixturenames:
        pairs = [(kind, row) for kind in KINDS for row in RECEPTION_VERSIONS.rows]
        few = [pair for pair in pairs if pair[1] in (FEW if pair[0] != "opensmtpd" else FEW[1:2])]
        metafunc.parametrize(("kind", "selection"), pairs if soak else few)


def test_versions(gate: Gateway, arrivals: Hop, kinds: dict[str, Sender], kind: str, selection: str) -> None:
    gate.versions("inbound_smtp", *versions_of(selection))
    modes = BY_TLS if kind != "sealgate" else BY_TLS[:1]
    found, expected = {}, {}
    for mode in modes:
        for offered in OFFERED:
            name = f"{kind}-{selection.replace('.', '')}"
            found[mode, offered] = _outcome(gate, arrivals, kinds[kind], WAYS[mode, offered], name)
            expected[mode, offered] = RECEPTION_VERSIONS.outcome(selection, offered)
    assert found == expected


@pytest.mark.parametrize("kind", KINDS)
def test_demands(gate: Gateway, arrivals: Hop, kinds: dict[str, Sender], kind: str) -> None:
    gate.versions("inbound_smtp", "1.2", "1.3")
    sender = kinds[kind]
    found, expected = {}, {}
    for listener in RECEPTION_DEMANDS.rows:
        for mode in RECEPTION_DEMANDS.columns:
            if mode not in sender.modes or (listener == "implicit" and mode in SILENT and kind not in PATIENT):
                continue
            expected[listener, mode] = outcome = RECEPTION_DEMANDS.outcome(listener, mode)
            found[listener, mode] = _demanded(arrivals, sender, WAYS[listener, mode], kind, outcome)
    assert found == expected


def _demanded(arrivals: Hop, sender: Sender, way: senders.Way, name: str, expected: str) -> str:
    """What came of it; a client that could not begin is taken at its word that it could not."""
    said = sender.send(way, name)
    if said is None:
        over = _over(arrivals, f"{name}@{way.domain}")
        return CLEAR if over == CLEAR else "TLS"
    assert not any(f"{name}@{way.domain}".encode() in message for message in arrivals.messages)
    if "Must issue a STARTTLS command first" in said:
        return "530"
    return expected if expected.startswith("no ") else said


def _outcome(gate: Gateway, arrivals: Hop, sender: Sender, way: senders.Way, name: str) -> str:
    """A version, `refused` or `leaves`, as gateway, client and next hop together see it."""
    before = len(_failures(gate))
    answer = sender.send(way, name)
    if answer is None:
        return _over(arrivals, f"{name}@{way.domain}")
    failures = eventually(lambda: _failures(gate)[before:], why=lambda: f"{name} {way}: no failed handshake, {answer}")
    said = {failure.failure.text for failure in failures}
    assert not any(f"{name}@{way.domain}".encode() in message for message in arrivals.messages)
    return "refused" if said == {"unsupported protocol"} else "leaves"


def _failures(gate: Gateway) -> list[TlsFailed]:
    events = [record.event for record in records(gate.home / "logs")]
    return [event for event in events if isinstance(event, TlsFailed) and event.way is Way.IN]


def _over(arrivals: Hop, recipient: str) -> str:
    """Over what the gateway says it has taken the one message for this recipient."""

    def arrived() -> list[bytes]:
        return [message for message in arrivals.messages if f"for <{recipient}>".encode() in message]

    (message,) = eventually(arrived, why=lambda: f"nothing came for {recipient}")
    received = re.sub(r"\r\n[ \t]+", " ", message.decode("ascii", "replace")).splitlines()[0]
    match = re.search(r" with ESMTPS \(TLSv(1(?:\.\d)?) cipher", received)
    if match is None:
        assert " with ESMTP id " in received, received
        return CLEAR
    return "1.0" if match[1] == "1" else match[1]
