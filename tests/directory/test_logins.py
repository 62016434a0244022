"""Logins that the gateway keeps: right, wrong, unknown and disabled ones, and that checking has its bounds."""

from __future__ import annotations

import asyncio

import pytest
from argon2.exceptions import Argon2Error

from sealgate.config.schema import Account
from sealgate.directory import logins as rooms
from sealgate.directory.logins import Busy, Logins
from sealgate.directory.passphrase import LONGEST, hash_passphrase, matches


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_passphrase("open sesame")


def made(known: list[Account]) -> Logins[Account]:
    return Logins(lambda: {each.name: each for each in known})


async def test_a_right_passphrase_gives_the_account(hashed: str) -> None:
    known = [
        Account(name="me@inside.example", passphrase=hashed),
        Account(name="gone", passphrase=hashed, enabled=False),
    ]
    desk = made(known)
    assert await desk.login("me@inside.example", "open sesame") is known[0]
    assert await desk.login("ME@Inside.Example", "open sesame") is known[0]
    assert await desk.login("me@inside.example", "open Sesame") is None
    assert await desk.login("nobody", "open sesame") is None
    assert await desk.login("gone", "open sesame") is None
    assert await desk.login("gone", "open sesame") is None  # remembered as right, and not enabled still
    desk.close()


async def test_what_was_right_is_not_compared_again_until_it_changes(
    hashed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def counted(kept: str, passphrase: str) -> bool:
        compared.append(passphrase)
        return matches(kept, passphrase)

    monkeypatch.setattr(rooms, "matches", counted)
    known = [Account(name="me", passphrase=hashed)]
    desk = made(known)
    for _ in range(5):
        assert await desk.login("me", "open sesame") is not None
    assert await desk.login("me", "wrong") is None
    assert compared == ["open sesame", "wrong"]
    known[0] = Account(name="me", passphrase=hash_passphrase("another one"))
    assert await desk.login("me", "open sesame") is None
    desk.close()


async def test_only_so_many_wait(hashed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_WAITING", 3)
    desk = made([Account(name="me", passphrase=hashed)])
    answers = await asyncio.gather(*(desk.login("me", f"wrong {n}") for n in range(5)), return_exceptions=True)
    assert [isinstance(each, Busy) for each in answers] == [False] * 3 + [True] * 2
    desk.close()


async def test_a_comparison_that_fails_for_another_reason_is_not_a_wrong_passphrase(hashed: str) -> None:
    broken = hashed.replace("m=65536", "m=1")  # too little for the algorithm
    desk = made([Account(name="me", passphrase=broken)])
    with pytest.raises(Argon2Error):
        await desk.login("me", "open sesame")
    desk.close()


def test_a_passphrase_of_no_reasonable_length_is_none(hashed: str) -> None:
    assert matches(hashed, "open sesame")
    assert not matches(hash_passphrase("x" * (LONGEST + 1)), "x" * (LONGEST + 1))
    assert not matches("no hash", "open sesame")
