"""Bodies of requests that nobody who means it sends: a sentence, and nothing is begun."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.control.requests import BODIES, look_at
from sealgate.control.roles import LEAST
from sealgate.process.channel import ChannelError

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("commit", {"comment": "\udcff"}, "the comment of the request 'commit' is not text of at most 1000 characters"),
    ("commit", {"comment": ["x"]}, "the comment of the request 'commit' is not text"),
    ("commit", {"comment": "x" * 1001}, "the comment of the request 'commit' is not text"),
    ("commit", {"minutes": "5"}, "the minutes of the request 'commit' is not a number of minutes"),
    ("commit", {"minutes": True}, "is not a number of minutes"),
    ("loadconfig", {}, "the request 'loadconfig' lacks 'text': text in UTF-8"),
    ("edit", {}, "the request 'edit' lacks 'steps': a list of steps"),
    ("edit", {"steps": "abc"}, "is not a list of steps"),
    ("edit", {"steps": [1]}, "is not a list of steps"),
    ("edit", {"steps": [], "dry": 1}, "is not true or false"),
    ("certificates", {"name": 5}, "is not a name"),
    ("rollback", {"revision": 1 << 70}, "is not the number of a revision"),
    ("rollback", {"revision": True}, "is not the number of a revision"),
    ("revisions", {"limit": -1}, "is not a whole number"),
    ("audit", {"limit": "all"}, "is not a whole number"),
    ("login", {"name": 5, "passphrase": "x"}, "is not text in UTF-8"),
    ("login", {"name": "\ud800", "passphrase": "x"}, "is not text in UTF-8"),
    ("login", {"name": "lea"}, "lacks 'passphrase'"),
    ("passwd", {"passphrase": 5}, "is not text in UTF-8"),
    ("queue-show", {}, "the request 'queue-show' lacks 'mid': a whole number"),
    ("hosts", {"limit": "5"}, "the limit of the request 'hosts' is not a whole number"),
    ("suspend", {"what": "all"}, "is not a list of kinds and names"),
    ("resume", {"what": [["listener"]]}, "is not a list of kinds and names"),
]


@pytest.mark.parametrize(("op", "body", "sentence"), BAD)
def test_what_is_not_as_it_should_be_is_said(op: str, body: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ChannelError) as refusal:
        look_at(op, body)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("commit", {"comment": "Zürich", "minutes": 0.5}),
        ("commit", {"comment": "", "minutes": None}),
        ("certificates", {}),
        ("passwd", {"name": None, "passphrase": "open sesame"}),
        ("resume", {"what": []}),
        ("status", {"anything": object()}),
    ],
)
def test_what_is_as_it_should_be_passes(op: str, body: dict[str, Any]) -> None:
    look_at(op, body)


def test_only_requests_that_there_are_have_bodies() -> None:
    assert BODIES.keys() - LEAST.keys() == {"login"}
