"""Small steps from one configuration to another."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.diff import Change, diff
from sealgate.config.edit import Add, Move, Remove, Set, Step, edited, parts_of, step_of
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema.base import MASK
from tests.config.samples import HASH, configuration, data, listener

LISTENERS = [*data()["listeners"], listener()]

STEPS: list[tuple[list[Step], list[Change]]] = [
    ([], []),
    ([Set("dns.timeout", 5)], [Change("dns.timeout", 10, 5)]),
    ([Set("tls.inbound_smtp.versions", ["1.3"])], [Change("tls.inbound_smtp.versions", ("1.2", "1.3"), ("1.3",))]),
    ([Set("listeners[private].port", 587)], [Change("listeners[private].port", 2587, 587)]),
    ([Set("dns.timeout", 5), Set("dns.timeout", None)], []),
    (
        [Set("routes[inside.example].hosts", ["a.example:26"])],
        [Change("routes[inside.example].hosts", ("127.0.0.1:2526",), ("a.example:26",))],
    ),
    (
        [Add("recipient_access", {"recipient": "info@inside.example"})],
        [
            Change("recipient_access[info@inside.example].recipient", None, "info@inside.example"),
            Change("recipient_access[info@inside.example].action", None, "reject"),
        ],
    ),
    (
        [Add("destinations", {"domain": "a.example", "tls": "no"}), Remove("destinations", "a.example")],
        [],
    ),
]


@pytest.mark.parametrize(("steps", "changes"), STEPS)
def test_steps_lead_where_they_say(steps: list[Step], changes: list[Change]) -> None:
    before = configuration(listeners=LISTENERS)
    assert list(diff(before, edited(before, steps))) == changes


def test_rows_have_an_order() -> None:
    groups = [{"name": name, "members": ["ALL"], "policy": "P"} for name in "ABC"]
    before = configuration(sender_groups=groups)

    def order(*steps: Step) -> str:
        return "".join(group.name for group in edited(before, steps).sender_groups)

    assert order(Move("sender_groups", "C", before="A")) == "CAB"
    assert order(Move("sender_groups", "A")) == "BCA"
    assert order(Move("sender_groups", "B", before="B")) == "ABC"
    assert order(Add("sender_groups", groups[0] | {"name": "D"}, before="B")) == "ADBC"


BAD: list[tuple[list[Step], str, str]] = [
    ([Set("dns.colour", 1)], "dns.colour", "there is no such setting"),
    ([Set("", 1)], "", "no setting is named"),
    ([Set("listeners.port", 1)], "listeners.port", "there is no such setting"),
    ([Set("dns[x].timeout", 1)], "dns[x].timeout", "there is no such setting"),
    ([Set("listeners[gone].port", 1)], "listeners[gone]", "there is no such row; there are public, private"),
    ([Set("listeners[public]", {})], "listeners[public]", "this is a row"),
    ([Set("listeners[public].port", "x")], "listeners[0].port", "'x' is not a whole number from 1 to 65535"),
    ([Set("listeners[public].port", None)], "listeners[0].port", "this value is not a whole number from 1 to 65535"),
    ([Set("tls.gui_https.versions", ["1.0", "1.2"])], "tls.gui_https.versions", "1.1"),
    ([Add("tls", {})], "tls", "there is no such table"),
    ([Remove("routes", "b.example")], "routes[b.example]", "there is no such row; there are inside.example"),
    ([Move("accounts", "me")], "accounts[me]", "there is no such row; there is none yet"),
    ([Add("accounts", {"name": "me"})], "accounts[0].passphrase", "this setting is missing"),
    ([Set("dns..timeout", 5)], "dns..timeout", "there is no such setting"),
    ([Set("tls", None)], "tls", "this is a group of settings"),
    ([Set("tls.gui_https", 3)], "tls.gui_https", "this is a group of settings"),
    ([Set("listeners", "abc"), Set("listeners[x].port", 1)], "listeners", "this is no list of tables"),
    ([Set("listeners", [1]), Move("listeners", "x")], "listeners", "this is no list of tables"),
    ([Set("routes", None), Remove("routes", "x")], "routes[x]", "there is none yet"),
]


@pytest.mark.parametrize(("steps", "path", "sentence"), BAD)
def test_what_cannot_be_is_said_and_nothing_is_changed(steps: list[Step], path: str, sentence: str) -> None:
    before = configuration(listeners=LISTENERS)
    with pytest.raises(ConfigurationError) as refusal:
        edited(before, [Set("dns.timeout", 7), *steps])
    (problem, *_) = refusal.value.problems
    assert problem.path == path
    assert sentence in problem.sentence
    assert before.dns.timeout == 10


@pytest.mark.parametrize(
    "recipient",
    [
        "info@[192.0.2.1]",
        "info@[ipv6:2001:db8::1]",
        '"a].b"@inside.example',
        '"[x]"@inside.example',
        '".][."@a.example',
    ],
)
def test_rows_with_brackets_in_their_names_are_found(recipient: str) -> None:
    added = edited(configuration(), [Add("recipient_access", {"recipient": recipient})])
    (change, *_) = diff(configuration(), added)
    assert parts_of(change.path) == [("recipient_access", recipient), ("recipient", None)]
    changed = edited(added, [Set(f"recipient_access[{recipient}].action", "accept")])
    assert changed.recipient_access[-1].action == "accept"
    assert parts_of(f"recipient_access[{recipient}]") == [("recipient_access", recipient)]


def test_a_secret_that_comes_back_masked_stays_what_it_was() -> None:
    before = configuration(accounts=[{"name": "me@inside.example", "passphrase": HASH}])
    assert edited(before, [Set("accounts[me@inside.example].passphrase", MASK)]) == before


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"set": "dns.timeout", "value": 5}, Set("dns.timeout", 5)),
        ({"set": "dns.servers", "value": None}, Set("dns.servers", None)),
        ({"add": "routes", "row": {"domain": "*"}, "before": "a"}, Add("routes", {"domain": "*"}, "a")),
        ({"remove": "routes", "name": "*"}, Remove("routes", "*")),
        ({"move": "sender_groups", "name": "A"}, Move("sender_groups", "A")),
    ],
)
def test_steps_travel_as_plain_data(given: dict[str, Any], step: Step) -> None:
    assert step_of(given) == step


@pytest.mark.parametrize("given", [{}, {"set": "x"}, {"add": "routes"}, {"remove": 5, "name": "x"}])
def test_what_is_no_step_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        step_of(given)
