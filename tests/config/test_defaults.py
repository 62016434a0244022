"""The first configuration of a gateway."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.check import check
from sealgate.config.defaults import Defaults, first_configuration
from sealgate.config.lookup import accepted_as, route_for
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import CertificateProfile, Configuration, Listener
from sealgate.config.weakness import weaknesses
from sealgate.inbound.access import Terms, terms_for
from sealgate.tls.level import TlsLevel
from tests.config.samples import CERTIFICATE, KEY, LIBRARY

PROFILES = tuple(CertificateProfile(name=name, certificate=CERTIFICATE, key=KEY) for name in ("rsa", "ec"))


def first(**choices: Any) -> Configuration:
    common = {"domains": ["inside.example"], "next_hop": "127.0.0.1:2526"}
    return first_configuration("gate.inside.example", PROFILES, **{**common, **choices})


@pytest.mark.parametrize(
    ("choices", "addresses", "ports"),
    [
        ({}, ("127.0.0.1",), [2525, 2587, 2465]),
        ({"port_base": 1000}, ("127.0.0.1",), [3525, 3587, 3465]),
        ({"production": True}, ("0.0.0.0", "::"), [25, 587, 465]),
    ],
)
def test_where_it_listens(choices: dict[str, Any], addresses: tuple[str, ...], ports: list[int]) -> None:
    listeners = first(**choices).listeners
    assert [listener.port for listener in listeners] == ports
    assert {listener.addresses for listener in listeners} == {addresses}


@pytest.mark.parametrize(
    ("choices", "addresses", "ports"),
    [
        ({}, ("127.0.0.1",), [8443, 4431]),
        ({"port_base": 1000}, ("127.0.0.1",), [9443, 5431]),
        ({"production": True}, ("0.0.0.0", "::"), [443, 4431]),
    ],
)
def test_where_its_gui_is(choices: dict[str, Any], addresses: tuple[str, ...], ports: list[int]) -> None:
    gui = first(**choices).gui
    assert gui.enabled
    assert gui.addresses == addresses
    assert list(gui.ports.values()) == ports
    assert gui.certificates == ("rsa", "ec")


@pytest.mark.parametrize(("defaults", "versions"), [("modern", ("1.2", "1.3")), ("asyncos-15.5", ("1.1", "1.2"))])
def test_which_tls_it_speaks(defaults: Defaults, versions: tuple[str, ...]) -> None:
    settings = first(defaults=defaults)
    tls = settings.tls
    services = (tls.gui_https, tls.inbound_smtp, tls.outbound_smtp, tls.other_clients)
    assert {service.versions for service in services} == {versions}
    assert [listener.tls for listener in settings.listeners] == ["preferred", "required", "required"]
    assert [listener.implicit_tls for listener in settings.listeners] == [False, False, True]
    assert settings.delivery.level is TlsLevel.PREFERRED


def test_it_takes_its_domain_and_relays_for_its_own_machine_only() -> None:
    settings = first()
    assert accepted_as(settings, "inside.example") == "inside.example"
    assert accepted_as(settings, "outside.example") is None
    assert route_for(settings, "inside.example") == (("127.0.0.1", 2526),)
    assert route_for(settings, "outside.example") is None
    public, *private = settings.listeners
    assert terms(settings, public, "127.0.0.1").decision == "ACCEPT"
    for each in private:
        assert terms(settings, each, "127.0.0.1").decision == terms(settings, each, "::1").decision == "RELAY"
        assert terms(settings, each, "192.0.2.1").decision == "ACCEPT"


def terms(settings: Configuration, listener: Listener, ip: str) -> Terms:
    found = terms_for(settings, listener, ip, None)
    assert found is not None
    return found


@pytest.mark.parametrize("next_hop", [None, "mx"])
def test_without_a_next_hop_mail_goes_by_mx(next_hop: str | None) -> None:
    assert first(next_hop=next_hop).routes == ()


@pytest.mark.parametrize("choices", [{}, {"production": True}, {"defaults": "asyncos-15.5"}, {"port_base": 20000}])
def test_it_can_run(choices: dict[str, Any]) -> None:
    assert check(first(**choices), LIBRARY) == ()


def test_there_is_nothing_to_remark_on_the_fresh_one() -> None:
    assert weaknesses(first(), LIBRARY) == ()


def test_bad_answers_are_named() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        first(domains=["inside example"], next_hop="127.0.0.1:x", port_base=65000)
    paths = [problem.path for problem in refusal.value.problems]
    assert "gateway.accepted_domains[0]" in paths
    assert {"listeners[0].port", "listeners[1].port", "listeners[2].port"} <= set(paths)
    assert "routes[0].hosts[0]" in paths
