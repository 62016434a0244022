"""A disk without room, and other troubles of the disk: never a promise that is not kept."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.store.spool import RecipientChange, SpoolFault
from tests.peers.programs import run
from tests.store.spool_house import LARGE, accept, load, message, mids, running, settle, text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB, 1 MB of which a file called ballast takes."""
    mounted = run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", tmp_path])
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stdout}")
    try:
        (tmp_path / "ballast").write_bytes(bytes(1_000_000))
        yield tmp_path
    finally:
        run(["umount", tmp_path])


@pytest.mark.needs("root", "mount")
@pytest.mark.parametrize("size", [3_000, 60_000, LARGE])
async def test_a_full_disk_refuses_keeps_its_promises_and_recovers(small_disk: Path, size: int) -> None:
    kept: list[int] = []
    async with running(small_disk / "spool") as (spool, _):
        faults: list[SpoolFault] = []
        mid = 0
        while len(faults) < 3:
            told = [accept(spool, message(mid := mid + 1), text(mid, size)) for _ in range(5)]
            for number, each in enumerate(told, mid - 4):
                fault = await each
                if fault is None:
                    kept.append(number)
                else:
                    faults.append(fault)
        assert {fault.kind for fault in faults} == {"full"}
        assert all("room" in fault.sentence and str(small_disk) in fault.sentence for fault in faults)
        assert kept
        assert await mids(spool) == kept

        (small_disk / "ballast").unlink()
        assert await settle(spool, kept[0], [RecipientChange.done(0, "250 ok")], True) is None
        assert await accept(spool, message(100_000), text(100_000, size)) is None
    kept = [*kept[1:], 100_000]
    async with running(small_disk / "spool") as (spool, queue):
        assert [each.mid for each in queue] == kept
        for mid in kept:
            assert await load(spool, mid) == text(mid, size)


def full_database() -> sqlite3.Error:
    """The error of a database that may not grow."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE t (data BLOB)")
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
        return raised.value
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "full", "no room left"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "full", "no room left"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "error", "Input/output error"),
        (full_database(), "full", "no room left"),
        (sqlite3.IntegrityError("UNIQUE constraint failed: message.mid"), "error", "UNIQUE constraint failed"),
        (ValueError("strange"), "error", "strange"),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else "",
)
def test_a_fault_says_what_it_prevented_and_whether_room_would_help(error: Exception, kind: str, words: str) -> None:
    fault = SpoolFault.of(error, "cannot write /spool/spool.db")
    assert fault.kind == kind
    assert fault.sentence.startswith("cannot write /spool/spool.db: ")
    assert words in fault.sentence
