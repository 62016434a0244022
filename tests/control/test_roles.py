"""The table of requests and roles has every request, and nothing that is none."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

import sealgate.control
from sealgate.control.roles import LEAST, RANKS, NotAllowed, Operator, permit
from sealgate.process.channel import ChannelError

ROOM = Path(sealgate.control.__file__).parent


def operator(role: str) -> Operator:
    return Operator("lea", "cli", datetime.datetime.now(datetime.UTC), role)  # type: ignore[arg-type]


def handled() -> Iterator[str]:
    """Every request for which control has a case."""
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Match) and isinstance(node.subject, ast.Name) and node.subject.id == "op":
                for case in node.cases:
                    assert isinstance(case.pattern, ast.MatchValue), f"{path.name} has a case for any request"
                    assert isinstance(case.pattern.value, ast.Constant)
                    yield str(case.pattern.value.value)


def test_every_request_stands_in_the_table() -> None:
    assert set(handled()) == LEAST.keys()
    assert len(LEAST) > 25


@pytest.mark.parametrize("role", RANKS)
@pytest.mark.parametrize("op", LEAST)
def test_a_role_may_what_is_its_own_and_what_is_below(op: str, role: str) -> None:
    order = ["read-only", "operator", "administrator"]
    if order.index(role) >= order.index(LEAST[op]):
        permit(operator(role), op)
    else:
        with pytest.raises(NotAllowed, match=f"lea is .*{role}, and '{op}' takes an"):
            permit(operator(role), op)


def test_only_administrators_change_what_is_in_force() -> None:
    looking = {op for op, role in LEAST.items() if role == "read-only"}
    assert looking.isdisjoint({"edit", "load", "commit", "loadconfig", "rollback", "confirm", "discard", "stop"})
    acting = {op for op, role in LEAST.items() if role == "operator"}
    assert acting == {"queue-body", "queue-act", "suspend", "resume", "verify"}


def test_what_is_not_in_the_table_nobody_may_ask_for() -> None:
    with pytest.raises(ChannelError, match="does not know the request 'format-disk'"):
        permit(operator("administrator"), "format-disk")
