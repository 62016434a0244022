"""From a domain to addresses: routes, MX by preference, families, and the gateway's own place in the list."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from sealgate.delivery.route import Router, Target, is_own
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.live.resolver import LiveResolver
from sealgate.live.revision import Current
from tests.config.samples import configuration, listener
from tests.delivery.rig import revision_of
from tests.peers.dns import Answer, NameServer, name_server

OWN = "gate.inside.example"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    with name_server({}) as running:
        yield running


async def targets(names: NameServer, zone: dict[tuple[str, str], Answer], domain: str, **tables: Any) -> list[Target]:
    names.zone = zone
    settings = configuration(dns={"servers": [names.place], "timeout": 2.0}, **tables)
    current = Current(revision_of(settings))
    return await Router(current, LiveResolver(current), random.Random(7)).targets(domain, OWN)


async def places(*given: Any, **tables: Any) -> list[str]:
    return [f"{target.ip}:{target.port}" for target in await targets(*given, **tables)]


async def trouble(*given: Any, **tables: Any) -> Trouble:
    with pytest.raises(HopTrouble) as raised:
        await targets(*given, **tables)
    return raised.value.trouble


def mx(*records: str, domain: str = "to.example") -> dict[tuple[str, str], Answer]:
    """MX hosts a, b, c… each with an IPv4 address."""
    zone: dict[tuple[str, str], Answer] = {(domain, "MX"): list(records)}
    return zone | {(f"{name}.example", "A"): [f"192.0.2.{number}"] for number, name in enumerate("abcd", 1)}


async def test_mx_hosts_come_by_preference(names: NameServer) -> None:
    zone = mx("30 c.example.", "10 a.example.", "20 b.example.")
    assert await places(names, zone, "to.example") == ["192.0.2.1:25", "192.0.2.2:25", "192.0.2.3:25"]
    assert await places(names, zone, "TO.example.") == ["192.0.2.1:25", "192.0.2.2:25", "192.0.2.3:25"]


async def test_equal_ones_take_turns(names: NameServer) -> None:
    names.zone = mx("10 a.example.", "10 b.example.", "5 c.example.")
    settings = configuration(dns={"servers": [names.place]})
    current = Current(revision_of(settings))
    router = Router(current, LiveResolver(current), random.Random(7))
    seen = {tuple(target.ip for target in await router.targets("to.example", OWN)) for _ in range(40)}
    assert seen == {("192.0.2.3", "192.0.2.1", "192.0.2.2"), ("192.0.2.3", "192.0.2.2", "192.0.2.1")}


async def test_a_domain_without_mx_is_its_own_host(names: NameServer) -> None:
    assert await places(names, {("to.example", "A"): ["192.0.2.9"]}, "to.example") == ["192.0.2.9:25"]


async def test_an_alias_is_followed(names: NameServer) -> None:
    zone: dict[tuple[str, str], Answer] = {
        ("to.example", "CNAME"): ["other.example."],
        ("other.example", "MX"): ["10 a.example."],
        ("a.example", "CNAME"): ["b.example."],
        ("b.example", "A"): ["192.0.2.2"],
    }
    assert await places(names, zone, "to.example") == ["192.0.2.2:25"]


@pytest.mark.parametrize(
    ("zone", "status", "permanent", "said"),
    [
        ({("to.example", "MX"): ["0 ."]}, "5.1.10", True, "null MX"),
        ({}, "5.1.2", True, "NXDOMAIN"),
        ({("to.example", "TXT"): ["here"]}, "5.4.4", True, "no mail host of to.example has an address"),
        ({("to.example", "MX"): ["10 nothing.example."]}, "5.4.4", True, "no mail host of to.example"),
        ({("to.example", "MX"): "SERVFAIL"}, "4.4.3", False, "every name server failed"),
        ({("to.example", "MX"): ["10 a.example."], ("a.example", "A"): "SERVFAIL"}, "4.4.3", False, "A of a.example"),
    ],
)
async def test_why_there_is_no_host(names: NameServer, zone: Any, status: str, permanent: bool, said: str) -> None:
    found = await trouble(names, zone, "to.example")
    assert (found.status, found.permanent) == (status, permanent)
    assert said in found.sentence


async def test_one_host_that_cannot_be_looked_up_stops_no_other(names: NameServer) -> None:
    zone = mx("10 a.example.", "20 b.example.") | {("a.example", "A"): "SERVFAIL", ("b.example", "AAAA"): "SERVFAIL"}
    assert await places(names, zone, "to.example") == ["192.0.2.2:25"]


@pytest.mark.parametrize(
    ("family", "turns"), [("ipv6-first", "646444"), ("ipv4-first", "464644"), ("ipv4", "4444"), ("ipv6", "66")]
)
async def test_families_take_turns(names: NameServer, family: str, turns: str) -> None:
    zone: dict[tuple[str, str], Answer] = {
        ("to.example", "A"): [f"192.0.2.{number}" for number in range(4)],
        ("to.example", "AAAA"): ["2001:db8::1", "2001:db8::2"],
    }
    found = await targets(names, zone, "to.example", delivery={"family": family})
    assert "".join("6" if ":" in target.ip else "4" for target in found) == turns
    assert len({target.ip for target in found}) == len(turns)


async def test_a_family_that_a_host_lacks_leaves_nothing(names: NameServer) -> None:
    found = await trouble(names, {("to.example", "A"): ["192.0.2.1"]}, "to.example", delivery={"family": "ipv6"})
    assert (found.status, found.permanent) == ("5.4.4", True)


async def test_an_address_literal_asks_nobody(names: NameServer) -> None:
    names.questions.clear()
    assert await places(names, {}, "[192.0.2.7]") == ["192.0.2.7:25"]
    assert await places(names, {}, "[ipv6:2001:db8::7]") == ["2001:db8::7:25"]
    assert names.questions == []


# -- routes


async def test_the_hosts_of_a_route_come_in_their_order(names: NameServer) -> None:
    zone: dict[tuple[str, str], Answer] = {("a.example", "A"): ["192.0.2.1"], ("b.example", "AAAA"): ["2001:db8::2"]}
    routes = [{"domain": "to.example", "hosts": ["b.example:2525", "192.0.2.8:26", "a.example"]}]
    expected = ["2001:db8::2:2525", "192.0.2.8:26", "192.0.2.1:25"]
    assert await places(names, zone, "to.example", routes=routes) == expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("to.example", "192.0.2.11:25"),
        ("sub.to.example", "192.0.2.12:25"),
        ("deep.sub.to.example", "192.0.2.13:25"),
        ("elsewhere.example", "192.0.2.14:25"),
        ("direct.example", "192.0.2.1:25"),
    ],
)
async def test_the_closest_route_is_taken(names: NameServer, domain: str, expected: str) -> None:
    routes = [
        {"domain": "*", "hosts": ["192.0.2.14"]},
        {"domain": ".to.example", "hosts": ["192.0.2.12"]},
        {"domain": "to.example", "hosts": ["192.0.2.11"]},
        {"domain": ".sub.to.example", "hosts": ["192.0.2.13"]},
        {"domain": "direct.example", "hosts": ["mx"]},
    ]
    assert await places(names, mx("10 a.example.", domain="direct.example"), domain, routes=routes) == [expected]


@pytest.mark.parametrize("answer", ["SERVFAIL", None])
async def test_a_route_to_nowhere_makes_mail_wait(names: NameServer, answer: Answer | None) -> None:
    zone: dict[tuple[str, str], Answer] = {} if answer is None else {("gone.example", "A"): answer}
    found = await trouble(names, zone, "to.example", routes=[{"domain": "*", "hosts": ["gone.example"]}])
    assert (found.status, found.permanent) == ("4.4.3", False)
    routes = [{"domain": "*", "hosts": ["gone.example", "192.0.2.8"]}]
    assert await places(names, zone, "to.example", routes=routes) == ["192.0.2.8:25"]


# -- loops


async def test_the_list_ends_at_the_gateway_itself(names: NameServer) -> None:
    zone = mx("10 a.example.", "20 b.example.", "20 gate.inside.example.", "30 c.example.")
    assert await places(names, zone, "to.example") == ["192.0.2.1:25"]
    named = zone | {("to.example", "MX"): ["10 a.example.", "20 GATE.inside.example."]}
    assert await places(names, named, "to.example") == ["192.0.2.1:25"]


async def test_the_best_mail_host_must_not_be_the_gateway(names: NameServer) -> None:
    found = await trouble(names, mx("10 gate.inside.example.", "20 a.example."), "to.example")
    assert (found.status, found.permanent) == ("5.4.6", True)
    assert "which is this gateway" in found.sentence


async def test_a_better_host_that_cannot_be_looked_up_may_still_come(names: NameServer) -> None:
    zone = mx("10 a.example.", "20 gate.inside.example.") | {("a.example", "A"): "SERVFAIL"}
    assert not (await trouble(names, zone, "to.example")).permanent


async def test_a_listener_on_the_address_is_the_gateway_too(names: NameServer) -> None:
    listeners = [listener(addresses=["192.0.2.2"], port=25)]
    zone = mx("10 a.example.", "20 b.example.", "30 c.example.")
    assert await places(names, zone, "to.example", listeners=listeners) == ["192.0.2.1:25"]


@pytest.mark.parametrize(
    ("addresses", "port", "ip", "own"),
    [
        (["192.0.2.2"], 25, "192.0.2.2", True),
        (["192.0.2.2"], 2525, "192.0.2.2", False),  # MX hosts are reached on port 25
        (["0.0.0.0"], 25, "127.0.0.1", True),
        (["0.0.0.0"], 25, "198.51.100.200", False),
        (["::"], 25, "::1", True),
        (["::"], 25, "2001:db8::1", False),
    ],
)
def test_whether_an_address_is_the_gateways(addresses: list[str], port: int, ip: str, own: bool) -> None:
    settings = configuration(listeners=[listener(addresses=addresses, port=port)])
    assert is_own("mx.example", [ip], [OWN], settings) is own
