from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.process import lease as leases
from sealgate.process.channel import Answer, Body, Channel, ChannelClosed
from sealgate.process.lease import Lease, LeaseBook, Leases, Refused, Want, serve
from sealgate.process.rate import RateBook


def test_a_limit_admits_exactly_so_many() -> None:
    book = LeaseBook()
    owners = ["worker-1", "worker-2"] * 4
    assert [book.acquire(owner, [("k", 5)]) for owner in owners] == [None] * 5 + ["k"] * 3
    assert book.holders("k") == {"worker-1": 3, "worker-2": 2}


def test_all_or_nothing() -> None:
    book = LeaseBook()
    assert book.acquire("a", [("host", 1)]) is None
    assert book.acquire("b", [("all", 9), ("host", 1), ("more", 9)]) == "host"
    assert book.holders("all") == book.holders("more") == {}


@pytest.mark.parametrize(
    ("wants", "refused"),
    [
        ([], None),
        ([("k", 0)], "k"),
        ([("k", -1)], "k"),
        ([("k", 2), ("k", 2)], None),
        ([("k", 1), ("k", 1)], "k"),
    ],
)
def test_odd_wants(wants: list[tuple[str, int]], refused: str | None) -> None:
    assert LeaseBook().acquire("a", wants) == refused


def test_the_limit_is_that_of_the_request() -> None:
    book = LeaseBook()
    assert [book.acquire("a", [("k", limit)]) for limit in (3, 3, 2, 3, 9)] == [None, None, "k", None, None]


def test_release_gives_room_but_never_more_than_was_held() -> None:
    book = LeaseBook()
    book.acquire("a", [("k", 1)])
    book.release("b", ["k"])
    book.release("a", ["other"])
    assert book.acquire("b", [("k", 1)]) == "k"
    book.release("a", ["k"])
    book.release("a", ["k"])
    assert [book.acquire("b", [("k", 1)]) for _ in range(2)] == [None, "k"]


def test_the_dead_hold_nothing() -> None:
    book = LeaseBook()
    for _ in range(3):
        book.acquire("a", [("k", 9), ("l", 9)])
    book.acquire("b", [("k", 9)])
    book.drop("a")
    book.drop("nobody")
    assert book.holders("k") == {"b": 1}
    assert book.holders("l") == {}


def test_one_owner_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "MOST_KEYS", 3)
    book = LeaseBook()
    assert [book.acquire("a", [(str(n), 1)]) for n in range(5)] == [None, None, None, "3", "4"]
    assert book.acquire("b", [("3", 1)]) is None


KEYS = st.sampled_from("xyz")
OWNERS = st.sampled_from(["a", "b"])
ACQUIRE = st.tuples(OWNERS, st.lists(st.tuples(KEYS, st.integers(0, 4)), max_size=4))
RELEASE = st.tuples(OWNERS, st.lists(KEYS, max_size=4))
STEPS = st.lists(
    st.one_of(
        ACQUIRE.map(lambda step: Acquire(*step)),
        RELEASE.map(lambda step: Release(*step)),
        OWNERS.map(lambda owner: Drop(owner)),
    ),
    max_size=40,
)


class Acquire(NamedTuple):
    owner: str
    wants: list[Want]


class Release(NamedTuple):
    owner: str
    keys: list[str]


class Drop(NamedTuple):
    owner: str


@given(STEPS)
def test_the_book_agrees_with_a_plain_count(steps: list[Acquire | Release | Drop]) -> None:
    book, plain = LeaseBook(), {"a": Counter[str](), "b": Counter[str]()}
    for step in steps:
        match step:
            case Acquire(owner, wants):
                refused = None
                wanted: Counter[str] = Counter()
                for key, limit in wants:
                    if plain["a"][key] + plain["b"][key] + wanted[key] >= limit:
                        refused = key
                        break
                    wanted[key] += 1
                plain[owner].update({} if refused else wanted)
                assert book.acquire(owner, wants) == refused
            case Release(owner, keys):
                for key in keys:
                    plain[owner][key] -= plain[owner][key] > 0
                book.release(owner, keys)
            case Drop(owner):
                plain[owner].clear()
                book.drop(owner)
        for key in "xyz":
            assert book.holders(key) == {name: held[key] for name, held in plain.items() if held[key]}


class Desk:
    """A supervisor's end that keeps a book, and what it was sent."""

    def __init__(self, sock: socket.socket) -> None:
        self.book = LeaseBook()
        self.messages: list[Body] = []
        self.arrived = asyncio.Event()
        self.channel = Channel(sock, self._serve, lambda: None)

    def _serve(self, op: str, body: Body, fds: list[int]) -> Answer:
        self.messages.append(body)
        self.arrived.set()
        return serve(self.book, RateBook(time.monotonic), "worker", body)

    async def until(self, holders: dict[str, int]) -> None:
        async with asyncio.timeout(5):
            while self.book.holders("k") != holders:
                self.arrived.clear()
                await self.arrived.wait()


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[Leases, Desk]]:
    ours, theirs = socket.socketpair()
    at, channel = Desk(ours), Channel(theirs, lambda op, body, fds: None, lambda: None)
    yield Leases(channel), at
    at.channel.close()
    channel.close()
    await asyncio.sleep(0)


async def test_acquire_and_release() -> None:
    async with desk() as (leases, _):
        first = await leases.acquire([("k", 1)])
        assert isinstance(first, Lease)
        assert await leases.acquire([("k", 1)]) == Refused("k")
        first.release()
        first.release()
        assert isinstance(await leases.acquire([("k", 1)]), Lease)


async def test_one_turn_is_one_message() -> None:
    async with desk() as (leases, at):
        held = await asyncio.gather(*(leases.acquire([("k", 100)]) for _ in range(50)))
        for each in held:
            assert isinstance(each, Lease)
            each.release()
        more = await asyncio.gather(*(leases.acquire([("k", 3)]) for _ in range(5)))
        assert [isinstance(each, Lease) for each in more] == [True] * 3 + [False] * 2
        assert [(len(each["take"]), len(each["give"])) for each in at.messages] == [(50, 0), (5, 50)]


async def test_a_lease_whose_asker_has_gone_comes_back() -> None:
    async with desk() as (leases, at):
        leases.acquire([("k", 9)]).cancel()
        kept = await leases.acquire([("k", 9)])
        await at.until({"worker": 1})
        assert isinstance(kept, Lease)


async def test_a_lease_that_arrives_at_a_cancelled_task_comes_back() -> None:
    async with desk() as (leases, at):

        async def ask() -> None:
            future = leases.acquire([("k", 9)])
            this = asyncio.current_task()
            assert this is not None
            future.add_done_callback(lambda _: this.cancel())  # in the very turn of the answer
            await future

        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(ask())
        gc.collect()
        await at.until({})
        assert len(at.messages) == 2  # it had been granted, and was given back


async def test_the_end_of_the_channel_is_told() -> None:
    async with desk() as (leases, at):
        held = await leases.acquire([("k", 9)])
        waiting = leases.acquire([("k", 9)]), leases.acquire([("k", 9)])
        at.channel.close()
        for each in waiting:
            with pytest.raises(ChannelClosed):
                await each
        with pytest.raises(ChannelClosed):
            await leases.acquire([("k", 9)])
        assert isinstance(held, Lease)
        held.release()  # harms nobody
