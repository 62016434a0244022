"""Chains of certificates: intermediates are sent, and whom each service trusts."""

from __future__ import annotations

import copy
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.peers.certificate import Authority, KeyPair
from tests.peers.clients import openssl_client
from tests.peers.hop import hop
from tests.peers.ports import HOST
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import any_certificate, greeted


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("trust")) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("root"), "root.example")


@pytest.fixture(scope="module")
def middle(root: Authority, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("middle"), "middle.example", under=root)


@pytest.fixture(scope="module")
def leaf(middle: Authority) -> KeyPair:
    """Of the intermediate authority, for the gateway and for a next hop."""
    return middle.issue("leaf.example", "gate.inside.example", "hop.example", HOST)


@pytest.fixture(scope="module")
def chain(leaf: KeyPair, middle: Authority) -> Path:
    """The leaf with its intermediate behind it, as an authority delivers it."""
    path = leaf.certificate.with_suffix(".chain")
    path.write_bytes(leaf.certificate.read_bytes() + middle.certificate.read_bytes())
    return path


def profile(settings: Settings, certificate: Path, key: Path) -> Settings:
    changed = copy.deepcopy(settings)
    changed["certificates"].append({"name": "own", "certificate_file": str(certificate), "key_file": str(key)})
    return changed


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("listener", ["public", "private-tls"])
def test_a_listener_sends_its_intermediates(
    gate: Gateway, first: Settings, root: Authority, leaf: KeyPair, chain: Path, listener: str, whole: bool
) -> None:
    settings = profile(first, chain if whole else leaf.certificate, leaf.key)
    for each in settings["listeners"]:
        each["certificates"].insert(0, "own")
    gate.load(settings)
    client = openssl_client(
        gate.ports[listener],
        *("-CAfile", str(root.certificate), "-no-CApath", "-no-CAstore", "-verify_return_error"),
        *("-servername", "gate.inside.example", "-verify_hostname", "gate.inside.example"),
        starttls=listener == "public",
        stdin="QUIT\r\n",
    )
    assert ("Verify return code: 0 (ok)" in client.stdout) is whole
    assert ("unable to get local issuer certificate" in client.stdout) is not whole


@pytest.mark.parametrize(
    ("trusted", "whole", "delivered"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_delivery_trusts_its_own_authorities_through_intermediates(
    gate: Gateway,
    first: Settings,
    root: Authority,
    leaf: KeyPair,
    chain: Path,
    trusted: bool,
    whole: bool,
    delivered: bool,
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(chain if whole else leaf.certificate, leaf.key)
    with hop(tls=tls) as peer:
        settings = copy.deepcopy(first)
        domain = f"verify-{trusted}-{whole}.example".lower()
        settings["gateway"]["accepted_domains"] = [domain]
        settings["routes"] = [{"domain": domain, "hosts": [f"{HOST}:{peer.port}"]}]
        settings["destinations"] = [{"domain": domain, "tls": "required-verify", "server_name": "hop.example"}]
        if trusted:
            settings["delivery"]["trust_file"] = str(root.certificate)
        gate.load(settings)
        position = len(gate.log())
        with closing(greeted(gate.ports["public"])) as client:
            client.send(f"you@{domain}")
        if delivered:
            eventually(lambda: peer.messages)
        else:
            gate.wait_for_log(r"Delayed: DCID \d+ MID \d+ to RID 0 - 4\.7\.5", after=position)
            assert peer.messages == []


def test_delivery_shows_its_certificate_with_the_intermediates(
    gate: Gateway, first: Settings, root: Authority, leaf: KeyPair, chain: Path, peer_certificate: KeyPair
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(peer_certificate.certificate, peer_certificate.key)
    tls.load_verify_locations(root.certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    with hop(tls=tls) as peer:
        settings = profile(first, chain, leaf.key)
        settings["gateway"]["accepted_domains"] = ["shown.example"]
        settings["routes"] = [{"domain": "shown.example", "hosts": [f"{HOST}:{peer.port}"]}]
        settings["delivery"].update(tls="required", certificate="own")
        gate.load(settings)
        with closing(greeted(gate.ports["public"])) as client:
            client.send("you@shown.example")
        eventually(lambda: peer.messages)
        assert peer.visits[0].certificate == ssl.PEM_cert_to_DER_cert(leaf.certificate.read_text())


def test_a_client_certificate_may_come_through_an_intermediate(
    gate: Gateway, first: Settings, root: Authority, leaf: KeyPair, chain: Path
) -> None:
    settings = copy.deepcopy(first)
    settings["listeners"][1].update(client_certificate="require", client_trust_file=str(root.certificate))
    gate.load(settings)
    for certificate, welcome in ((chain, True), (leaf.certificate, False)):
        context = any_certificate()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # the verdict comes within the handshake
        context.load_cert_chain(certificate, leaf.key)
        with closing(greeted(gate.ports["private"])) as client:
            try:
                client.start_tls(context)
                answer = client.say("EHLO me.example")
            except (ssl.SSLError, ConnectionResetError):
                answer = ""
            assert answer.startswith("250") is welcome
