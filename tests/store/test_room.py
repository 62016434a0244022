"""When a spool has room for new mail, and what is said of it: once, not with every message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealgate.event.facts import AcceptingResumed, AcceptingStopped, DiskLow, Event
from sealgate.store.message import RecipientChange
from sealgate.store.room import Room
from tests.store.spool_house import LARGE, accept, load, message, running, settle, text

RESERVE = 80_000


class Bench:
    """A room whose disk a test holds in its hand."""

    def __init__(self, folder: Path) -> None:
        self.free = 10 * RESERVE
        self.said: list[Event] = []
        self.readings = 0
        self.room = Room(folder, 3, self.said.append, self._measure)

    def _measure(self, folder: Path) -> int:
        self.readings += 1
        return self.free

    def read(self, free: int) -> bool:
        """The disk has so much left at the next reading; whether new mail waits."""
        self.free = free
        self.room.look()
        return self.room.is_full

    def heard(self) -> list[type[Event]]:
        """The facts stated since the last time."""
        said, self.said[:] = [type(each) for each in self.said], []
        return said


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    bench.room.limit(RESERVE, 40)
    bench.room.start(0)
    yield bench
    bench.room.stop()


async def test_accepting_stops_at_the_reserve_and_goes_on_when_there_is_clearly_more(bench: Bench) -> None:
    assert not bench.read(2 * RESERVE)
    assert bench.heard() == []
    assert not bench.read(2 * RESERVE - 1)
    assert not bench.read(2 * RESERVE - 2)
    assert bench.heard() == [DiskLow]
    assert not bench.read(RESERVE)
    assert bench.read(RESERVE - 1)
    assert bench.read(0)
    assert bench.read(RESERVE + RESERVE // 8 - 1)
    assert bench.heard() == [AcceptingStopped]
    assert not bench.read(RESERVE + RESERVE // 8)
    assert bench.heard() == [AcceptingResumed]
    assert not bench.read(10 * RESERVE)
    assert not bench.read(2 * RESERVE - 1)
    assert bench.heard() == [DiskLow]


async def test_a_disk_that_fills_at_once_is_one_line(bench: Bench) -> None:
    assert bench.read(0)
    (stopped,) = bench.said
    assert isinstance(stopped, AcceptingStopped)
    assert stopped.worker == 3
    assert "limits.disk_reserve" in stopped.reason


async def test_what_is_written_between_two_readings_counts(bench: Bench) -> None:
    bench.read(2 * RESERVE)
    readings = bench.readings
    bench.room.coming(RESERVE)
    assert not bench.room.is_full
    bench.room.coming(1)
    assert bench.room.is_full
    bench.room.came(RESERVE + 1)
    assert bench.room.is_full
    assert bench.readings == readings
    assert not bench.read(2 * RESERVE)  # it turned out to take no space, or others made some


async def test_a_disk_that_cannot_be_read_has_no_room(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(folder: Path) -> int:
        raise OSError("stale file handle")

    monkeypatch.setattr(bench.room, "_measure", gone)
    bench.room.look()
    assert bench.room.is_full


async def test_a_long_queue_puts_new_mail_off_until_it_is_shorter(bench: Bench) -> None:
    bench.room.count(39)
    assert not bench.room.is_full
    assert bench.room.objection() is None
    bench.room.count(1)
    assert bench.room.is_full
    bench.room.count(5)  # notices are kept all the same
    assert bench.heard() == [AcceptingStopped]
    bench.room.count(-6)
    assert bench.room.is_full
    bench.room.count(-1)
    assert not bench.room.is_full
    assert bench.heard() == [AcceptingResumed]


async def test_other_limits_hold_at_once(bench: Bench) -> None:
    bench.room.count(10)
    bench.room.limit(RESERVE, 10)
    assert bench.room.is_full
    bench.room.limit(RESERVE, 11)
    assert not bench.room.is_full
    bench.room.limit(20 * RESERVE, 11)
    assert bench.room.is_full


async def test_a_spool_counts_what_it_keeps_and_refuses_what_is_too_much(bench: Bench, tmp_path: Path) -> None:
    bench.room.limit(RESERVE, 3)
    async with running(tmp_path / "spool", bench.room) as (spool, _):
        told = [
            accept(spool, message(mid), text(mid, size)) for mid, size in ((1, 100), (2, LARGE), (3, 100), (4, 100))
        ]
        faults = [await each for each in told]
        assert [fault and fault.kind for fault in faults] == [None, None, None, "full"]
        assert spool.is_full
        large = await accept(spool, message(5), text(5, LARGE))
        assert large is not None
        assert "limits.queue_messages" in large.sentence
        assert await settle(spool, 1, [RecipientChange.done(0, "ok")], True, (message(6), b"a notice")) is None
        assert spool.is_full
        assert await settle(spool, 6, [RecipientChange.done(0, "ok")], True) is None
        assert not spool.is_full
        assert await accept(spool, message(7), b"x") is None
        assert sorted(path.name for path in (tmp_path / "spool/bodies").iterdir()) == ["2"]
    bench.said.clear()
    async with running(tmp_path / "spool", bench.room) as (spool, queue):
        assert len(queue) == 3
        assert spool.is_full


async def test_a_large_message_under_way_takes_no_more_than_half_of_the_reserve(bench: Bench, tmp_path: Path) -> None:
    async with running(tmp_path / "spool", bench.room) as (spool, _):
        bench.read(RESERVE // 2 + LARGE // 2)
        body = spool.body()
        for start in range(0, LARGE, 16384):
            body.write(text(1, LARGE)[start : start + 16384])
        assert spool.is_full
        told = accept(spool, message(1), text(1, LARGE))
        fault = await told
        assert fault is not None
        assert fault.kind == "full"
        body.discard()
    assert list((tmp_path / "spool/bodies").iterdir()) == []


async def test_accepting_goes_on_after_a_queue_of_small_messages_has_filled_the_disk(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database does not become smaller when they leave, but what they took can be used again."""
    folder = tmp_path / "spool"

    def left(_: Path) -> int:
        return 2_000_000 - sum(path.stat().st_size for path in folder.rglob("*.db"))

    monkeypatch.setattr(bench.room, "_measure", left)
    monkeypatch.setattr("sealgate.store.room.LOOK", 0.02)
    monkeypatch.setattr("sealgate.store.spool_sql.CHECKPOINT", 1)
    bench.room.limit(RESERVE, 10_000)
    async with running(folder, bench.room) as (spool, _):
        mids = []
        while left(folder) >= RESERVE:
            mids.append(len(mids) + 1)
            assert await accept(spool, message(mids[-1]), text(1, 30_000)) is None
            bench.room.look()
        assert len(mids) > 40
        assert spool.is_full
        for mid in mids:
            assert await settle(spool, mid, [RecipientChange.done(0, "ok")], True) is None
        async with asyncio.timeout(10):
            while spool.is_full:
                await asyncio.sleep(0.01)
        assert left(folder) < RESERVE
        for mid in mids[:20]:
            bench.room.look()
            assert await accept(spool, message(1000 + mid), text(1, 30_000)) is None
        assert left(folder) > 0


async def test_a_start_gives_back_what_a_long_queue_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealgate.store.spool_sql.SHRINK", 1_000_000)
    path = tmp_path / "spool/spool.db"
    async with running(tmp_path / "spool") as (spool, _):
        for mid in range(50):
            assert await accept(spool, message(mid + 1), text(mid, 60_000)) is None
        for mid in range(49):
            assert await settle(spool, mid + 1, [RecipientChange.done(0, "ok")], True) is None
    before = path.stat().st_size
    assert before > 2_900_000
    async with running(tmp_path / "spool") as (spool, queue):
        assert path.stat().st_size < 500_000
        assert [each.mid for each in queue] == [50]
        assert await load(spool, 50) == text(49, 60_000)
