"""The desk that answers logins: what is counted, who is put off, and that many guesses at once are no way around it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from argon2.exceptions import HashingError

from sealgate.config.schema import Account, Configuration
from sealgate.directory.logins import Busy
from sealgate.event.facts import Event, LoginFailed, LoginSucceeded
from sealgate.inbound.login import LoginDesk
from sealgate.process.lease import Refused, Want
from sealgate.process.rate import Charge, RateBook
from sealgate.smtp.server import Login
from tests.config.samples import HASH, configuration

OWNER = Account(name="me@inside.example", passphrase=HASH)


@dataclass
class Book:
    """Leases that only count."""

    rates: RateBook = field(default_factory=lambda: RateBook(lambda: 0.0))

    def acquire(self, wants: Sequence[Want], charges: Sequence[Charge]) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        refused = self.rates.take(charges)
        answer = None if refused is None else Refused(refused)
        asyncio.get_running_loop().call_later(0.001, future.set_result, answer)
        return future


@dataclass
class Known:
    """Accounts of which one is right."""

    trouble: Exception | None = None
    asked: int = 0

    async def login(self, name: str, passphrase: str) -> Account | None:
        self.asked += 1
        await asyncio.sleep(0.001)
        if self.trouble is not None:
            raise self.trouble
        return OWNER if (name, passphrase) == (OWNER.name, "right") else None


@dataclass
class Current:
    configuration: Configuration

    @property
    def revision(self) -> Current:
        return self


class Desk:
    def __init__(self, most: int = 3) -> None:
        self.known = Known()
        self.events: list[Event] = []
        settings = configuration(limits={"auth_failures": most, "auth_window": 60})
        self.desk = LoginDesk(self.known, Book(), Current(settings), self.events.append)  # type: ignore[arg-type]

    async def ask(self, ip: str, passphrase: str, name: str = OWNER.name) -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        login = Login("PLAIN", name, passphrase)
        self.desk.ask(1, ip, login, lambda reply, account: told.set_result(reply.code))
        return await told


async def test_right_and_wrong() -> None:
    desk = Desk()
    assert await desk.ask("192.0.2.1", "right") == 235
    assert await desk.ask("192.0.2.1", "wrong") == 535
    assert [type(event) for event in desk.events] == [LoginSucceeded, LoginFailed]


async def test_a_host_that_fails_too_often_is_put_off_whatever_it_says() -> None:
    desk = Desk()
    assert [await desk.ask("192.0.2.1", "wrong", f"guess {n}") for n in range(5)] == [535] * 3 + [454] * 2
    assert await desk.ask("192.0.2.1", "right") == 454
    assert await desk.ask("192.0.2.2", "right") == 235


async def test_an_account_that_many_hosts_try_stays_open_for_its_owner() -> None:
    desk = Desk()
    assert [await desk.ask(f"192.0.2.{n}", "wrong") for n in range(1, 4)] == [535] * 3
    assert await desk.ask("192.0.2.1", "wrong") == 454  # it has failed before
    assert await desk.ask("192.0.2.1", "right") == 454
    assert await desk.ask("198.51.100.1", "right") == 235  # it has not
    assert await desk.ask("192.0.2.1", "wrong", "another account") == 535


async def test_many_guesses_at_once_are_judged_one_after_the_other() -> None:
    desk = Desk()
    answers = await asyncio.gather(*(desk.ask("192.0.2.1", f"guess {n}") for n in range(20)))
    assert sorted(answers) == [454] * 17 + [535] * 3
    assert desk.known.asked == 3


@pytest.mark.parametrize("trouble", [Busy(), HashingError("Memory allocation error")])
async def test_a_login_that_cannot_be_checked_is_put_off_and_not_counted(trouble: Exception) -> None:
    desk = Desk(most=1)
    desk.known.trouble = trouble
    assert [await desk.ask("192.0.2.1", "right") for _ in range(3)] == [454] * 3
    desk.known.trouble = None
    assert await desk.ask("192.0.2.1", "right") == 235
