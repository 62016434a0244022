"""The rulers, measured: each peer is proven on a server we know before it may judge the gateway."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from tests.peers import clients, probes, scanners, servers
from tests.peers.certificate import KeyPair
from tests.peers.leaky import leaky_server
from tests.peers.ports import free_port
from tests.peers.postfix import Postfix
from tests.peers.probes import LOWER, PROTOCOL_VERSION, Offered
from tests.peers.server import Relay, Service
from tests.peers.versions import VERSIONS, Versions

RANGES = [Versions(lowest, highest) for index, lowest in enumerate(VERSIONS) for highest in VERSIONS[index:]]
PROBES = [
    pytest.param(probes.offered_versions_openssl, marks=pytest.mark.needs("openssl"), id="openssl"),
    pytest.param(probes.offered_versions_gnutls, marks=pytest.mark.needs("gnutls-cli"), id="gnutls"),
]
SCANNERS = [
    pytest.param(scanners.sslscan, marks=pytest.mark.needs("sslscan"), id="sslscan"),
    pytest.param(
        scanners.testssl, marks=[pytest.mark.needs("testssl", "host"), pytest.mark.timeout(300)], id="testssl"
    ),
    pytest.param(scanners.sslyze, marks=pytest.mark.needs("sslyze"), id="sslyze"),
]
OPENSSL_SUITES = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"}

Probe = Callable[[int, bool], Offered]
Scanner = Callable[[int, bool], scanners.Scan]
StartPostfix = Callable[..., Postfix]


def within(versions: Versions) -> frozenset[str]:
    """The versions of the range, each by its number."""
    return frozenset(versions.all)


def refusals_of_openssl(versions: Versions) -> dict[str, str]:
    """How OpenSSL refuses what is outside its range: only TLS 1.3 says what it will not go below."""
    return {
        version: LOWER if versions.highest < version < "1.3" else PROTOCOL_VERSION
        for version in VERSIONS
        if version not in within(versions)
    }


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("versions", RANGES, ids=lambda versions: f"{versions.lowest}-{versions.highest}")
def test_a_probe_reads_an_openssl_server_right(probe: Probe, versions: Versions, peer_certificate: KeyPair) -> None:
    with servers.openssl_server(peer_certificate, versions) as port:
        assert probe(port, False) == Offered(within(versions), refusals_of_openssl(versions))


@pytest.mark.needs("gnutls-serv")
@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("versions", RANGES, ids=lambda versions: f"{versions.lowest}-{versions.highest}")
def test_a_probe_reads_a_gnutls_server_right(probe: Probe, versions: Versions, peer_certificate: KeyPair) -> None:
    with servers.gnutls_server(peer_certificate, versions) as port:
        offered = probe(port, False)
        assert offered.reached == within(versions)
        assert set(offered.refused) == set(VERSIONS) - within(versions)


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("versions", [Versions("1.0", "1.1"), Versions("1.2", "1.3"), Versions("1.1", "1.2")])
def test_a_probe_reads_starttls_right(probe: Probe, versions: Versions, postfix: StartPostfix) -> None:
    server = postfix(Service(versions=versions))
    assert probe(server.port, True) == Offered(within(versions), refusals_of_openssl(versions))


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_does_not_take_a_closed_port_for_a_refusal(probe: Probe) -> None:
    with pytest.raises(probes.ProbeError):
        probe(free_port(), False)


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_does_not_take_missing_starttls_for_a_refusal(probe: Probe, postfix: StartPostfix) -> None:
    with pytest.raises(probes.ProbeError):
        probe(postfix(Service("none")).port, True)


@pytest.mark.parametrize("scan", SCANNERS)
@pytest.mark.parametrize("versions", [Versions("1.0", "1.1"), Versions("1.2", "1.3")])
def test_a_scanner_reads_starttls_right(scan: Scanner, versions: Versions, postfix: StartPostfix) -> None:
    few = {"tls_medium_cipherlist": "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"}
    suites = OPENSSL_SUITES if versions.highest == "1.3" else set()
    found = scan(postfix(Service(versions=versions), settings=few).port, True)
    assert found.versions == within(versions)
    assert found.tls13_suites == (None if scan is scanners.testssl else suites)


@pytest.mark.parametrize("scan", SCANNERS)
def test_a_scanner_reads_implicit_tls_right(scan: Scanner, peer_certificate: KeyPair) -> None:
    one = ("-ciphersuites", "TLS_AES_128_GCM_SHA256")
    with servers.openssl_server(peer_certificate, Versions("1.3", "1.3"), *one) as port:
        found = scan(port, False)
    assert found.versions == {"1.3"}
    assert found.tls13_suites == (None if scan is scanners.testssl else {"TLS_AES_128_GCM_SHA256"})


@pytest.mark.needs("command-injection-tester")
def test_the_injection_tester_tells_a_leaky_server_from_a_sound_one(
    peer_certificate: KeyPair, postfix: StartPostfix
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(peer_certificate.certificate, peer_certificate.key)
    with leaky_server(tls) as port:
        assert scanners.takes_injected_commands(port)
    assert not scanners.takes_injected_commands(postfix().port)


@pytest.mark.needs("command-injection-tester")
def test_the_injection_tester_does_not_take_missing_starttls_for_soundness(postfix: StartPostfix) -> None:
    with pytest.raises(scanners.ScanError):
        scanners.takes_injected_commands(postfix(Service("none")).port)


def test_postfix_keeps_what_smtp_source_sends(postfix: StartPostfix) -> None:
    hop = postfix()
    sent = hop.source(hop.port, "someone@inside.example", "-m", "5", "-s", "2", "-f", "sender@outside.example")
    assert sent.returncode == 0, sent.stdout
    arrived = hop.wait_for_messages(5)
    assert {message["Delivered-To"] for message in arrived} == {"someone@inside.example"}


@pytest.mark.parametrize("version", VERSIONS)
def test_postfix_relays_with_the_version_it_is_told(version: str, postfix: StartPostfix) -> None:
    hop = postfix(Service("encrypt"))
    relay = postfix(domains=(), relay=Relay(hop.port, "encrypt", Versions(version, version)))
    relay.submit("sender@outside.example", "someone@inside.example")
    (message,) = hop.wait_for_messages(1)
    name = f"TLSv{version.removesuffix('.0')}"
    assert f"(using {name} with cipher" in message["Received"]


def test_postfix_keeps_a_message_that_the_next_hop_cannot_take(postfix: StartPostfix) -> None:
    hop = postfix(Service("encrypt", Versions("1.0", "1.2")))
    relay = postfix(domains=(), relay=Relay(hop.port, "encrypt", Versions("1.3", "1.3")))
    relay.submit("sender@outside.example", "someone@inside.example")
    assert "Cannot start TLS: handshake failure" in relay.wait_for_log("status=deferred")
    assert "someone@inside.example" in relay.queue()
    assert hop.messages() == []


@pytest.mark.parametrize(("version", "reached"), [("1.1", False), ("1.2", True)])
def test_posttls_finger_reaches_what_is_offered(version: str, reached: bool, postfix: StartPostfix) -> None:
    hop = postfix(Service(versions=Versions("1.2", "1.3")))
    said = hop.finger(hop.port, versions=Versions(version, version)).stdout
    assert (f"TLS connection established to 127.0.0.1[127.0.0.1]:{hop.port}: TLSv{version} with" in said) is reached
    assert ("SSL alert number 70" in said) is not reached


@pytest.mark.needs("swaks", "perl:Net::SSLeay")
@pytest.mark.parametrize("versions", [Versions("1.2", "1.2"), Versions("1.3", "1.3")])
def test_swaks_sends_over_tls(versions: Versions, postfix: StartPostfix) -> None:
    hop = postfix(Service("encrypt", versions))
    said = clients.swaks(hop.port, "someone@inside.example", "--tls")
    assert f"TLS started with cipher TLSv{versions.highest}:" in said.stdout
    assert said.returncode == 0
    (message,) = hop.wait_for_messages(1)
    assert "\nHello.\n" in message.as_string()
