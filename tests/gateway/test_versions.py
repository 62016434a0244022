"""The ten legal selections on running listeners, judged by two TLS libraries that share no code with ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection
from tests.peers.probes import LOWER, PROTOCOL_VERSION, offered_versions_gnutls, offered_versions_openssl
from tests.peers.scanners import sslscan, sslyze, takes_injected_commands, testssl
from tests.running import Gateway, gateway

pytestmark = pytest.mark.needs("openssl", "gnutls-cli")

SUITES = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("versions")) as running:
        yield running


def select(gate: Gateway, selection: Selection) -> None:
    gate.versions("inbound_smtp", *(version.number for version in selection))


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
@pytest.mark.parametrize("probe", [offered_versions_openssl, offered_versions_gnutls], ids=["openssl", "gnutls"])
def test_exactly_the_selected_versions_are_reached(gate: Gateway, selection: Selection, probe: object) -> None:
    select(gate, selection)
    position = len(gate.log())
    offered = probe(gate.ports["public"], True)  # type: ignore[operator]
    assert offered.reached == {version.number for version in selection}
    for number, answer in offered.refused.items():
        # A client that ends above the selection is answered with what there is, and goes away by itself.
        above = ProtocolVersion[f"TLS{number.replace('.', '_')}"] > selection.highest
        assert answer == PROTOCOL_VERSION or (above and answer in (LOWER, "alert 40")), (number, answer)
    for _ in offered.refused:
        line = gate.wait_for_log(r"ICID \d+ TLS failed: ", after=position)
        assert "error:" in line or "Connection" in line or "connection" in line, line
        position = gate.log().index(line, position) + len(line)


def test_a_refusal_is_logged_with_the_code_and_words_of_the_source(gate: Gateway) -> None:
    select(gate, Selection.parse("1.2"))
    position = len(gate.log())
    offered_versions_openssl(gate.ports["public"], True)
    gate.wait_for_log(
        r"Info: ICID \d+ TLS failed: \(167772418, 'error:0A000102:SSL routines:"
        r"tls_early_post_process_client_hello:unsupported protocol'\)$",
        after=position,
    )


def test_a_refusal_is_explained_by_the_number_of_its_connection(gate: Gateway) -> None:
    select(gate, Selection.parse("1.2"))
    position = len(gate.log())
    offered_versions_openssl(gate.ports["public"], True)
    line = gate.wait_for_log(r"ICID \d+ TLS failed: .*unsupported protocol", after=position)
    (icid,) = re.findall(r"ICID (\d+)", line)
    said = gate.command("handshakes", icid).stdout
    assert re.search(rf"ICID {icid} from 127.0.0.1 to listener public\n    The client offers TLS 1.[01] at most", said)
    assert "allows TLS 1.2.\n    Have the client's TLS updated" in said
    assert said.count("ICID") == 1
    assert gate.command("cli", "handshakes", icid).stdout == said
    assert json.loads(gate.command("handshakes", icid, "--json").stdout)["hello"]["suites"]
    assert "ICID" not in gate.command("handshakes", "--peer", "192.0.2.1").stdout


LISTENERS = [("public", True), ("private", True), ("private-tls", False)]


@pytest.mark.needs("sslscan", "testssl", "sslyze")
@pytest.mark.parametrize(("listener", "starttls"), LISTENERS)
@pytest.mark.parametrize("text", ["1.0-1.3", "1.1-1.2", "1.2-1.3", "1.3"])
def test_the_scanners_agree(gate: Gateway, listener: str, starttls: bool, text: str, soak: bool) -> None:
    selection = Selection.parse(text)
    select(gate, selection)
    for scan in (sslscan, sslyze, testssl) if soak or text == "1.2-1.3" else (sslscan, sslyze):
        found = scan(gate.ports[listener], starttls)
        assert found.versions == {version.number for version in selection}, scan.__name__
        suites = SUITES if ProtocolVersion.TLS1_3 in selection else set()
        assert found.tls13_suites == (None if scan is testssl else suites), scan.__name__


@pytest.mark.needs("command-injection-tester")
@pytest.mark.parametrize("listener", [name for name, starttls in LISTENERS if starttls])
def test_no_command_is_obeyed_that_came_before_tls(gate: Gateway, listener: str) -> None:
    select(gate, Selection.parse("1.2-1.3"))
    position = len(gate.log())
    assert not takes_injected_commands(gate.ports[listener])
    gate.wait_for_log("STARTTLS", after=position)
