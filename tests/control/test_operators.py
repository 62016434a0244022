"""Operators in memory: logins, the role of the moment, passphrases on their way, and the record of acts."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import Configuration
from sealgate.control.acts import Acts
from sealgate.control.login import OperatorDesk, Seat, operators_in_force
from sealgate.control.passphrases import whose, with_hashes, with_operators_of, with_passphrase
from sealgate.control.roles import Operator
from sealgate.directory.passphrase import generated, hash_passphrase
from sealgate.event.facts import ChangesCleared, Event, Note, OperatorLoggedIn, OperatorLoginFailed
from sealgate.process.channel import ChannelError
from sealgate.process.lease import Refused, Want
from sealgate.process.rate import Charge, RateBook
from sealgate.store.audit import Act, Audit
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from tests.config.samples import HASH, configuration

NOW = datetime.datetime(2024, 1, 17, 20, 0, tzinfo=datetime.UTC)
PEER = Operator("root", "cli", NOW, "administrator")
GIVEN = "open sesame"
GIVEN_HASH = hash_passphrase(GIVEN)


def row(name: str, role: str = "administrator", **more: Any) -> dict[str, Any]:
    return {"name": name, "role": role, "passphrase": GIVEN_HASH, **more}


class Book:
    """Leases that only count."""

    def __init__(self) -> None:
        self._rates = RateBook(lambda: 0.0)

    def acquire(self, wants: Sequence[Want], charges: Sequence[Charge]) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        refused = self._rates.take(charges)
        future.set_result(None if refused is None else Refused(refused))
        return future


class House:
    """What control has of operators, over a store on disk."""

    def __init__(self, folder: Path, *rows: dict[str, Any]) -> None:
        path = folder / "revisions.db"
        self.revisions = Revisions(path)
        self.events: list[Event] = []
        self.audit = Audit(path)
        acts = Acts(self.audit, self.events.append, lambda: NOW)
        self.store(*rows)
        self.logins = operators_in_force(self.revisions)
        self.desk = OperatorDesk(self.revisions, self.logins, Book(), acts)  # type: ignore[arg-type]
        self.seat = Seat(PEER, self.desk)

    def store(self, *rows: dict[str, Any]) -> None:
        settings = configuration(operators=list(rows), limits={"auth_failures": 3, "auth_window": 60})
        self.revisions.add(settings, who="init", comment="", at=NOW, face="cli")


async def test_a_seat_is_the_users_until_somebody_logs_in(tmp_path: Path) -> None:
    house = House(tmp_path, row("admin"), row("lea", "operator"))
    assert house.seat.operator == PEER
    await house.seat.login("LEA", GIVEN)
    assert house.seat.operator == Operator("lea", "cli", NOW, "operator")
    assert house.events == [OperatorLoggedIn("lea", "operator", "cli", "root")]
    assert house.audit.list(9) == (Act(NOW, "lea", "cli", "login", {"by": "root", "role": "operator"}),)


async def test_wrong_unknown_and_disabled_are_one_answer_and_soon_put_off(tmp_path: Path) -> None:
    house = House(tmp_path, row("admin"), row("gone", "operator", enabled=False))
    for name, passphrase in (("admin", "open Sesame"), ("nobody", GIVEN), ("gone", GIVEN)):
        with pytest.raises(ChannelError, match="nobody was logged in: wrong login or passphrase"):
            await house.seat.login(name, passphrase)
    with pytest.raises(ChannelError, match="nobody was logged in: too many failures before"):
        await house.seat.login("admin", GIVEN)
    assert house.seat.operator == PEER
    assert [type(event) for event in house.events] == [OperatorLoginFailed] * 4
    assert [act.act for act in house.audit.list(9)] == ["login failed"] * 4
    assert GIVEN not in str(house.audit.list(9))


async def test_the_role_is_the_one_of_the_moment(tmp_path: Path) -> None:
    house = House(tmp_path, row("admin"), row("lea"))
    await house.seat.login("lea", GIVEN)
    house.store(row("admin"), row("lea", "read-only"))
    assert house.seat.operator.role == "read-only"
    for rows in ([row("admin"), row("lea", enabled=False)], [row("admin")]):
        house.store(*rows)
        with pytest.raises(ChannelError, match="lea is no operator of this gateway any more"):
            _ = house.seat.operator


async def hashed(text: str) -> str:
    return f"{HASH[:-1]}{text[0]}"


async def test_plain_passphrases_of_steps_become_hashes_and_nothing_else_does() -> None:
    steps: list[dict[str, Any]] = [
        {"set": "operators[a].passphrase", "value": {"plain": "x marks it"}},
        {"add": "accounts", "row": {"name": "b", "passphrase": {"plain": "yes please"}}},
        {"set": "gateway.hostname", "value": {"plain": "a.example"}},
        {"add": "routes", "row": {"domain": "a.example"}},
        {"remove": "routes", "name": "a.example"},
    ]
    ready = await with_hashes(steps, hashed)
    assert ready[0] == {"set": "operators[a].passphrase", "value": HASH[:-1] + "x"}
    assert ready[1] == {"add": "accounts", "row": {"name": "b", "passphrase": HASH[:-1] + "y"}}
    assert ready[2:] == steps[2:]
    for bad in ("short", "x" * 1025, "no \udcff text"):
        with pytest.raises(ConfigurationError, match=r"operators\[a\].passphrase: a passphrase "):
            await with_hashes([{"set": "operators[a].passphrase", "value": {"plain": bad}}], hashed)


def settings(*rows: dict[str, Any]) -> Configuration:
    return configuration(operators=list(rows))


def test_whose_passphrase_is_meant() -> None:
    two = settings(row("admin"), row("lea", "operator"))
    assert whose(two, None, "Lea") == "lea"
    assert whose(two, "lea", None) == "lea"
    assert whose(two, "root", None) == "admin"
    assert whose(settings(), None, None) == "admin"
    assert whose(settings(), None, "Max") == "max"
    with pytest.raises(ChannelError, match="there is no operator 'max'; there are admin, lea"):
        whose(two, None, "max")
    with pytest.raises(ChannelError, match="say whose passphrase; there are a, b"):
        whose(settings(row("a"), row("b")), "root", None)


def test_the_first_passphrase_makes_the_first_administrator() -> None:
    (first,) = with_passphrase(settings(), "max", HASH).operators
    assert (first.name, first.role, first.passphrase, first.enabled) == ("max", "administrator", HASH, True)
    changed = with_passphrase(settings(row("a"), row("b", "operator")), "b", HASH)
    assert [(each.name, each.role, each.passphrase == HASH) for each in changed.operators] == [
        ("a", "administrator", False),
        ("b", "operator", True),
    ]


def test_a_configuration_from_before_there_were_operators_takes_nothing_from_them() -> None:
    present, old = settings(row("a")), settings()
    assert with_operators_of(present, old).operator_of.keys() == {"a"}
    assert with_operators_of(present, settings(row("b"))).operator_of.keys() == {"b"}
    assert with_operators_of(settings(), old) is old


def test_generated_passphrases_are_long_and_never_the_same() -> None:
    made = {generated() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each.replace("-", "")) == 20 for each in made)


class FullDisk:
    """An audit record that cannot be written."""

    def add(self, act: Act) -> None:
        raise StoreError("the disk is full")


def test_an_act_that_cannot_be_written_down_is_stated_all_the_same() -> None:
    events: list[Event] = []
    acts = Acts(FullDisk(), events.append, lambda: NOW)  # type: ignore[arg-type]
    acts.add(PEER, "clearchanges", ChangesCleared("root"))
    note = Note("Critical", "clearchanges by root is not in the audit record: the disk is full")
    assert events == [note, ChangesCleared("root")]
