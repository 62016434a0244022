"""The names of hosts: what DNS says, what is remembered, and that nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sealgate.mail.host import NAMELESS, PeerName
from sealgate.net import names
from sealgate.net.dns import MailResolver
from sealgate.net.names import HostNames
from tests.peers.dns import NameServer, Zone, name_server

ZONE: Zone = {
    ("1.2.0.192.in-addr.arpa", "PTR"): ["mail.example."],
    ("mail.example", "A"): ["192.0.2.9", "192.0.2.1"],
    ("2.2.0.192.in-addr.arpa", "PTR"): ["bank.example."],  # whoever owns an address can claim any name
    ("bank.example", "A"): ["192.0.2.200"],
    ("3.2.0.192.in-addr.arpa", "PTR"): ["gone.example.", "Second.Example."],
    ("second.example", "A"): ["192.0.2.3"],
    ("4.2.0.192.in-addr.arpa", "PTR"): "SERVFAIL",
    ("5.2.0.192.in-addr.arpa", "PTR"): ["flaky.example."],
    ("flaky.example", "A"): "SERVFAIL",
    ("6.2.0.192.in-addr.arpa", "PTR"): "silence",
    ("7.2.0.192.in-addr.arpa", "PTR"): [r"mail\.partner.example."],
    (r"mail\.partner.example", "A"): ["192.0.2.7"],  # a label of one's own with a dot in it
    ("8.2.0.192.in-addr.arpa", "PTR"): [r"trap\.."],
    ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR"): ["six.example."],
    ("six.example", "AAAA"): ["2001:db8::1"],
}


@pytest.fixture
def server() -> Iterator[NameServer]:
    with name_server(ZONE) as running:
        yield running


async def asked(hosts: HostNames, ip: str) -> PeerName:
    told: asyncio.Future[PeerName] = asyncio.get_running_loop().create_future()
    hosts.ask(ip, told.set_result)
    assert not told.done()
    return await told


def hosts_of(server: NameServer, patience: float = 5.0) -> HostNames:
    resolver = MailResolver([server.place], patience)
    return HostNames(lambda: (resolver, patience))


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("192.0.2.1", PeerName("mail.example", verified=True)),
        ("::ffff:192.0.2.1", PeerName("mail.example", verified=True)),
        ("192.0.2.2", PeerName("bank.example")),
        ("192.0.2.3", PeerName("second.example", verified=True)),
        ("192.0.2.4", PeerName(unsure=True)),
        ("192.0.2.5", PeerName("flaky.example", unsure=True)),
        ("192.0.2.7", PeerName(r"mail\.partner.example")),
        ("192.0.2.8", PeerName("trap\\")),
        ("192.0.2.77", NAMELESS),
        ("2001:db8::1", PeerName("six.example", verified=True)),
    ],
)
async def test_a_name_counts_when_it_leads_back(server: NameServer, ip: str, name: PeerName) -> None:
    hosts = hosts_of(server)
    assert hosts.known(ip) is None
    assert await asked(hosts, ip) == name
    assert hosts.known(ip) == name


async def test_a_server_that_says_nothing_is_given_up_and_not_asked_again_at_once(server: NameServer) -> None:
    hosts = hosts_of(server, patience=0.2)
    assert await asked(hosts, "192.0.2.6") == PeerName(unsure=True)
    assert hosts.known("192.0.2.6") == PeerName(unsure=True)


async def test_many_who_ask_for_one_host_are_one_question(server: NameServer) -> None:
    hosts = hosts_of(server)
    assert set(await asyncio.gather(*(asked(hosts, "192.0.2.1") for _ in range(50)))) == {
        PeerName("mail.example", verified=True)
    }
    assert server.questions.count(("1.2.0.192.in-addr.arpa", "PTR")) == 1
    hosts.forget()
    assert hosts.known("192.0.2.1") is None


async def test_there_is_a_most_of_questions_and_of_memory(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST_UNDER_WAY", 2)
    monkeypatch.setattr(names, "MOST_REMEMBERED", 3)
    hosts = hosts_of(server)
    told = await asyncio.gather(*(asked(hosts, f"192.0.2.{number}") for number in (1, 2, 3)))
    assert told[2] == PeerName(unsure=True)
    for number in (80, 81, 82):
        await asked(hosts, f"192.0.2.{number}")
    assert hosts.known("192.0.2.1") is None
    assert hosts.known("192.0.2.82") == NAMELESS
