"""Rules about operators: that somebody can always administer the gateway, and that each name means one person."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration

RESERVED = ("gateway", "init", "offline", "root", "sealgate")
"""Names that the log and the audit record have for the gateway itself and for users of the machine."""


def operator_problems(configuration: Configuration) -> Iterator[Problem]:
    """Every problem of the operators by themselves."""
    for index, operator in enumerate(configuration.operators):
        if operator.name in RESERVED:
            yield Problem(
                f"operators[{index}].name",
                f"the audit record says {operator.name!r} of acts that no operator has done; choose another name",
            )
    if configuration.operators and not has_administrator(configuration):
        yield Problem("operators", "none of them is an administrator and enabled; let one be both")


def has_administrator(configuration: Configuration) -> bool:
    """Whether somebody who logs in may do everything."""
    return any(operator.role == "administrator" and operator.enabled for operator in configuration.operators)


def last_administrator_gone(before: Configuration, after: Configuration) -> Iterator[Problem]:
    """Once there is an administrator there is one. Without operators nobody but root gets in."""
    if has_administrator(before) and not after.operators:
        yield Problem(
            "operators", "no administrator would be left; keep the operators that there are, or name one here"
        )


def own_losses(name: str, before: Configuration, after: Configuration) -> Iterator[Problem]:
    """What the operator of that name takes from himself: it may be meant, and should not happen unseen."""
    was, remains = before.operator_of.get(name), after.operator_of.get(name)
    if was is None or not was.enabled:
        return
    if remains is None:
        yield Problem("operators", f"you remove yourself, {name}: your next request will be refused")
    elif not remains.enabled:
        yield Problem(f"operators[{name}].enabled", f"you disable yourself, {name}: your next request will be refused")
    elif was.role == "administrator" and remains.role != "administrator":
        yield Problem(
            f"operators[{name}].role", f"you, {name}, will be no administrator any more, and could not undo this"
        )
