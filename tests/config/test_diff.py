"""What differs between two configurations."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.diff import Change, diff
from tests.config.samples import CERTIFICATE, KEY, configuration, data, listener

PUBLIC = data()["listeners"][0]
OTHER_KEY = KEY.replace("MIIE", "MIIF")

CHANGES: list[tuple[dict[str, Any], list[Change]]] = [
    ({}, []),
    ({"dns": {"timeout": 5}}, [Change("dns.timeout", 10, 5)]),
    (
        {"tls": {"inbound_smtp": {"versions": ["1.3"]}}},
        [Change("tls.inbound_smtp.versions", ("1.2", "1.3"), ("1.3",))],
    ),
    ({"listeners": [{**PUBLIC, "port": 25}]}, [Change("listeners[public].port", 2525, 25)]),
    ({"delivery": {"source_v4": "192.0.2.1"}}, [Change("delivery.source_v4", None, "192.0.2.1")]),
    (
        {"destinations": [{"domain": "partner.example", "tls": "required"}]},
        [
            Change("destinations[partner.example].domain", None, "partner.example"),
            Change("destinations[partner.example].tls", None, "required"),
        ],
    ),
    (
        {"routes": []},
        [
            Change("routes[inside.example].domain", "inside.example", None),
            Change("routes[inside.example].hosts", ("127.0.0.1:2526",), None),
        ],
    ),
    (
        {"certificates": [{"name": "main", "certificate": CERTIFICATE, "key": OTHER_KEY}]},
        [Change("certificates[main].key", "********", "********")],
    ),
]


@pytest.mark.parametrize(("changes", "expected"), CHANGES)
def test_each_change_is_named(changes: dict[str, Any], expected: list[Change]) -> None:
    assert list(diff(configuration(), configuration(**changes))) == expected


@pytest.mark.parametrize(("changes", "expected"), CHANGES)
def test_the_way_back_is_the_reverse(changes: dict[str, Any], expected: list[Change]) -> None:
    back = [Change(change.path, change.after, change.before) for change in expected]
    assert list(diff(configuration(**changes), configuration())) == back


def test_the_order_of_a_table_that_is_read_from_the_top_is_a_change() -> None:
    groups = [{"name": name, "members": ["ALL"], "policy": "P"} for name in ("A", "B")]
    before, after = (configuration(sender_groups=rows) for rows in (groups, groups[::-1]))
    assert list(diff(before, after)) == [Change("sender_groups", ("A", "B"), ("B", "A"))]


def test_the_order_of_rows_is_no_change() -> None:
    rows = [PUBLIC, listener()]
    assert diff(configuration(listeners=rows), configuration(listeners=rows[::-1])) == ()


def test_no_key_is_in_a_difference() -> None:
    assert "MII" not in str(
        [change for change in diff(configuration(certificates=[]), configuration()) if change.path.endswith(".key")]
    )
