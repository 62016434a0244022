"""A queue that an earlier version has left is the queue of this one; a later one's is not touched."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sealgate.mail.envelope import ORDINARY, Demands
from sealgate.store.copy import check_home
from sealgate.store.database import StoreError
from sealgate.store.spool import QueuedRecipient, Spool
from tests.store import old_spool
from tests.store.old_spool import OldMessage
from tests.store.spool_house import LARGE, accept, load, message, running, text

AT = 1_700_000_000.5
OLD = [
    OldMessage(1, text(1, 500), AT),
    OldMessage(2, text(2, LARGE), AT, ("done", "deferred", "queued", "bounced"), eight_bit=True),
    OldMessage(3, text(3, 60_000), AT, ("deferred",), sender=None),
    OldMessage(4, text(4, LARGE), AT, ("done",)),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    old_spool.make(tmp_path / "spool" / "worker-1", OLD)
    return tmp_path / "spool" / "worker-1"


def version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "spool.db")) as database:
        (found,) = database.execute("PRAGMA user_version").fetchone()
    return int(found)


async def assert_all_is_there(folder: Path) -> None:
    async with running(folder) as (spool, queue):
        assert [each.mid for each in queue] == [1, 2, 3]
        first, second, third = queue
        assert first.recipients == (QueuedRecipient(0, "one-1-0@inside.example"),)
        assert (first.demands, first.held, first.delay_told) == (ORDINARY, False, False)
        assert second.demands == Demands(body_8bit=True)
        assert second.recipients == (
            QueuedRecipient(1, "one-2-1@inside.example", 3, AT + 1e9, "451 later"),
            QueuedRecipient(2, "one-2-2@inside.example"),
        )
        assert third.sender is None
        for each, old in zip(queue, OLD, strict=False):
            assert (each.size, each.received_at, each.sender) == (len(old.body), AT, old.sender)
            assert await load(spool, each.mid) == old.body
        assert await accept(spool, message(5), b"new") is None
    assert sorted(path.name for path in (folder / "bodies").iterdir()) == ["2"]


async def test_the_queue_of_the_first_version_is_taken_over_whole(folder: Path) -> None:
    await assert_all_is_there(folder)
    assert version(folder) > 1
    async with running(folder) as (_, queue):
        assert [each.mid for each in queue] == [1, 2, 3, 5]


async def test_an_orphan_of_the_first_version_is_adopted(folder: Path) -> None:
    async with running(folder.with_name("worker-2")) as (spool, _):
        assert [each.mid for each in await spool.adopt(folder)] == [1, 2, 3]
        for old in OLD[:3]:
            assert await load(spool, old.mid) == old.body
    assert not folder.exists()


KILLED = """
import os, pathlib, shutil, signal, sqlite3, sys
from sealgate.store import database, spool_sql

count = last = 0

class Counting(sqlite3.Connection):
    def execute(self, *arguments):
        global count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*arguments)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **named: connect(*arguments, factory=Counting, **named)
old, trials = map(pathlib.Path, sys.argv[1:])
while True:
    last += 1
    trial = trials / str(last)
    shutil.copytree(old, trial)
    child = os.fork()
    if not child:
        database.open_database(trial / "spool.db", spool_sql.MIGRATIONS)
        os._exit(0)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        break
"""


async def test_an_upgrade_that_is_killed_is_begun_anew(folder: Path, tmp_path: Path) -> None:
    (trials := tmp_path / "trials").mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(folder), str(trials)], check=True)
    found = []
    for trial in sorted(trials.iterdir(), key=lambda path: int(path.name)):
        found.append(version(trial))
        await assert_all_is_there(trial)
    assert found == sorted(found)  # the old one until the commit, the new one behind it
    assert found.count(1) > 10
    assert found[-1] > 1


async def test_a_newer_spool_is_refused_before_anything_in_it_changes(folder: Path) -> None:
    """Also one whose last changes are still in its log, as a crash leaves them."""
    program = (
        "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "d.execute('PRAGMA user_version = 99'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder / "spool.db")])
    assert done.returncode == -signal.SIGKILL
    before = {name: (folder / name).read_bytes() for name in ("spool.db", "spool.db-wal")}
    assert len(before["spool.db-wal"]) > 0
    with pytest.raises(
        StoreError, match=r"spool\.db was written by a newer Sealgate \(schema 99, .*start that version"
    ):
        check_home(folder.parents[1])
    with pytest.raises(StoreError, match="newer Sealgate"):
        await Spool(folder).start()
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_what_this_version_wrote_or_will_is_not_refused(folder: Path, tmp_path: Path) -> None:
    check_home(tmp_path)
    shutil.rmtree(folder)
    check_home(tmp_path)
    os.rmdir(tmp_path / "spool")
    check_home(tmp_path)
