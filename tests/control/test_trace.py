"""Traces of configurations that no test gateway has: host names, families, ways, destinations."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.schema import Configuration
from sealgate.control import trace_step as step
from sealgate.control.trace import Inbound, Question, trace_inbound
from sealgate.control.trace_delivery import ask_dns, trace_delivery
from sealgate.mail.address import Address, parse_address
from sealgate.tls.version import ProtocolVersion
from tests.config.samples import configuration, data, listener

SENDER = Address("me", "me.example")
INSIDE = Address("one", "inside.example")


def ask(settings: Configuration, ip: str = "192.0.2.1", **more: Any) -> list[Inbound]:
    return trace_inbound(settings, Question(ip, **{"sender": SENDER, "recipient": INSIDE, **more}))


def named(*, reverse: bool = True) -> Configuration:
    """A partner by name stands above a network, and a stranger by name below everyone."""
    return configuration(
        listeners=[{**data()["listeners"][0], "addresses": ["0.0.0.0"]}],
        dns={"reverse": reverse},
        policies=[{"name": "PARTNER", "tls": "required"}, {"name": "BLOCKED", "action": "reject"}],
        sender_groups=[
            {"name": "PARTNERS", "members": ["198.51.100.7", ".partner.example"], "policy": "PARTNER"},
            {"name": "NEIGHBOURS", "members": ["192.0.2.0/24"], "policy": "BLOCKED"},
            {"name": "STRANGERS", "members": ["mail.strange.example"], "policy": "BLOCKED"},
        ],
    )


def groups(found: list[Inbound]) -> list[tuple[str, str]]:
    return [(each.name, one.group) for each in found for one in each.steps if isinstance(one, step.Host)]


def test_a_name_that_could_decide_is_shown_both_ways() -> None:
    assert groups(ask(named())) == [("", "NEIGHBOURS"), ("host.partner.example", "PARTNERS")]
    assert groups(ask(named(), "203.0.113.1")) == [
        ("", "UNKNOWNLIST"),
        ("host.partner.example", "PARTNERS"),
        ("mail.strange.example", "STRANGERS"),
    ]


def test_a_name_that_is_given_or_cannot_matter_is_one_case() -> None:
    assert groups(ask(named(), name="mx.partner.example")) == [("mx.partner.example", "PARTNERS")]
    assert groups(ask(named(), name="mx.else.example")) == [("mx.else.example", "NEIGHBOURS")]
    assert groups(ask(named(), "198.51.100.7")) == [("", "PARTNERS")]
    assert groups(ask(named(reverse=False), name="mx.partner.example")) == [("", "NEIGHBOURS")]


@pytest.mark.parametrize(
    ("addresses", "ip", "reached"),
    [
        (["127.0.0.1"], "127.0.0.9", True),
        (["127.0.0.1"], "192.0.2.1", False),
        (["192.0.2.9"], "127.0.0.1", True),
        (["0.0.0.0"], "192.0.2.1", True),
        (["0.0.0.0"], "2001:db8::1", False),
        (["0.0.0.0", "::"], "2001:db8::1", True),
        (["::1"], "2001:db8::1", False),
    ],
)
def test_only_listeners_that_the_host_could_reach_are_asked(addresses: list[str], ip: str, reached: bool) -> None:
    settings = configuration(listeners=[{**data()["listeners"][0], "addresses": addresses}])
    assert bool(ask(settings, ip)) is reached
    assert len(ask(settings, ip, listener="public")) == 1  # by its name, it is asked whatever stands between


def test_a_listener_that_is_not_enabled_is_not_asked() -> None:
    settings = configuration(listeners=[*data()["listeners"], listener(enabled=False)])
    assert {each.listener for each in ask(settings, "127.0.0.1")} == {"public"}


def test_a_version_that_is_not_selected_ends_in_the_handshake() -> None:
    (found,) = ask(configuration(), "127.0.0.1", tls=ProtocolVersion.TLS1_0)
    assert not found.accepted
    last = found.steps[-1]
    assert isinstance(last, step.Handshake)
    assert "Inbound SMTP speaks TLS 1.2-1.3 alone" in last.words


def test_clear_text_on_an_implicit_port_is_the_end() -> None:
    settings = configuration(listeners=[listener(implicit_tls=True)])
    (found,) = ask(settings, "127.0.0.1", tls="none")
    assert (found.accepted, found.said) == (False, "")


OUT = {
    "certificates": [*data()["certificates"]],
    "delivery": {"certificate": "main", "retry_first": 30, "delay_warning": 0, "source_v4": "192.0.2.5"},
    "destinations": [
        {"domain": ".bank.example", "tls": "required-verify", "server_name": "mx.bank.example", "hostname": "us.eu"},
        {"domain": "open.example", "tls": "no"},
    ],
    "routes": [
        {"domain": "inside.example", "hosts": ["10.0.0.1:2525", "mail.inside.example"]},
        {"domain": ".bank.example", "hosts": ["mx"]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("recipient", "way", "tls"),
    [
        (
            "one@inside.example",
            "inside.example: by the route inside.example to 10.0.0.1 port 2525, mail.inside.example port 25",
            "preferred, by delivery; versions 1.2-1.3, ciphers default, server name that of the host, certificate main",
        ),
        (
            "one@eu.bank.example",
            "eu.bank.example: by the route .bank.example",
            "required-verify, by the destination .bank.example; versions 1.2-1.3, ciphers default, "
            "server name mx.bank.example, certificate main",
        ),
        ("one@open.example", "open.example: by MX", "no, by the destination open.example"),
        ("one@[192.0.2.9]", "[192.0.2.9]: by address literal", None),
        ("postmaster", "inside.example: by the route inside.example to", None),
    ],
)
def test_the_way_and_its_tls(recipient: str, way: str, tls: str | None) -> None:
    found = trace_delivery(configuration(**OUT), parse_address(recipient, bare_postmaster=True))
    assert found[0].words.startswith(way)
    assert tls is None or found[1].words == tls


def test_who_the_gateway_is_there_and_when_it_tries_again() -> None:
    _, _, sending, retries = trace_delivery(configuration(**OUT), Address("one", "eu.bank.example"))
    assert sending.words == "as us.eu from 192.0.2.5, 20 connections at most"
    assert retries.words == "after 30 s, then twice as long up to 3600 s, for 432000 s"


async def test_dns_is_asked_on_request_alone() -> None:
    settings = configuration(**OUT)
    address = Address("one", "[192.0.2.9]")
    assert await ask_dns(settings, address) == ("192.0.2.9 [192.0.2.9]:25",)
    nobody = configuration(dns={"servers": ["127.0.0.1:1"], "timeout": 0.2})
    (sentence,) = await ask_dns(nobody, Address("one", "far.example"))
    assert "far.example" in sentence
    assert trace_delivery(nobody, Address("one", "far.example"), (sentence,))[0].words.endswith(sentence)
