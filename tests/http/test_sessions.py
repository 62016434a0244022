"""Sessions of operators: how long they last, and how many there are."""

from __future__ import annotations

import datetime

import pytest

from sealgate.config.schema import GuiSettings
from sealgate.control.roles import Operator
from sealgate.http.sessions import MOST, MOST_OF_ONE, Sessions, Way

AT = datetime.datetime(2024, 1, 17, tzinfo=datetime.UTC)


class House:
    """Sessions, and a clock that one sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.settings = GuiSettings(session_timeout=60, session_lifetime=600, token_lifetime=90)
        self.sessions = Sessions(lambda: self.settings, lambda: self.now)

    def open(self, name: str = "adam", way: Way = "cookie") -> str:
        return self.sessions.open(Operator(name, "web", AT, "administrator"), way, "seal")[0]

    def lives(self, secret: str, way: Way = "cookie", *, counts: bool = True) -> bool:
        return self.sessions.find(secret, way, counts=counts) is not None


@pytest.fixture
def house() -> House:
    return House()


def test_a_session_is_known_by_its_secret_and_its_way(house: House) -> None:
    secret = house.open()
    assert house.lives(secret)
    assert not house.lives(secret, "token")
    assert not house.lives(secret + "x")
    assert not house.lives("")
    assert not house.lives("\udc80")
    house.sessions.close(secret)
    assert not house.lives(secret)


def test_it_lasts_while_it_is_used_and_not_for_ever(house: House) -> None:
    used, unused, watched = house.open(), house.open(), house.open()
    for _ in range(11):
        house.now += 50
        assert house.lives(used)
        assert house.lives(watched, counts=False) is (house.now < 1060)
    assert not house.lives(unused)
    house.now += 49
    assert house.lives(used)
    house.now += 1
    assert not house.lives(used)


def test_a_shorter_time_is_one_for_open_sessions_too(house: House) -> None:
    secret = house.open()
    house.now += 30
    house.settings = GuiSettings(session_timeout=20)
    assert not house.lives(secret)


def test_a_token_lasts_its_time_however_it_is_used(house: House) -> None:
    secret = house.open(way="token")
    house.now += 80
    assert house.lives(secret, "token")
    house.now += 10
    assert not house.lives(secret, "token")


def test_the_oldest_make_room(house: House) -> None:
    first, second = house.open(), house.open()
    house.now += 1
    assert house.lives(first)
    others = [house.open() for _ in range(MOST_OF_ONE - 1)]
    assert house.lives(first)
    assert not house.lives(second)
    assert all(house.lives(each) for each in others)
    eve = [house.open(f"operator-{n}") for n in range(MOST)]
    assert sum(house.lives(each) for each in (first, *others, *eve)) == MOST


def test_all_of_one_operator_end_but_his_own(house: House) -> None:
    mine, other, eve = house.open(), house.open(), house.open("eve")
    kept = house.sessions.find(mine, "cookie", counts=True)
    house.sessions.close_all("adam", but=kept)
    assert [house.lives(each) for each in (mine, other, eve)] == [True, False, True]
    house.sessions.close_all("adam")
    assert [house.lives(each) for each in (mine, other, eve)] == [False, False, True]
