"""The spool as its users see it: what was said to be kept is there, and what became of it too."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sealgate.store.body import AHEAD, SMALL
from sealgate.store.cache import Cache
from sealgate.store.database import transaction
from sealgate.store.spool import RecipientChange, Spool, SpoolFault
from tests.store.spool_house import LARGE, accept, load, message, mids, running, settle, text

SIZES = [0, 1, SMALL, SMALL + 1, LARGE]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "worker-1"


@pytest.fixture
async def spool(folder: Path) -> AsyncIterator[Spool]:
    async with running(folder) as (spool, _):
        yield spool


# -- in


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_accepted_is_there_now_and_after_a_restart(folder: Path, size: int) -> None:
    new = message(1, recipients=3, size=size)
    async with running(folder) as (spool, queue):
        assert queue == []
        assert await accept(spool, new, text(1, size)) is None
        assert await load(spool, 1) == text(1, size)
    async with running(folder) as (spool, queue):
        assert queue == [new.queued()]
        assert await load(spool, 1) == text(1, size)


async def test_messages_that_come_together_share_a_commit(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = 0

    @contextmanager
    def counted(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        nonlocal commits
        commits += 1
        with transaction(connection):
            yield connection

    monkeypatch.setattr("sealgate.store.spool_writer.transaction", counted)
    faults = await asyncio.gather(*(accept(spool, message(mid), b"text") for mid in range(1, 201)))
    assert faults == [None] * 200
    assert commits < 20


async def test_it_is_synced_in_the_order_that_keeps_the_promise(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    fsync = os.fsync

    @contextmanager
    def seen_transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with transaction(connection):
            yield connection
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        seen.append(f"commit, synchronous {synchronous}")

    def seen_fsync(number: int) -> None:
        fsync(number)
        seen.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")

    monkeypatch.setattr("sealgate.store.spool_writer.transaction", seen_transaction)
    monkeypatch.setattr(os, "fsync", seen_fsync)
    told: asyncio.Future[SpoolFault | None] = accept(spool, message(1), text(1, LARGE))
    told.add_done_callback(lambda _: seen.append("told"))
    await told
    await asyncio.sleep(0)
    assert seen == ["file", "folder", "commit, synchronous 2", "told"]


async def test_one_bad_message_does_not_sink_those_that_came_with_it(spool: Spool, folder: Path) -> None:
    assert await accept(spool, message(3), b"the first of that number") is None
    strange = message(4)
    object.__setattr__(strange, "sender", "\udcff@load.example")  # not a text that a database can keep
    waiting = [accept(spool, message(mid), text(mid, 500)) for mid in (1, 2)]
    refused = [accept(spool, message(3), b"again"), accept(spool, strange, b"text")]
    waiting += [accept(spool, message(mid), text(mid, 500)) for mid in (5, 6)]
    assert await asyncio.gather(*waiting) == [None] * 4
    for fault in await asyncio.gather(*refused):
        assert fault is not None
        assert fault.kind == "error"
        assert str(folder) in fault.sentence
    assert await mids(spool) == [1, 2, 3, 5, 6]
    assert await load(spool, 3) == b"the first of that number"


async def test_a_lock_of_somebody_else_is_waited_for_once_and_then_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealgate.store.database.LOCK_PATIENCE", 0.5)
    loop = asyncio.get_running_loop()
    async with running(folder) as (spool, _):
        with closing(sqlite3.connect(folder / "spool.db", isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            begun = loop.time()
            faults = await asyncio.gather(*(accept(spool, message(mid), b"text") for mid in range(1, 21)))
            assert loop.time() - begun < 5
        assert {fault.kind for fault in faults if fault is not None} == {"error"}
        assert None not in faults
        assert await accept(spool, message(30), b"text") is None
        assert await mids(spool) == [30]


async def test_a_large_body_never_takes_the_place_of_another(spool: Spool) -> None:
    assert await accept(spool, message(1), text(1, LARGE)) is None
    fault = await accept(spool, message(1), text(2, LARGE))
    assert fault is not None
    assert await load(spool, 1) == text(1, LARGE)


async def test_a_body_whose_row_is_refused_leaves_no_file(spool: Spool, folder: Path) -> None:
    assert await accept(spool, message(1), b"small") is None
    assert await accept(spool, message(1), text(1, LARGE)) is not None
    assert await load(spool, 1) == b"small"
    await spool.stop()
    assert list((folder / "bodies").iterdir()) == []


async def test_a_listener_that_fails_does_not_keep_the_truth_from_the_others(spool: Spool) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))
    mistake = ValueError("a mistake")

    def fail(fault: SpoolFault | None) -> None:
        raise mistake

    spool.accept(message(1), spool.body(), fail)
    assert await accept(spool, message(2), b"text") is None
    assert complaints == [mistake]


async def test_files_are_for_the_gateway_alone(spool: Spool, folder: Path) -> None:
    await accept(spool, message(1), text(1, LARGE))
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


# -- what became of it


async def test_a_message_leaves_with_its_last_recipient(spool: Spool, folder: Path) -> None:
    for mid, size in ((1, 100), (2, LARGE)):
        await accept(spool, message(mid, recipients=2), text(mid, size))
        assert await settle(spool, mid, [RecipientChange.done(0, "250 ok")], finished=False) is None
        assert await spool.show(mid, -1, 100) is not None
        assert await settle(spool, mid, [RecipientChange.bounced(1, "550 no")], finished=True) is None
        assert await spool.show(mid, -1, 100) is None
        with pytest.raises(OSError, match=f"message {mid} is not in the spool"):
            await load(spool, mid)
    await spool.stop()
    assert list((folder / "bodies").iterdir()) == []
    async with running(folder) as (_, queue):
        assert queue == []


async def test_what_became_of_recipients_is_there_after_a_restart(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1, recipients=3), b"text")
        await settle(spool, 1, [RecipientChange.deferred(0, 1_800_000_000.5, 3, "450 later")], finished=False)
        await settle(spool, 1, [RecipientChange.done(1, "250 ok")], finished=False)
    async with running(folder) as (spool, queue):
        deferred, new = queue[0].recipients
        assert (deferred.rid, deferred.attempts, deferred.due, deferred.said) == (0, 3, 1_800_000_000.5, "450 later")
        assert (new.rid, new.attempts, new.due, new.said) == (2, 0, 0.0, "")
        shown = await spool.show(1, -1, 100)
        assert shown is not None
        assert json.loads(json.dumps(shown)) == shown
        assert shown["origin"] == {"icid": 1}
        assert [(each["state"], each["attempts"], each["said"]) for each in shown["recipients"]] == [
            ("deferred", 3, "450 later"),
            ("done", 1, "250 ok"),
            ("queued", 0, ""),
        ]


async def test_a_notice_takes_the_place_of_its_message_in_one_step(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1), b"text")
        notice = (message(5), b"could not be delivered")
        assert await settle(spool, 1, [RecipientChange.bounced(0, "550 no")], True, notice) is None
        assert await load(spool, 5) == b"could not be delivered"
    async with running(folder) as (spool, queue):
        assert queue == [message(5).queued()]


async def test_without_its_notice_nothing_is_settled(spool: Spool) -> None:
    await accept(spool, message(1), b"text")
    await accept(spool, message(2), b"another")
    taken = (message(2), b"a number that is taken")
    fault = await settle(spool, 1, [RecipientChange.bounced(0, "550 no")], True, taken)
    assert fault is not None
    shown = await spool.show(1, -1, 100)
    assert shown is not None
    assert shown["recipients"][0]["state"] == "queued"


async def test_a_message_stays_while_a_recipient_waits_whatever_the_order(folder: Path) -> None:
    # The notice for recipient 0 is still being written when recipient 1 is done.
    async with running(folder) as (spool, _):
        await accept(spool, message(1, recipients=2), b"text")
        assert await settle(spool, 1, [RecipientChange.done(1, "250 ok")], finished=True) is None
        shown = await spool.show(1, -1, 100)
        assert shown is not None
        assert [each["state"] for each in shown["recipients"]] == ["queued", "done"]
        late = [RecipientChange.bounced(0, "550 no")]
        assert await settle(spool, 1, late, False, (message(2), b"notice")) is None
        assert await spool.show(1, -1, 100) is None
        assert await spool.show(2, -1, 100) is not None


async def test_a_settle_that_is_repeated_does_no_harm(spool: Spool) -> None:
    await accept(spool, message(1), b"text")
    changes = [RecipientChange.done(0, "250 ok")]
    assert await settle(spool, 1, changes, True) is None
    assert await settle(spool, 1, changes, True) is None
    assert await mids(spool) == []


async def test_a_deferral_that_is_written_late_does_not_bring_back_what_is_done(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1, recipients=2), b"text")
        assert await settle(spool, 1, [RecipientChange.done(0, "250 ok")], finished=False) is None
        assert await settle(spool, 1, [RecipientChange.deferred(0, 5.0, 1, "450 later")], finished=False) is None
    async with running(folder) as (_, queue):
        assert [one.rid for one in queue[0].recipients] == [1]


async def test_a_message_is_shown_with_no_more_recipients_than_asked(spool: Spool) -> None:
    await accept(spool, message(10, recipients=5), b"text")
    first, rest = await spool.show(10, -1, 2), await spool.show(10, 1, 100)
    assert first is not None
    assert rest is not None
    assert [each["rid"] for each in first["recipients"]] == [0, 1]
    assert [each["rid"] for each in rest["recipients"]] == [2, 3, 4]
    assert first["sender"] is None
    assert (first["envid"], rest["recipients"][0]["notify"]) == ("id+2B10", "SUCCESS,DELAY")
    assert await spool.show(11, -1, 100) is None


async def test_a_body_is_read_in_pieces_wherever_it_lies(spool: Spool, folder: Path) -> None:
    for mid, size in ((1, 100), (2, LARGE)):
        await accept(spool, message(mid), text(mid, size))
        whole = text(mid, size)
        assert await spool.piece(mid, 0, 60) == whole[:60]
        assert await spool.piece(mid, size - 10, 60) == whole[-10:]
        assert await spool.piece(mid, size, 60) == b""
    with pytest.raises(OSError, match="message 3 is not in the queue"):
        await spool.piece(3, 0, 10)


async def test_a_hold_and_a_retry_outlive_a_restart(folder: Path) -> None:
    later = 1_800_000_000.5
    async with running(folder) as (spool, _):
        for mid in (1, 2, 3):
            await accept(spool, message(mid, recipients=2), b"text")
            await settle(spool, mid, [RecipientChange.deferred(0, later, 3, "450 later")], finished=False)
        assert await spool.hold([1, 3], True) is None
        assert await spool.hold([3], False) is None
        assert await spool.hasten([(2, 0), (2, 1), (7, 0)], 1_700_000_000.0) is None
    async with running(folder) as (_, queue):
        assert [each.held for each in queue] == [True, False, False]
        assert [each.recipients[0].due for each in queue] == [later, 1_700_000_000.0, later]
        assert [each.recipients[1].due for each in queue] == [0.0, 0.0, 0.0]  # never later than it was


async def test_a_hold_that_cannot_be_written_is_a_sentence(spool: Spool, folder: Path) -> None:
    await accept(spool, message(1), b"text")
    await spool._writer.run(lambda connection: connection.execute("DROP TABLE body") and None)
    await spool._writer.run(lambda connection: connection.execute("ALTER TABLE message RENAME TO lost") and None)
    fault = await spool.hold([1], True)
    assert fault is not None
    assert str(folder) in fault.sentence


# -- out


async def test_reading_does_not_wait_for_writing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1), b"text")
    held, entered = threading.Event(), threading.Event()

    @contextmanager
    def slow(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with transaction(connection):
            yield connection
            entered.set()
            held.wait(30)  # as a slow sync would

    async with running(folder) as (spool, _):
        monkeypatch.setattr("sealgate.store.spool_writer.transaction", slow)
        told = accept(spool, message(2), b"text")
        await asyncio.to_thread(entered.wait, 30)
        assert await load(spool, 1) == b"text"
        assert await mids(spool) == [1]
        assert not told.done()
        held.set()
        assert await told is None


async def test_a_body_can_be_read_to_its_end_though_its_message_leaves(spool: Spool) -> None:
    await accept(spool, message(1), text(1, 5 * LARGE))
    pieces = spool.load(1)
    first = await anext(pieces)
    assert await settle(spool, 1, [RecipientChange.done(0, "250 ok")], True) is None
    assert first + b"".join([piece async for piece in pieces]) == text(1, 5 * LARGE)


def test_the_cache_forgets_the_oldest_and_counts_right() -> None:
    cache = Cache(limit=10)
    for mid in range(5):
        cache.remember(mid, b"four")
    assert [cache.get(mid) for mid in range(5)] == [None, None, None, b"four", b"four"]
    cache.remember(4, b"twelve bytes")
    assert cache.get(4) is None
    cache.remember(5, b"ten bytes!")
    assert cache.get(5) == b"ten bytes!"
    cache.forget(5)
    cache.forget(5)
    cache.remember(6, b"ten bytes!")
    assert cache.get(6) == b"ten bytes!"


# -- the end


async def test_stop_writes_and_tells_everything_that_was_asked(folder: Path) -> None:
    spool = Spool(folder)
    await spool.start()
    told = [accept(spool, message(mid), text(mid, size)) for mid, size in enumerate(SIZES * 4, 1)]
    await spool.stop()
    assert [each.result() for each in told] == [None] * len(told)
    async with running(folder) as (spool, queue):
        assert len(queue) == len(told)


# -- bodies on their way in


async def test_a_source_that_is_faster_than_the_disk_is_asked_to_wait(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, write = threading.Event(), os.write
    monkeypatch.setattr(os, "write", lambda number, data: disk.wait(30) and write(number, data))
    writer = spool.body()
    resumed = asyncio.Event()
    sent = 0
    while writer.write(b"x" * 10_000, resumed.set):
        sent += 10_000
        assert sent < 3 * AHEAD
    assert not resumed.is_set()
    disk.set()
    await resumed.wait()
    assert writer.write(b"end", resumed.set)
    told: asyncio.Future[SpoolFault | None] = asyncio.get_running_loop().create_future()
    spool.accept(message(1), writer, told.set_result)
    assert await told is None
    assert await load(spool, 1) == b"x" * (sent + 10_000) + b"end"


@pytest.mark.parametrize("size", SIZES)
async def test_of_a_body_that_is_not_wanted_nothing_stays(spool: Spool, folder: Path, size: int) -> None:
    writer = spool.body()
    writer.write(text(1, size))
    writer.discard()
    await spool.stop()
    assert list((folder / "bodies").iterdir()) == []


async def test_a_body_that_cannot_be_written_is_a_fault_of_its_message_alone(spool: Spool, folder: Path) -> None:
    (folder / "bodies").rename(folder / "elsewhere")
    resumed = asyncio.Event()
    writer = spool.body()
    while writer.write(b"x" * SMALL, resumed.set):
        pass
    await resumed.wait()  # whoever waits goes on; the fault is told in the end
    (folder / "elsewhere").rename(folder / "bodies")
    told: asyncio.Future[SpoolFault | None] = asyncio.get_running_loop().create_future()
    spool.accept(message(1), writer, told.set_result)
    fault = await told
    assert fault is not None
    assert fault.kind == "error"
    assert "No such file or directory" in fault.sentence
    assert await accept(spool, message(2), text(2, LARGE)) is None
    assert await mids(spool) == [2]


async def test_of_a_body_that_no_longer_fits_nothing_stays(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = os.write, 0

    def fill_up(number: int, data: bytes) -> int:
        nonlocal written
        if written > LARGE // 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(data)
        return write(number, data)

    monkeypatch.setattr(os, "write", fill_up)
    fault = await accept(spool, message(1), text(1, LARGE))
    assert fault is not None
    assert fault.kind == "full"
    assert list((folder / "bodies").iterdir()) == []
    assert await spool.show(1, -1, 100) is None
