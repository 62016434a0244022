"""Logins kept by the gateway itself: whether a name and a passphrase belong together.

There are two kinds, accounts for SMTP AUTH and operators. What is the same about them is here.

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
from typing import Generic, Protocol, TypeVar

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


class Kept(Protocol):
    """What is kept of a login."""

    @property
    def name(self) -> str:
        """The login."""

    @property
    def passphrase(self) -> str:
        """The hash of its passphrase."""

    @property
    def enabled(self) -> bool:
        """Whether it works."""


K = TypeVar("K", bound=Kept)


class Logins(Generic[K]):
    """The logins in force, by name in lower case, as `kept` gives them at the moment of need."""

    def __init__(self, kept: Callable[[], Mapping[str, K]]) -> None:
        self._kept = kept
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passphrase")
        self._waiting = 0
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._nobody: str | None = None

    async def login(self, name: str, passphrase: str) -> K | None:
        """What is kept, or None if there is nothing of that name, it is not enabled, or the passphrase is another one.

        These take the same time: whoever asks learns nothing of which names there are. Raises `Busy`, and
        `Argon2Error` if nobody can tell now.
        """
        kept = self._kept().get(name.lower())
        if kept is not None and self._is_known(kept, passphrase):
            return kept if kept.enabled else None
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            right = await self._loop.run_in_executor(self._threads, self._compare, kept, passphrase)
        finally:
            self._waiting -= 1
        if kept is None or not right:
            return None
        self._remember(kept, passphrase)
        return kept if kept.enabled else None

    def _compare(self, kept: K | None, passphrase: str) -> bool:
        """In a thread. A name that is not there is compared too, with the hash of nobody."""
        if kept is not None:
            return matches(kept.passphrase, passphrase)
        if self._nobody is None:
            self._nobody = hash_passphrase(secrets.token_hex(16))
        return matches(self._nobody, passphrase) and False

    def _digest(self, kept: K, passphrase: str) -> bytes:
        # With the hash, so that nothing outlives a change of the passphrase.
        text = "\0".join((kept.name, kept.passphrase, passphrase))
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def _is_known(self, kept: K, passphrase: str) -> bool:
        return self._right.get(self._digest(kept, passphrase), 0.0) > self._loop.time()

    def _remember(self, kept: K, passphrase: str) -> None:
        self._right[self._digest(kept, passphrase)] = self._loop.time() + REMEMBERED
        while len(self._right) > MOST_REMEMBERED:
            self._right.popitem(last=False)

    async def hashed(self, passphrase: str) -> str:
        """What would be kept of this passphrase. Raises `Busy`, and `Argon2Error`."""
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            return await self._loop.run_in_executor(self._threads, hash_passphrase, passphrase)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Compare nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
