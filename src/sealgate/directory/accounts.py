"""Local accounts: whether a login and its passphrase belong together.

Comparing is slow on purpose. It is done in a few threads, off the event loop, and no more may wait than are answered
in a few seconds. What was right is remembered for a while, so that a client that logs in for every message costs
little; of a passphrase only a keyed digest is kept, whose key is this process's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from sealgate.config.schema import Account
from sealgate.directory.passphrase import hash_passphrase, matches

THREADS = 2
"""Comparisons at the same time: each takes 64 MiB."""

MOST_WAITING = 32
"""Comparisons that may wait; another one is told to come again."""

REMEMBERED = 600.0
"""Seconds that a passphrase that was right need not be compared again."""

MOST_REMEMBERED = 10_000


class Busy(Exception):
    """Too many logins are being checked; this one has to come again."""


class Accounts:
    """The accounts in force, by login in lower case, as `accounts` gives them at the moment of need."""

    def __init__(self, accounts: Callable[[], Mapping[str, Account]]) -> None:
        self._accounts = accounts
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passphrase")
        self._waiting = 0
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._nobody: str | None = None

    async def login(self, name: str, passphrase: str) -> Account | None:
        """The account, or None if there is none of that name, it is not enabled, or the passphrase is another one.

        These take the same time: whoever asks learns nothing of which names there are. Raises `Busy`, and
        `Argon2Error` if nobody can tell now.
        """
        account = self._accounts().get(name.lower())
        if account is not None and self._is_known(account, passphrase):
            return account if account.enabled else None
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            right = await self._loop.run_in_executor(self._threads, self._compare, account, passphrase)
        finally:
            self._waiting -= 1
        if account is None or not right:
            return None
        self._remember(account, passphrase)
        return account if account.enabled else None

    def _compare(self, account: Account | None, passphrase: str) -> bool:
        """In a thread. A name that is not there is compared too, with the hash of nobody."""
        if account is not None:
            return matches(account.passphrase, passphrase)
        if self._nobody is None:
            self._nobody = hash_passphrase(secrets.token_hex(16))
        return matches(self._nobody, passphrase) and False

    def _digest(self, account: Account, passphrase: str) -> bytes:
        # With the hash, so that nothing outlives a change of the passphrase.
        text = "\0".join((account.name, account.passphrase, passphrase))
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def _is_known(self, account: Account, passphrase: str) -> bool:
        return self._right.get(self._digest(account, passphrase), 0.0) > self._loop.time()

    def _remember(self, account: Account, passphrase: str) -> None:
        self._right[self._digest(account, passphrase)] = self._loop.time() + REMEMBERED
        while len(self._right) > MOST_REMEMBERED:
            self._right.popitem(last=False)

    def close(self) -> None:
        """Compare nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
