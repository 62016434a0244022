"""Configurations of earlier versions."""

from __future__ import annotations

from typing import Any

import pytest
import tomli_w

from sealgate.config.check import check
from sealgate.config.document import parse
from sealgate.config.upgrade import upgraded
from sealgate.inbound.access import terms_for
from tests.config.samples import LIBRARY, data, listener, relaying


def test_relay_networks_of_0_1_become_a_sender_group_that_relays_for_the_same_hosts() -> None:
    listeners = [*data()["listeners"], listener(relay_networks=["10.0.0.0/8", "::1"]), listener(name="odd", port=2588)]
    settings = parse(tomli_w.dumps(data(listeners=listeners)))
    assert check(settings, LIBRARY) == ()
    relayed = {
        (each.name, ip): terms.decision == "RELAY"
        for each in settings.listeners
        for ip in ("10.1.2.3", "::1", "192.0.2.1")
        if (terms := terms_for(settings, each, ip, None)) is not None
    }
    assert {place for place, relays in relayed.items() if relays} == {("private", "10.1.2.3"), ("private", "::1")}
    assert len(relayed) == 9


@pytest.mark.parametrize("given", [data(), data(**relaying("10.0.0.1")), {}, {"listeners": 5}, None, [], "text"])
def test_what_is_in_the_words_of_today_passes_unchanged(given: Any) -> None:
    assert upgraded(given) is given


def test_a_broken_configuration_is_left_to_the_validation() -> None:
    odd = {"listeners": [5, {"relay_networks": "x"}, {"name": "a", "relay_networks": []}]}
    assert upgraded(odd)["listeners"] == [5, {}, {"name": "a"}]
