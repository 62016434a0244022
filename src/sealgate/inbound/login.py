"""SMTP AUTH: whether a login is right, and how often one may be wrong (RFC 4954 §9).

Failures are counted for the gateway, by host and by account. A host that has failed too often is put off, whatever
it says next; an account that has been tried too often is put off for the hosts that have failed, so that nobody can
shut its owner out from elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from sealgate.config.schema import Account, LimitSettings
from sealgate.directory.accounts import Accounts, Busy
from sealgate.event.facts import Event, LoginFailed, LoginSucceeded
from sealgate.live.revision import Current
from sealgate.mail.reply import Reply
from sealgate.process.channel import ChannelError
from sealgate.process.lease import Leases, Refused
from sealgate.process.rate import Charge
from sealgate.smtp import replies
from sealgate.smtp.server import Login

Then = Callable[[Reply, Account | None], None]

_ANY_NUMBER = 1 << 62


class LoginDesk:
    """Answers the logins of all sessions of a worker."""

    def __init__(
        self,
        accounts: Accounts,
        leases: Leases,
        current: Current,
        emit: Callable[[Event], None],
    ) -> None:
        self._accounts = accounts
        self._leases = leases
        self._current = current
        self._emit = emit
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def ask(self, icid: int, ip: str, login: Login, then: Then) -> None:
        """`then` hears the reply, and the account if the login is right."""
        task = asyncio.get_running_loop().create_task(self._answer(icid, ip, login, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, icid: int, ip: str, login: Login, then: Then) -> None:
        # One after the other for each host: else many guesses at once would all be judged before the first is counted.
        turn = self._turns.setdefault(ip, asyncio.Lock())
        async with turn:
            reply, account, reason = await self._judge(ip, login)
        if account is not None:
            self._emit(LoginSucceeded(icid, account.name, login.mechanism))
        else:
            self._emit(LoginFailed(icid, login.name, login.mechanism, reason))
        then(reply, account)

    async def _judge(self, ip: str, login: Login) -> tuple[Reply, Account | None, str]:
        try:
            if await self._is_put_off(ip, login.name):
                return replies.LOGIN_PUT_OFF, None, "too many failures before"
            account = await self._accounts.login(login.name, login.passphrase)
            if account is None:
                await self._count(ip, login.name)
                return replies.LOGIN_FAILED, None, "wrong login or passphrase"
        except Busy:
            return replies.LOGIN_PUT_OFF, None, "too many logins at once"
        except ChannelError:
            return replies.LOGIN_PUT_OFF, None, "failures cannot be counted: the supervisor is gone"
        except Exception as error:  # for want of memory, as a rule; the client must hear something, and not "wrong"
            return replies.LOGIN_PUT_OFF, None, f"the passphrase could not be compared: {error}"
        return replies.LOGGED_IN, account, ""

    @property
    def _limits(self) -> LimitSettings:
        return self._current.revision.configuration.limits

    async def _is_put_off(self, ip: str, name: str) -> bool:
        most = self._limits.auth_failures
        host, account = _host(ip), _account(name)
        answer = await self._ask((host, most, 0), (account, most, 0))
        if not isinstance(answer, Refused):
            return False
        return answer.key == host or isinstance(await self._ask((host, 1, 0)), Refused)

    async def _count(self, ip: str, name: str) -> None:
        await self._ask((_host(ip), _ANY_NUMBER, 1), (_account(name), _ANY_NUMBER, 1))

    async def _ask(self, *counts: tuple[str, int, int]) -> object:
        span = self._limits.auth_window
        charges: list[Charge] = [(*count, span) for count in counts]
        return await self._leases.acquire((), charges)


def _host(ip: str) -> str:
    return f"wrong logins {ip}"


def _account(name: str) -> str:
    return f"wrong logins for {name.lower()}"
