"""Which recipients a selection means."""

from __future__ import annotations

import json

import pytest

from sealgate.delivery.message import Message
from sealgate.delivery.selection import EVERYTHING, Selection, SelectionError
from tests.delivery.queue_house import NOW, message

ONE = message(7, "Someone@Inside.Example", "other@sub.inside.example", "third@elsewhere.example")


@pytest.mark.parametrize(
    ("selection", "rids"),
    [
        (EVERYTHING, [0, 1, 2]),
        (Selection(mids=(7,)), [0, 1, 2]),
        (Selection(mids=(6, 8)), []),
        (Selection(recipient="someone@inside.example"), [0]),
        (Selection(recipient="SOMEONE@inside.example"), [0]),
        (Selection(recipient="omeone@inside.example"), []),
        (Selection(recipient="inside.example"), [0]),
        (Selection(recipient=".inside.example"), [1]),
        (Selection(recipient="*inside.example"), [0, 1]),
        (Selection(recipient="*@*.example"), [0, 1, 2]),
        (Selection(recipient="*o*@*"), [0, 1]),
        (Selection(recipient="insideXexample"), []),
        (Selection(domain="inside.example"), [0]),
        (Selection(domain="*.example", recipient="third@*"), [2]),
        (Selection(domain="nside.example"), []),
        (Selection(sender="me@me.example"), [0, 1, 2]),
        (Selection(sender="me.example"), [0, 1, 2]),
        (Selection(sender="<>"), []),
        (Selection(state="queued"), [0, 1, 2]),
        (Selection(state="deferred"), []),
        (Selection(before=NOW + 7), []),
        (Selection(before=NOW + 8), [0, 1, 2]),
    ],
)
def test_recipients_of_a_message(selection: Selection, rids: list[int]) -> None:
    assert selection.chosen(ONE) == rids
    assert Selection.of_body(json.loads(json.dumps(selection.to_body()))) == selection


@pytest.mark.parametrize(
    ("one", "selection"),
    [
        (message(1, sender=None), Selection(sender="<>")),
        (message(1, attempts=2), Selection(state="deferred")),
        (message(1, attempts=2, held=True), Selection(state="held")),
    ],
)
def test_the_null_path_and_the_states(one: Message, selection: Selection) -> None:
    assert selection.chosen(one) == [0]
    assert selection.chosen(message(1)) == []


def test_a_destination_is_found_by_either_form_of_its_name() -> None:
    one = message(1, "a@b\u00fccher.example")
    assert Selection(domain="b\u00fccher.example").chosen(one) == [0]
    assert Selection(domain="xn--bcher-kva.example").chosen(one) == [0]


@pytest.mark.parametrize("wrong", [{"state": "lost"}, {"domain": "a@b.example"}, {"sender": "<a@b.example>"}])
def test_what_means_nothing_is_a_sentence(wrong: dict[str, str]) -> None:
    with pytest.raises(SelectionError, match=r"is (no|an) "):
        Selection(**wrong)  # type: ignore[arg-type]
