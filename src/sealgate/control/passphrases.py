"""Passphrases on their way into the configuration: whoever sets one sends it plain, and only its hash is kept.

In a step of an edit a passphrase is `{"plain": "…"}` in place of a hash.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sealgate.config.edit import Add, Set, Step, edited
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.directory.logins import Busy
from sealgate.directory.passphrase import fault_of
from sealgate.process.channel import ChannelError

Hash = Callable[[str], Awaitable[str]]

SETTING = "passphrase"
FIRST = "admin"
"""The first administrator, if nobody says otherwise."""


async def with_hashes(steps: Sequence[Mapping[str, Any]], hashed: Hash) -> list[Mapping[str, Any]]:
    """The steps with a hash for each plain passphrase. `ConfigurationError` if one cannot be a passphrase."""
    return [await _with_hash(step, hashed) for step in steps]


async def _with_hash(step: Mapping[str, Any], hashed: Hash) -> Mapping[str, Any]:
    match step:
        case {"set": str(path), "value": {"plain": str(text)}} if path.endswith(f".{SETTING}"):
            return {**step, "value": await hash_of(path, text, hashed)}
        case {"add": str(table), "row": {"passphrase": {"plain": str(text)}, **rest}}:
            return {**step, "row": {**rest, SETTING: await hash_of(f"{table}.{SETTING}", text, hashed)}}
    return step


async def hash_of(path: str, text: str, hashed: Hash) -> str:
    """The hash of one. `ConfigurationError` if it cannot be one, `ChannelError` if it cannot be made now."""
    fault = fault_of(text)
    if fault is not None:
        raise ConfigurationError((Problem(path, fault),))
    try:
        return await hashed(text)
    except Busy:
        raise ChannelError("too many passphrases are being looked at; try again") from None
    except Exception as error:  # for want of memory, as a rule
        raise ChannelError(f"the passphrase could not be hashed: {error}") from error


def whose(configuration: Configuration, asker: str | None, name: str | None) -> str:
    """Whose passphrase is meant; `ChannelError` if that is not clear, or nobody has that name.

    `asker` is the operator who asks, if he has logged in by name. Without operators the name is that of the first.
    """
    known = configuration.operator_of
    if name is not None:
        if known and name.lower() not in known:
            raise ChannelError(f"there is no operator {name!r}; there are {', '.join(known)}")
        return name.lower()
    if asker is not None and asker in known:
        return asker
    if not known:
        return FIRST
    administrators = [each.name for each in known.values() if each.role == "administrator"]
    if len(administrators) == 1:
        return administrators[0]
    raise ChannelError(f"say whose passphrase; there are {', '.join(known)}")


def with_passphrase(configuration: Configuration, name: str, hashed: str) -> Configuration:
    """With another hash for this operator; the first one is made an administrator."""
    step: Step = Set(f"operators[{name}].{SETTING}", hashed)
    if not configuration.operators:
        step = Add("operators", {"name": name, "role": "administrator", SETTING: hashed})
    return edited(configuration, [step])


def with_operators_of(present: Configuration, old: Configuration) -> Configuration:
    """An old configuration; one from before there were operators takes nothing from those that there are."""
    if old.operators or not present.operators:
        return old
    kept = present.model_dump(mode="json", include={"operators"})
    return Configuration.model_validate({**old.model_dump(mode="json"), **kept})
