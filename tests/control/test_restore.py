"""What is restored, what is refused, and what a crash in the middle leaves."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sealgate.config.defaults import first_configuration
from sealgate.control.archive import LIST, ArchiveError, Facts, read_archive
from sealgate.control.backup import at_rest, backup_all, copied_spools, finish_restore, restore
from sealgate.store.copy import copy_spool
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from tests.store.spool_house import LARGE, accept, message, running, text

FACTS = Facts("0.1.0", "2024-01-17T20:11:06+00:00", True)


def nothing(done: int, of: int) -> None:
    """No terminal."""


def hostname(home: Path) -> str | None:
    with closing(Revisions(home / "revisions.db")) as revisions:
        current = revisions.current()
    return current and current.configuration.gateway.hostname


def revise(home: Path, name: str) -> None:
    home.mkdir(exist_ok=True)
    with closing(Revisions(home / "revisions.db")) as revisions:
        configuration = first_configuration(name, (), domains=("inside.example",), next_hop=None)
        revisions.add(configuration, who="test", comment="", at=datetime.datetime.now(datetime.UTC), face="cli")


async def fill(home: Path, *mids: int) -> None:
    for number, mid in enumerate(mids):
        data = text(mid, LARGE if number % 2 else 500)
        async with running(home / "spool" / f"worker-{number + 1}") as (spool, _):
            assert await accept(spool, message(mid, 2, len(data)), data) is None


async def queue(home: Path) -> list[int]:
    mids: list[int] = []
    for folder in sorted((home / "spool").iterdir()):
        async with running(folder) as (_, found):
            mids += [each.mid for each in found]
    return mids


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    """Of a gateway called old.example, with messages 7 and 8."""
    home = tmp_path / "from"
    revise(home, "old.example")
    await fill(home, 7, 8)
    (home / "ids.json").write_text('{"mid": 5, "icid": 6, "dcid": 7}')
    with copied_spools(home) as copies:
        backup_all(home, copies, tmp_path / "all.tar", FACTS, nothing)
    return tmp_path / "all.tar"


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """Of a gateway called new.example, with message 9000."""
    home = tmp_path / "home"
    revise(home, "new.example")
    await fill(home, 9000)
    (home / "ids.json").write_text('{"mid": 9500, "icid": 3, "dcid": 90000000}')
    return home


def state(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


async def test_all_of_the_state_is_replaced_and_the_old_one_kept(archive: Path, home: Path) -> None:
    restored = restore(home, archive, "NOW", nothing)
    assert restored.messages == 2
    assert restored.facts == FACTS
    assert restored.before == home / "before-restore-NOW"
    assert hostname(home) == "old.example"
    assert await queue(home) == [7, 8]
    assert hostname(restored.before) == "new.example"
    assert await queue(restored.before) == [9000]
    ids = json.loads((home / "ids.json").read_text())
    assert ids["mid"] > 9500  # of the gateway that was here
    assert ids["icid"] > 1_000_000  # above all that was given after the backup
    assert ids["dcid"] > 90_000_000


async def test_an_empty_home_becomes_the_one_of_the_backup(archive: Path, tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    assert restore(other, archive, "NOW", nothing).before is None
    assert sorted(path.name for path in other.iterdir()) == ["ids.json", "revisions.db", "spool", "suspended.json"]
    assert await queue(other) == [7, 8]


Change = Callable[[dict[str, bytes]], None]


def rewritten(archive: Path, change: Change, *, honest: bool = True) -> Path:
    """The archive with other members; an honest one lists them as they are."""
    members: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            members[member.name] = file.read()
    about = json.loads(members.pop(LIST))
    change(members)
    if honest:
        about["members"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    other = archive.with_name("changed.tar")
    with tarfile.open(other, "w") as tar:
        for name, data in {**members, LIST: json.dumps(about).encode()}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return other


def database(members: dict[str, bytes], name: str, folder: Path, *statements: str) -> None:
    """Change a database in the archive."""
    path = folder / "changed.db"
    path.write_bytes(members[name])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    members[name] = path.read_bytes()


def damaged(data: bytes) -> bytes:
    """A database of whose pages only the first is left."""
    return data[:4096] + bytes(len(data) - 4096)


SPOOL = "spool/worker-1/spool.db"
NEWER = "PRAGMA user_version = 99"
EMPTIED = "UPDATE revision SET configuration = '{}'"
BODY = "spool/worker-2/bodies/8"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda members, _: members.update({"../evil": b"x"}), "no place for '../evil'"),
        (lambda members, _: members.update({"/etc/passwd": b"x"}), "no place for '/etc/passwd'"),
        (lambda members, _: members.update({"spool/worker-1/bodies/../../x": b"x"}), "no place for"),
        (lambda members, _: members.pop(BODY), "the body of message 8 in .* is not whole"),
        (lambda members, _: members.update({BODY: members[BODY][:-1]}), "the body of message 8 in .* is not whole"),
        (lambda members, _: members.pop("revisions.db"), "no configuration in this backup"),
        (lambda members, _: members.update({"revisions.db": b"no database" * 1000}), "not a database"),
        (lambda members, _: members.update({SPOOL: damaged(members[SPOOL])}), "spool.db"),
        (lambda members, _: members.update({"ids.json": b'{"mid": "many"}'}), "last ids used"),
        (lambda members, _: members.update({"suspended.json": b"{}{}"}), "does not say what is suspended"),
        (lambda members, folder: database(members, SPOOL, folder, NEWER), "newer Sealgate"),
        (lambda members, folder: database(members, "revisions.db", folder, NEWER), "newer Sealgate"),
        (lambda members, folder: database(members, "revisions.db", folder, EMPTIED), "cannot be read"),
    ],
)  # fmt: skip
def test_what_no_gateway_could_start_on_is_refused_and_changes_nothing(
    archive: Path, home: Path, tmp_path: Path, change: Callable[[dict[str, bytes], Path], None], words: str
) -> None:
    other = rewritten(archive, lambda members: change(members, tmp_path))
    before = state(home)
    with pytest.raises((ArchiveError, StoreError), match=words):
        restore(home, other, "NOW", nothing)
    assert state(home) == before


def linked(archive: Path) -> Path:
    """With a symbolic link in the place of a body."""
    other = archive.with_name("linked.tar")
    with tarfile.open(other, "w") as tar:
        entry = tarfile.TarInfo("spool/worker-1/bodies/7")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    return other


def cut(archive: Path) -> Path:
    """Without its last bytes, as a copy that was interrupted."""
    other = archive.with_name("cut.tar")
    other.write_bytes(archive.read_bytes()[:-30_000])
    return other


def listless(archive: Path) -> Path:
    other = archive.with_name("listless.tar")
    with tarfile.open(other, "w"):
        pass
    return other


def prose(archive: Path) -> Path:
    other = archive.with_name("prose.tar")
    other.write_text("This is no archive.")
    return other


def newer(archive: Path) -> Path:
    other = archive.with_name("newer.tar")
    data = json.dumps({"format": 2, "version": "9.0"}).encode()
    with tarfile.open(other, "w") as tar:
        entry = tarfile.TarInfo(LIST)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return other


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (linked, "no place for"),
        (cut, "no backup, or a damaged one|is not whole"),
        (listless, "is not whole"),
        (prose, "is no backup"),
        (newer, r"newer Sealgate \(9.0\)"),
        (lambda archive: rewritten(archive, lambda members: members.update({BODY: b"x"}), honest=False), "is damaged"),
        (lambda archive: rewritten(archive, lambda members: members.pop(BODY), honest=False), "is damaged"),
        (lambda archive: archive.with_name("nowhere.tar"), "No such file"),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_changes_nothing(
    archive: Path, home: Path, make: Callable[[Path], Path], words: str
) -> None:
    before = state(home)
    with pytest.raises(ArchiveError, match=words):
        restore(home, make(archive), "NOW", nothing)
    assert state(home) == before


def test_nothing_is_restored_below_a_gateway_that_runs(home: Path) -> None:
    with at_rest(home), pytest.raises(StoreError, match="another gateway runs on"), at_rest(home):
        pass


def test_root_gives_away_no_file_that_a_link_in_the_home_leads_to(home: Path, tmp_path: Path) -> None:
    """Else whoever has the home would only need to wait for root to make a backup."""
    shadow = tmp_path / "shadow"
    shadow.write_text("root's own")
    (home / "gateway.lock").unlink(missing_ok=True)
    (home / "gateway.lock").symlink_to(shadow)
    with pytest.raises(StoreError, match=r"gateway\.lock is a link"), at_rest(home):
        pass
    assert shadow.read_text() == "root's own"


KILLED = """
import os, pathlib, shutil, signal, sys
from sealgate.control import backup

