"""Which row holds for a domain."""

from __future__ import annotations

import dataclasses

import pytest

from sealgate.config.lookup import Handling, accepted_as, handling_of, route_for
from sealgate.tls.level import TlsLevel
from tests.config.samples import configuration

DESTINATIONS = [
    {"domain": ".example.com", "tls": "required"},
    {"domain": "partner.example.com", "tls": "required-verify"},
    {"domain": ".old.example.com", "tls": "no"},
]

ROUTES = [
    {"domain": "*", "hosts": ["smart.example"]},
    {"domain": ".example.com", "hosts": ["below.example"]},
    {"domain": ".deep.example.com", "hosts": ["deeper.example:26"]},
    {"domain": "example.com", "hosts": ["first.example", "[::1]:2526"]},
    {"domain": "direct.example.com", "hosts": ["mx"]},
]


@pytest.mark.parametrize(
    ("domain", "level"),
    [
        ("partner.example.com", TlsLevel.REQUIRED_VERIFY),
        ("Partner.Example.COM.", TlsLevel.REQUIRED_VERIFY),
        ("other.example.com", TlsLevel.REQUIRED),
        ("a.b.example.com", TlsLevel.REQUIRED),
        ("www.old.example.com", TlsLevel.NO),
        ("old.example.com", TlsLevel.REQUIRED),
        ("example.com", TlsLevel.PREFERRED_VERIFY),
        ("badexample.com", TlsLevel.PREFERRED_VERIFY),
        ("[192.0.2.1]", TlsLevel.PREFERRED_VERIFY),
        ("", TlsLevel.PREFERRED_VERIFY),
    ],
)
def test_the_closest_destination_sets_the_level(domain: str, level: TlsLevel) -> None:
    settings = configuration(destinations=DESTINATIONS, delivery={"tls": "preferred-verify"})
    assert handling_of(settings, domain).level is level
    assert handling_of(configuration(destinations=DESTINATIONS[::-1]), "www.old.example.com").level is TlsLevel.NO


@pytest.mark.parametrize(
    ("domain", "hosts"),
    [
        ("example.com", (("first.example", 25), ("::1", 2526))),
        ("EXAMPLE.com.", (("first.example", 25), ("::1", 2526))),
        ("www.example.com", (("below.example", 25),)),
        ("deep.example.com", (("below.example", 25),)),
        ("very.deep.example.com", (("deeper.example", 26),)),
        ("direct.example.com", None),
        ("elsewhere.example", (("smart.example", 25),)),
    ],
)
def test_the_closest_route_is_taken(domain: str, hosts: tuple[tuple[str, int], ...] | None) -> None:
    assert route_for(configuration(routes=ROUTES), domain) == hosts
    assert route_for(configuration(routes=ROUTES[::-1]), domain) == hosts


def test_without_a_route_dns_is_asked() -> None:
    assert route_for(configuration(routes=[]), "inside.example") is None


@pytest.mark.parametrize(
    ("domain", "accepted"),
    [
        ("inside.example", True),
        ("INSIDE.example.", True),
        ("www.inside.example", False),
        ("example", False),
        ("xinside.example", False),
        ("a.below.example", True),
        ("a.b.below.example", True),
        ("below.example", False),
        ("*", False),
        ("", False),
    ],
)
def test_only_listed_domains_are_accepted(domain: str, accepted: bool) -> None:
    gateway = {"hostname": "gate.example", "accepted_domains": ["inside.example", ".below.example"]}
    assert (accepted_as(configuration(gateway=gateway), domain) is not None) is accepted
    assert accepted_as(configuration(gateway={"hostname": "gate.example"}), domain) is None


def test_a_destination_says_what_differs_from_delivery_as_a_whole() -> None:
    said = {
        "server_name": "mx.partner.example",
        "connections": 2,
        "messages_per_connection": 3,
        "max_recipients": 4,
        "hostname": "out.inside.example",
        "source_v4": "192.0.2.4",
        "source_v6": "2001:db8::4",
    }
    delivery = {
        "tls": "required",
        "connections_per_destination": 12,
        "messages_per_connection": 13,
        "max_recipients": 14,
        "hostname": "all.inside.example",
        "source_v4": "192.0.2.14",
        "source_v6": "2001:db8::14",
    }
    rows = [{"domain": "all.example", "tls": "no", **said}, {"domain": "none.example"}]
    whole = Handling(TlsLevel.REQUIRED, None, 12, 13, 14, "all.inside.example", "192.0.2.14", "2001:db8::14")
    settings = configuration(destinations=rows, delivery=delivery)
    assert handling_of(settings, "none.example") == handling_of(settings, "other.example") == whole
    assert handling_of(settings, "all.example") == Handling(level=TlsLevel.NO, **said)  # type: ignore[arg-type]
    for name, value in said.items():
        one = configuration(destinations=[{"domain": "one.example", name: value}], delivery=delivery)
        assert handling_of(one, "one.example") == dataclasses.replace(whole, **{name: value})  # type: ignore[arg-type]
    assert handling_of(configuration(), "other.example").hostname == "gate.inside.example"
