"""The table of next hops: the running gateway delivers to each as it says, or keeps the message as it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import require
from tests.matrix import hops
from tests.matrix.cells import Cell, fates, install
from tests.matrix.hops import RANGES, Certificates, Place, named
from tests.matrix.table import DELIVERY_LEVELS, DELIVERY_VERSIONS
from tests.peers.hop import Hop
from tests.peers.server import Service
from tests.peers.versions import Versions
from tests.running import Gateway, Settings, gateway, next_hop

Places = dict[str, dict[str, Place]]
"""Kind -> state -> place."""

FEW = [Versions("1.0", "1.0"), Versions("1.0", "1.2"), Versions("1.2", "1.3")]
ASKING = ["preferred", "preferred-verify", "required", "required-verify"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("matrix-certificates"))


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("matrix"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture(scope="module")
def of_versions(
    certificates: Certificates, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Places]:
    """A next hop of every kind for every range of versions; a few sinks are enough but in a soak."""
    valid = certificates.pairs["valid"]

    def prepare(versions: Versions) -> hops.Prepare:
        def prepared(server: Hop) -> None:
            server.tls = hops.context(valid, versions)

        return prepared

    sinks = RANGES if request.config.getoption("--soak") else FEW
    require("postfix")
    require("exim")
    with ExitStack() as stack:
        enter = stack.enter_context
        yield {
            "postfix": enter(hops.of_postfix({named(each): Service("may", each, valid) for each in RANGES})),
            "exim": enter(hops.of_exim({named(each): Service("may", each, valid) for each in RANGES})),
            "openssl": enter(hops.of_openssl({named(each): prepare(each) for each in RANGES})),
            "sink": enter(hops.of_sink(tmp_path_factory.mktemp("sinks"), sinks)),
        }


@pytest.fixture(scope="module")
def of_states(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """A next hop of every kind in every state it can be in."""
    for name in ("postfix", "exim", "opensmtpd"):
        require(name)
    with ExitStack() as stack:
        enter = stack.enter_context
        folder = tmp_path_factory.mktemp("sinks")
        bare = enter(next_hop(folder / "bare", "off"))
        yield {
            "postfix": enter(hops.of_postfix(hops.of_servers(certificates))),
            "exim": enter(hops.of_exim(hops.of_servers(certificates))),
            "openssl": enter(hops.of_openssl(hops.of_hands(certificates))),
            "opensmtpd": {"no STARTTLS": enter(hops.of_opensmtpd())},
            "sink": {"no STARTTLS": Place(bare.port, bare.messages, says=False)},
        }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every selection under `required`, and one under the other levels, which are alike; all of them in a soak."""
    if {"level", "selection"} <= set(metafunc.fixturenames):
        soak = metafunc.config.getoption("--soak")
        pairs = [(level, row) for level in ASKING for row in DELIVERY_VERSIONS.rows]
        chosen = [(level, row) for level, row in pairs if soak or level == "required" or row == "1.1-1.2"]
        metafunc.parametrize(("level", "selection"), chosen)


def test_versions(
    gate: Gateway,
    first: Settings,
    certificates: Certificates,
    of_versions: Places,
    level: str,
    selection: str,
) -> None:
    cells = {
        Cell(f"{kind} {versions} {selection} {level}", place, level): DELIVERY_VERSIONS.outcome(
            selection, versions, gnutls=kind == "exim"
        )
        for kind, places in of_versions.items()
        for versions, place in places.items()
        if (kind, level) != ("sink", "required-verify")  # its certificate is self-signed
    }
    install(gate, first, cells, selection, str(certificates.trust_file))
    found = fates(gate, cells)
    assert {name: fate.in_versions for name, fate in found.items()} == {
        cell.name: outcome for cell, outcome in cells.items()
    }


def test_levels(gate: Gateway, first: Settings, certificates: Certificates, of_states: Places) -> None:
    cells = {
        Cell(f"{kind} {state} {level}", place, level): DELIVERY_LEVELS.outcome(state, level, gnutls=kind == "exim")
        for kind, places in of_states.items()
        for state, place in places.items()
        for level in DELIVERY_LEVELS.columns
    }
    assert {state for places in of_states.values() for state in places} == set(DELIVERY_LEVELS.rows)
    install(gate, first, cells, "1.2-1.3", str(certificates.trust_file))
    found = fates(gate, cells)
    assert {cell.name: found[cell.name].in_levels(cell.level) for cell in cells} == {
        cell.name: outcome for cell, outcome in cells.items()
    }
