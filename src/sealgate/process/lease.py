"""Leases: limits that hold for the gateway, not for one worker.

A lease is the right to count one against some keys ("connections", "host 192.0.2.1", …). The supervisor
keeps the book; a worker asks for what it needs, all or nothing, and loses all it holds when it dies. What may
happen only so often within a span of time (`sealgate.process.rate`) is asked for in the same breath.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sealgate.process.channel import Body, Channel
from sealgate.process.rate import Charge, RateBook

Want = tuple[str, int]  # a key, and how many may hold it at once
PATIENCE = 0.002  # seconds that what is given back may wait for a request to travel with
MOST_KEYS = 100_000  # different keys that one worker may hold: a fault in it must not eat the supervisor


class LeaseBook:
    """Who holds how much of what. Pure; the limit comes with each request, so that it is always today's."""

    def __init__(self) -> None:
        self._total: dict[str, int] = {}
        self._held: dict[str, dict[str, int]] = {}

    def acquire(self, owner: str, wants: Sequence[Want]) -> str | None:
        """Grant all of `wants` and return None, or grant nothing and return the first key that is full."""
        mine = self._held.setdefault(owner, {})
        for taken, (key, limit) in enumerate(wants):
            count = self._total.get(key, 0)
            if count >= limit or len(mine) >= MOST_KEYS:
                self.release(owner, [key for key, _ in wants[:taken]])
                return key
            self._total[key] = count + 1
            mine[key] = mine.get(key, 0) + 1
        return None

    def release(self, owner: str, keys: Sequence[str]) -> None:
        """Give back; what the owner does not hold is passed over."""
        mine = self._held.get(owner, {})
        for key in keys:
            if key in mine:
                _less(mine, key, 1)
                _less(self._total, key, 1)

    def drop(self, owner: str) -> None:
        """Give back everything that a dead owner held."""
        for key, count in self._held.pop(owner, {}).items():
            _less(self._total, key, count)

    def holders(self, key: str) -> dict[str, int]:
        """How many of `key` each owner holds."""
        return {owner: held[key] for owner, held in self._held.items() if key in held}


def _less(counts: dict[str, int], key: str, by: int) -> None:
    left = counts[key] - by
    if left:
        counts[key] = left
    else:
        del counts[key]


@dataclass(frozen=True, slots=True)
class Refused:
    """No lease: as many as allowed hold `key` already."""

    key: str


class Giver(Protocol):
    """Whoever takes leases back."""

    def give(self, keys: list[str]) -> None:
        """These are given back."""


class Lease:
    """What was granted. It ends with release(), and no later than when nobody knows it any more."""

    __slots__ = ("_keys", "_leases")

    def __init__(self, leases: Giver, keys: list[str]) -> None:
        self._leases = leases
        self._keys = keys

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        if self._keys:
            self._leases.give(self._keys)
            self._keys = []

    # A task may be cancelled in the very turn in which its lease arrives: then nobody is left to release it.
    __del__ = release


class Leases:
    """The worker's side: all that is asked and given back in one turn of the event loop is one message."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._takes: list[tuple[asyncio.Future[Lease | Refused], Sequence[Want], Sequence[Charge]]] = []
        self._gives: list[list[str]] = []
        self._scheduled = False

    def acquire(self, wants: Sequence[Want], charges: Sequence[Charge] = ()) -> asyncio.Future[Lease | Refused]:
        """All of `wants` and `charges`, or nothing. The future gets a Lease or Refused, or raises ChannelClosed."""
        future: asyncio.Future[Lease | Refused] = self._loop.create_future()
        self._takes.append((future, wants, charges))
        self._schedule()
        return future

    def give(self, keys: list[str]) -> None:
        """Give back what a lease held; Lease.release calls it."""
        if self._channel.open:
            self._gives.append(keys)
            if not self._scheduled and len(self._gives) == 1:
                self._loop.call_later(PATIENCE, self._give_all)

    def _give_all(self) -> None:
        """Nothing was asked for meanwhile that they could have travelled with."""
        if self._gives and not self._scheduled and self._channel.open:
            self._ask()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._ask)

    def _ask(self) -> None:
        takes, gives = self._takes, self._gives
        self._takes, self._gives, self._scheduled = [], [], False
        if takes:
            body: Body = {"give": gives, "take": [[wants, charges] for _, wants, charges in takes]}
            self._channel.call("lease", body).add_done_callback(partial(self._answered, takes))
        else:
            self._channel.notify("lease", {"give": gives})

    def _answered(
        self,
        takes: list[tuple[asyncio.Future[Lease | Refused], Sequence[Want], Sequence[Charge]]],
        answer: asyncio.Future[Body],
    ) -> None:
        error = answer.exception()
        results = [None] * len(takes) if error else answer.result()["refused"]
        for (future, wants, _), refused in zip(takes, results, strict=True):
            if error:
                if not future.done():
                    future.set_exception(error)
            elif refused is not None:
                if not future.done():
                    future.set_result(Refused(refused))
            else:
                lease = Lease(self, [key for key, _ in wants])
                if not future.done():  # otherwise the lease ends here, unknown to anybody
                    future.set_result(lease)


def serve(book: LeaseBook, rates: RateBook, owner: str, body: Body) -> Body:
    """The supervisor's side of one message. Raises TypeError, ValueError, KeyError when it is malformed."""
    for keys in body["give"]:
        book.release(owner, keys)
    return {"refused": [_take(book, rates, owner, *each) for each in body.get("take", ())]}


def _take(book: LeaseBook, rates: RateBook, owner: str, wants: Sequence[Want], charges: Sequence[Charge]) -> str | None:
    """The first key that is full, of leases or of rates; then nothing was taken."""
    refused = book.acquire(owner, wants)
    if refused is None and charges:
        refused = rates.take(charges)
        if refused is not None:
            book.release(owner, [key for key, _ in wants])
    return refused
