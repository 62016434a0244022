"""Rules between settings. What they refuse stands in tests/configs/broken; here is what they let pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sealgate.config.check import check
from sealgate.config.check_gui import gui_gone
from sealgate.tls.version import ProtocolVersion
from tests.config.samples import HASH, LIBRARY, configuration, listener, relaying

GOOD: list[dict[str, Any]] = [
    {},
    {"listeners": [], "certificates": [], "gui": {}},
    {"gui": {"port": 2525}},  # what is not served takes no place
    {"listeners": [listener()], **relaying("10.0.0.0/8", "192.0.2.0/24", "fc00::/7", "2001:db8::/32", "mail.example")},
    {**relaying("192.0.2.1")},  # the row is for every listener, and a public one takes it as accept
    {"listeners": [listener(policy="STRICT")], "policies": [{"name": "STRICT", "auth": "required"}]},
    {"listeners": [listener(auth="offered")], "accounts": [{"name": "me@inside.example", "passphrase": HASH}]},
    {"listeners": [listener(tls="off", certificates=[])]},
    {"listeners": [listener(implicit_tls=True, client_certificate="require", client_trust_file="/etc/ca.pem")]},
    {"listeners": [listener(), listener(name="other", addresses=["127.0.0.2"])]},
    {"listeners": [listener(addresses=["0.0.0.0"]), listener(name="six", addresses=["::1"])]},
    {"listeners": [listener(), listener(name="resting", enabled=False)]},
    {"listeners": [listener(addresses=["0.0.0.0"])], "routes": [{"domain": "*", "hosts": ["192.0.2.1:2587"]}]},
    {"listeners": [listener(enabled=False)], "routes": [{"domain": "*", "hosts": ["127.0.0.1:2587"]}]},
    {"destinations": [{"domain": ".a.example", "tls": "no"}, {"domain": "a.example", "tls": "required"}]},
    {"delivery": {"certificate": "main"}},
]


@pytest.mark.parametrize("changes", GOOD)
def test_a_good_configuration_has_no_problem(changes: dict[str, Any]) -> None:
    assert check(configuration(**changes), LIBRARY) == ()


@pytest.mark.parametrize("service", ["gui_https", "inbound_smtp", "outbound_smtp", "other_clients"])
def test_a_service_that_this_build_cannot_speak_is_a_problem(service: str) -> None:
    without = replace(LIBRARY, name="a small library", versions=LIBRARY.versions - {ProtocolVersion.TLS1_3})
    settings = configuration(tls={name: {"versions": ["1.2"]} for name in SERVICES} | {service: {"versions": ["1.3"]}})
    (problem,) = check(settings, without)
    assert problem.path == f"tls.{service}"
    assert "a small library" in problem.sentence
    assert check(settings, LIBRARY) == ()


SERVICES = ("gui_https", "inbound_smtp", "outbound_smtp", "other_clients")


def test_the_gui_is_not_switched_off_by_whoever_comes_by_it() -> None:
    on, off = configuration(), configuration(gui={})
    (problem,) = gui_gone(on, off)
    assert problem.path == "gui.enabled"
    assert [*gui_gone(on, on), *gui_gone(off, off), *gui_gone(off, on)] == []
