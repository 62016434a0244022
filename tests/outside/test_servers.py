"""The private servers, measured: Exim, OpenSMTPD and NSD are proven on their own before the gateway meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dns.rdatatype
import dns.resolver
import pytest

from tests.peers import clients, nsd
from tests.peers.exim import Exim
from tests.peers.opensmtpd import OpenSmtpd
from tests.peers.postfix import Postfix
from tests.peers.probes import Offered, offered_versions_gnutls, offered_versions_openssl
from tests.peers.server import Relay, Service
from tests.peers.versions import VERSIONS, Versions, openssl_name

StartExim = Callable[..., Exim]
StartOpenSmtpd = Callable[..., OpenSmtpd]
StartPostfix = Callable[..., Postfix]

ZONE = """
    @      MX    20 second
    @      MX    10 first
    first  A     127.25.0.1
    second AAAA  ::1
    alias  CNAME first
    null   MX    0 .
"""


@pytest.mark.parametrize("probe", [offered_versions_openssl, offered_versions_gnutls], ids=["openssl", "gnutls"])
@pytest.mark.parametrize("versions", [Versions("1.0", "1.1"), Versions("1.2", "1.3")])
def test_exim_offers_what_it_is_told(
    exim: StartExim, versions: Versions, probe: Callable[[int, bool], Offered]
) -> None:
    assert probe(exim(Service(versions=versions)).port, True).reached == frozenset(versions.all)


@pytest.mark.parametrize("version", VERSIONS)
def test_exim_relays_with_the_version_it_is_told(exim: StartExim, postfix: StartPostfix, version: str) -> None:
    hop = postfix(Service("encrypt"))
    relay = exim(domains=(), relay=Relay(hop.port, "encrypt", Versions(version, version)))
    relay.submit("sender@outside.example", "someone@inside.example")
    (message,) = hop.wait_for_messages(1)
    assert f"(using {openssl_name(version)} with cipher" in message["Received"]


def test_exim_sends_and_takes_messages_in_chunks(exim: StartExim) -> None:
    hop = exim(Service("encrypt"))
    relay = exim(domains=(), relay=Relay(hop.port, "encrypt"))
    relay.submit("sender@outside.example", "someone@inside.example")
    hop.wait_for_messages(1)
    assert " K " in hop.wait_for_log("P=esmtps")
    plain = exim(domains=(), relay=Relay(hop.port), chunking=False)
    plain.submit("other@outside.example", "someone@inside.example")
    hop.wait_for_messages(2)
    assert " K " not in hop.wait_for_log("<= other@outside.example")


def test_exim_demands_tls_and_keeps_what_cannot_go(exim: StartExim) -> None:
    hop = exim(Service("encrypt", Versions("1.0", "1.2")))
    refused = clients.swaks(hop.port, "someone@inside.example")
    assert "Must issue a STARTTLS command first" in refused.stdout
    relay = exim(domains=(), relay=Relay(hop.port, "encrypt", Versions("1.3", "1.3")))
    relay.submit("sender@outside.example", "someone@inside.example")
    relay.wait_for_log("TLS session: (gnutls_handshake)")
    assert "someone@inside.example" in relay.queue()
    assert hop.messages() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_opensmtpd_relays_with_the_version_it_is_told(
    opensmtpd: StartOpenSmtpd, postfix: StartPostfix, version: str
) -> None:
    hop = postfix(Service("encrypt"))
    relay = opensmtpd(domains=(), relay=Relay(hop.port, "encrypt", Versions(version, version)))
    relay.submit("sender@outside.example", "someone@inside.example")
    (message,) = hop.wait_for_messages(1)
    assert f"(using {openssl_name(version)} with cipher" in message["Received"]


def test_opensmtpd_takes_mail_in_clear(opensmtpd: StartOpenSmtpd) -> None:
    hop = opensmtpd()
    said = clients.swaks(hop.port, "someone@inside.example")
    assert "STARTTLS" not in said.stdout
    (message,) = hop.wait_for_messages(1)
    assert message["Delivered-To"] == "someone@inside.example"


@pytest.mark.needs("msmtp")
@pytest.mark.parametrize("version", VERSIONS)
def test_msmtp_sends_with_the_version_it_is_told(postfix: StartPostfix, version: str) -> None:
    hop = postfix(Service("encrypt"))
    said = clients.msmtp(hop.port, "someone@inside.example", versions=Versions(version, version))
    assert said.returncode == 0, said.stdout
    (message,) = hop.wait_for_messages(1)
    assert f"(using {openssl_name(version)} with cipher" in message["Received"]


@pytest.fixture(scope="module")
def names() -> Iterator[dns.resolver.Resolver]:
    with nsd.running({"mail.example": ZONE, "25.127.in-addr.arpa": "1.0 PTR first.mail.example."}) as place:
        address, _, port = place.partition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [address], int(port)
        yield resolver


@pytest.mark.needs("nsd")
@pytest.mark.parametrize(
    ("name", "kind", "answers"),
    [
        ("mail.example", "MX", {"10 first.mail.example.", "20 second.mail.example."}),
        ("alias.mail.example", "A", {"127.25.0.1"}),
        ("second.mail.example", "AAAA", {"::1"}),
        ("null.mail.example", "MX", {"0 ."}),
        ("1.0.25.127.in-addr.arpa", "PTR", {"first.mail.example."}),
    ],
)
def test_nsd_answers_from_its_zones(names: dns.resolver.Resolver, name: str, kind: str, answers: set[str]) -> None:
    assert {record.to_text() for record in names.resolve(name, kind)} == answers


@pytest.mark.needs("nsd")
def test_nsd_tells_a_name_that_is_not_from_one_that_has_no_such_record(names: dns.resolver.Resolver) -> None:
    with pytest.raises(dns.resolver.NXDOMAIN):
        names.resolve("nobody.mail.example", "A")
    with pytest.raises(dns.resolver.NoAnswer):
        names.resolve("second.mail.example", "A")
