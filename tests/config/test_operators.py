"""Rules about operators."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.check import check
from sealgate.config.check_operators import last_administrator_gone, own_losses
from sealgate.config.document import parse, render
from sealgate.config.masking import masked
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import Configuration
from tests.config.samples import HASH, LIBRARY, configuration


def row(name: str = "admin", role: str = "administrator", **more: Any) -> dict[str, Any]:
    return {"name": name, "role": role, "passphrase": HASH, **more}


def operators(*rows: dict[str, Any]) -> Configuration:
    return configuration(operators=list(rows))


def problems(*rows: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in check(operators(*rows), LIBRARY)]


def test_nobody_is_legal_and_so_is_one_administrator() -> None:
    assert problems() == []
    assert problems(row()) == []
    assert problems(row(), row("lea", "operator", enabled=False), row("max", "read-only", full_name="Max M.")) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("lea", "operator")], "operators: none of them is an administrator and enabled; let one be both"),
        ([row(enabled=False)], "operators: none of them is an administrator and enabled; let one be both"),
        ([row(), row("ADMIN", "operator")], "operators[1].name: 'admin' stands here a second time; keep one row"),
        ([row("root")], "operators[0].name: the audit record says 'root' of acts that no operator has done"),
    ],
)
def test_what_may_not_be(rows: list[dict[str, Any]], expected: str) -> None:
    (problem,) = problems(*rows)
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    "wrong", [row("a b"), row(""), row(role="root"), row(passphrase="plain"), row(full_name="a\nb"), row(mail="x")]
)
def test_values_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="operators"):
        operators(wrong)


def test_once_there_is_an_administrator_there_is_one() -> None:
    assert list(last_administrator_gone(operators(), operators())) == []
    assert list(last_administrator_gone(operators(), operators(row()))) == []
    (problem,) = last_administrator_gone(operators(row()), operators())
    assert str(problem).startswith("operators: no administrator would be left")


def test_nobody_takes_from_himself_unseen() -> None:
    before = operators(row(), row("lea"))
    assert list(own_losses("lea", before, before)) == []
    assert list(own_losses("lea", before, operators(row("lea")))) == []  # of others he may
    assert list(own_losses("root", before, operators(row()))) == []
    told = [
        [str(remark) for remark in own_losses("lea", before, after)]
        for after in (
            operators(row()),
            operators(row(), row("lea", enabled=False)),
            operators(row(), row("lea", "operator")),
        )
    ]
    assert [sentences[0].partition(":")[0] for sentences in told] == [
        "operators",
        "operators[lea].enabled",
        "operators[lea].role",
    ]


def test_hashes_are_masked_and_a_masked_file_is_refused() -> None:
    settings = operators(row())
    assert HASH not in str(masked(settings))
    text = render(settings, mask=True)
    assert HASH not in text
    with pytest.raises(ConfigurationError, match="masked"):
        parse(text)
    assert parse(render(settings)) == settings
