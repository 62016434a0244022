"""How a domain is handled: looked up once, and anew after each change."""

from __future__ import annotations

import pytest

from sealgate.delivery import handling as handling_module
from sealgate.delivery.handling import Handlings
from sealgate.live.revision import Current
from tests.config.samples import configuration
from tests.delivery.rig import revision_of


def test_it_is_looked_up_once_for_each_revision() -> None:
    current = Current(revision_of(configuration()))
    handlings = Handlings(current)
    first = handlings.of("to.example")
    assert handlings.of("to.example") is first
    rows = [{"domain": "to.example", "connections": 2}]
    current.revision = revision_of(configuration(destinations=rows), 2)
    assert handlings.of("to.example").connections == 2
    assert handlings.of("other.example") == first


def test_it_does_not_remember_every_domain_there_ever_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling_module, "MOST_DOMAINS", 3)
    handlings = Handlings(Current(revision_of(configuration())))
    first = handlings.of("n0.example")
    for number in range(1, 4):
        handlings.of(f"n{number}.example")
    assert handlings.of("n0.example") is not first
