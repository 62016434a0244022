"""What a spool makes of what it finds: after a crash, after damage, after another version, after another worker."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from sealgate.store.database import StoreError
from sealgate.store.spool import RecipientChange, Spool
from tests.store.spool_house import LARGE, accept, load, message, mids, running, settle, text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "worker-1"


def damage(path: Path) -> bytes:
    """Overwrite some pages of a database behind its first; gives what the file holds then."""
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(data)
    return bytes(data)


async def test_what_a_crash_left_behind_is_cleared_away(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1), text(1, LARGE))
        await accept(spool, message(2), b"small")
    bodies = folder / "bodies"
    for name in ("7.part", "3", "2"):  # never complete; complete but without its row; of a message with a small body
        (bodies / name).write_bytes(b"left behind")
    async with running(folder) as (spool, queue):
        assert [path.name for path in bodies.iterdir()] == ["1"]
        assert [each.mid for each in queue] == [1, 2]
        assert await load(spool, 1) == text(1, LARGE)


async def test_a_message_that_nobody_waits_for_is_not_handed_out(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1), text(1, LARGE))
        await settle(spool, 1, [RecipientChange.done(0, "250 ok")], finished=False)
    async with running(folder) as (spool, queue):
        assert queue == []
        assert await mids(spool) == []
        assert list((folder / "bodies").iterdir()) == []


async def test_a_lost_body_file_is_an_error_of_that_message_alone(folder: Path) -> None:
    async with running(folder) as (spool, _):
        await accept(spool, message(1), text(1, LARGE))
        await accept(spool, message(2), text(2, LARGE))
    (folder / "bodies" / "1").unlink()
    async with running(folder) as (spool, queue):
        assert [each.mid for each in queue] == [1, 2]
        with pytest.raises(FileNotFoundError):
            await load(spool, 1)
        assert await load(spool, 2) == text(2, LARGE)


async def test_a_damaged_database_is_refused_with_a_sentence_and_left_alone(folder: Path) -> None:
    async with running(folder) as (spool, _):
        for mid in range(1, 60):
            await accept(spool, message(mid, recipients=3), text(mid, 3000))
    damaged = damage(folder / "spool.db")
    with pytest.raises(StoreError, match=r"worker-1/spool\.db is damaged"):
        await Spool(folder).start()
    assert (folder / "spool.db").read_bytes() == damaged


async def test_a_newer_database_is_refused_with_a_sentence(folder: Path) -> None:
    async with running(folder):
        pass
    with sqlite3.connect(folder / "spool.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        await Spool(folder).start()


# -- the spool of a worker that is no more


async def leave_behind(folder: Path) -> None:
    """A spool with a new message, a deferred one, and one that is done; bodies of both kinds."""
    async with running(folder) as (spool, _):
        await accept(spool, message(11, recipients=2), text(11, LARGE))
        await accept(spool, message(12, recipients=2), text(12, 500))
        await accept(spool, message(13), text(13, LARGE))
        changes = [RecipientChange.deferred(0, 1_800_000_000.0, 2, "450 later"), RecipientChange.done(1, "250 ok")]
        await settle(spool, 12, changes, finished=False)
        await settle(spool, 13, [RecipientChange.done(0, "250 ok")], finished=False)
    (folder / "bodies" / "4.part").write_bytes(b"left behind")


async def test_a_spool_is_taken_over_whole(folder: Path) -> None:
    other = folder.with_name("worker-2")
    await leave_behind(other)
    async with running(folder) as (spool, _):
        await accept(spool, message(1), b"our own")
        new, deferred = await spool.adopt(other)
        assert new == message(11, recipients=2).queued()
        assert [(each.rid, each.attempts, each.said) for each in deferred.recipients] == [(0, 2, "450 later")]
        assert not other.exists()
        assert await load(spool, 11) == text(11, LARGE)
        assert await load(spool, 12) == text(12, 500)
        changes = [RecipientChange.done(rid, "250 ok") for rid in (0, 1)]
        assert await settle(spool, 11, changes, finished=True) is None
    async with running(folder) as (_, queue):
        assert [each.mid for each in queue] == [1, 12]
        assert list((folder / "bodies").iterdir()) == []


async def test_taking_over_again_after_a_crash_gives_only_what_is_new(folder: Path, tmp_path: Path) -> None:
    other = folder.with_name("worker-2")
    await leave_behind(other)
    shutil.copytree(other, tmp_path / "before")
    async with running(folder) as (spool, _):
        await spool.adopt(other)
        await settle(spool, 12, [RecipientChange.deferred(0, 1_900_000_000.0, 3, "450 again")], finished=False)
        shutil.copytree(tmp_path / "before", other)  # as if the crash had come before the removal
        assert await spool.adopt(other) == []
        assert not other.exists()
    async with running(folder) as (spool, queue):
        assert [each.mid for each in queue] == [11, 12]
        assert queue[1].recipients[0].said == "450 again"
        assert await load(spool, 11) == text(11, LARGE)


async def test_a_removal_that_a_crash_interrupted_is_finished(folder: Path) -> None:
    other = folder.with_name("worker-2")
    await leave_behind(other)
    (other / "spool.db").unlink()
    async with running(folder) as (spool, _):
        assert await spool.adopt(other) == []
        assert not other.exists()


async def test_a_spool_that_is_damaged_is_left_where_it_is(folder: Path) -> None:
    other = folder.with_name("worker-2")
    await leave_behind(other)
    damage(other / "spool.db")
    async with running(folder) as (spool, _):
        with pytest.raises(StoreError, match=r"worker-2/spool\.db is damaged"):
            await spool.adopt(other)
        assert (other / "bodies" / "11").exists()
        assert await accept(spool, message(1), b"mail goes on") is None


async def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"a file where a folder should be")
    with pytest.raises(StoreError, match="cannot use the spool"):
        await Spool(tmp_path / "spool" / "worker-1").start()
