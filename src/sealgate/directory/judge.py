"""How often a login may be wrong (RFC 4954 §9).

Failures are counted for the gateway, by the place they come from and by the login. A place that has failed too often
is put off, whatever it says next; a login that has been tried too often is put off for the places that have failed, so
that nobody can shut its owner out from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic
from weakref import WeakValueDictionary

from sealgate.config.schema import LimitSettings
from sealgate.directory.logins import Busy, K, Logins
from sealgate.process.channel import ChannelError
from sealgate.process.lease import Leases, Refused
from sealgate.process.rate import Charge

_ANY_NUMBER = 1 << 62


@dataclass(frozen=True, slots=True)
class Judgement(Generic[K]):
    """What is kept of the login, if it is right; else why not, and whether that says nothing about the passphrase."""

    kept: K | None
    reason: str = ""
    later: bool = False


class LoginJudge(Generic[K]):
    """Judges logins of one kind: `what` says which, as "logins"."""

    def __init__(self, what: str, logins: Logins[K], leases: Leases, limits: Callable[[], LimitSettings]) -> None:
        self._what = what
        self._logins = logins
        self._leases = leases
        self._limits = limits
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def judge(self, place: str, name: str, passphrase: str) -> Judgement[K]:
        """One login from this place: a host, or a user of the machine."""
        # One after the other for each place: else many guesses at once would all be judged before the first is counted.
        turn = self._turns.setdefault(place, asyncio.Lock())
        async with turn:
            return await self._judge(place, name, passphrase)

    async def _judge(self, place: str, name: str, passphrase: str) -> Judgement[K]:
        try:
            if await self._is_put_off(place, name):
                return Judgement(None, "too many failures before", later=True)
            kept = await self._logins.login(name, passphrase)
            if kept is None:
                await self._count(place, name)
                return Judgement(None, "wrong login or passphrase")
        except Busy:
            return Judgement(None, "too many logins at once", later=True)
        except ChannelError:
            return Judgement(None, "failures cannot be counted: the supervisor is gone", later=True)
        except Exception as error:  # for want of memory, as a rule; the client must hear something, and not "wrong"
            return Judgement(None, f"the passphrase could not be compared: {error}", later=True)
        return Judgement(kept)

    async def _is_put_off(self, place: str, name: str) -> bool:
        most = self._limits().auth_failures
        of_place, of_login = self._keys(place, name)
        answer = await self._ask((of_place, most, 0), (of_login, most, 0))
        if not isinstance(answer, Refused):
            return False
        return answer.key == of_place or isinstance(await self._ask((of_place, 1, 0)), Refused)

    async def _count(self, place: str, name: str) -> None:
        of_place, of_login = self._keys(place, name)
        await self._ask((of_place, _ANY_NUMBER, 1), (of_login, _ANY_NUMBER, 1))

    def _keys(self, place: str, name: str) -> tuple[str, str]:
        return f"wrong {self._what} {place}", f"wrong {self._what} for {name.lower()}"

    async def _ask(self, *counts: tuple[str, int, int]) -> object:
        span = self._limits().auth_window
        charges: list[Charge] = [(*count, span) for count in counts]
        return await self._leases.acquire((), charges)
