"""SMTP AUTH: what a client hears of its login, and what the log says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sealgate.config.schema import Account
from sealgate.directory.judge import LoginJudge
from sealgate.directory.logins import Logins
from sealgate.event.facts import Event, LoginFailed, LoginSucceeded
from sealgate.live.revision import Current
from sealgate.mail.reply import Reply
from sealgate.process.lease import Leases
from sealgate.smtp import replies
from sealgate.smtp.server import Login

Then = Callable[[Reply, Account | None], None]


class LoginDesk:
    """Answers the logins of all sessions of a worker."""

    def __init__(
        self,
        accounts: Logins[Account],
        leases: Leases,
        current: Current,
        emit: Callable[[Event], None],
    ) -> None:
        self._judge = LoginJudge("logins", accounts, leases, lambda: current.revision.configuration.limits)
        self._emit = emit
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, icid: int, ip: str, login: Login, then: Then) -> None:
        """`then` hears the reply, and the account if the login is right."""
        task = asyncio.get_running_loop().create_task(self._answer(icid, ip, login, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, icid: int, ip: str, login: Login, then: Then) -> None:
        judged = await self._judge.judge(ip, login.name, login.passphrase)
        if judged.kept is not None:
            self._emit(LoginSucceeded(icid, judged.kept.name, login.mechanism))
            then(replies.LOGGED_IN, judged.kept)
            return
        self._emit(LoginFailed(icid, login.name, login.mechanism, judged.reason))
        then(replies.LOGIN_PUT_OFF if judged.later else replies.LOGIN_FAILED, None)