home, source, trials = (pathlib.Path(each) for each in sys.argv[1:])
last = count = 0

def counted(function):
    def call(*arguments, **named):
        global count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call

path = pathlib.Path
for where, name in ((path, "rename"), (path, "write_text"), (os, "fsync"), (os, "rmdir"), (os, "unlink")):
    setattr(where, name, counted(getattr(where, name)))
while True:
    last += 1
    trial = trials / str(last)
    count = -1000000
    shutil.copytree(home, trial)
    count = 0
    child = os.fork()
    if not child:
        with backup.at_rest(trial):
            backup.restore(trial, source, "NOW", lambda done, of: None)
        os._exit(0)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        break
"""


async def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new(
    archive: Path, home: Path, tmp_path: Path
) -> None:
    (trials := tmp_path / "trials").mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(home), str(archive), str(trials)], check=True)
    found: list[str] = []
    for trial in sorted(trials.iterdir(), key=lambda path: int(path.name)):
        finish_restore(trial)
        name = hostname(trial)
        assert await queue(trial) == ([7, 8] if name == "old.example" else [9000]), trial
        assert not (trial / "restore.ready").exists()
        found.append(str(name))
        with at_rest(trial):  # and it can be done again
            restore(trial, archive, "AGAIN", nothing)
        assert hostname(trial) == "old.example"
    turn = found.index("old.example")
    assert set(found[:turn]) == {"new.example"}
    assert set(found[turn:]) == {"old.example"}
    assert turn > 10
    assert len(found) - turn > 10


def test_reading_says_how_far_it_is(archive: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with archive.open("rb") as file:
        assert read_archive(archive, file, tmp_path / "unpacked", lambda done, of: told.append((done, of))) == FACTS
    assert told == [*((done, 0) for done in range(1, 7)), (6, 6)]


async def test_a_copy_that_would_fill_the_disk_is_not_made(home: Path) -> None:
    folder = home / "spool" / "worker-1"
    before = state(home)
    with pytest.raises(StoreError, match=r"needs 1 MB of its disk for a while, beside the 1073741824 MB"):
        copy_spool(folder, reserve=1 << 50)
    assert state(home) == before
