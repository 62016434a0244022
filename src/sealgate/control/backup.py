"""What a backup is made of, and how the state in it becomes the state of a home: all of it or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sealgate.control.archive import (
    ArchiveError,
    Facts,
    Progress,
    archive_file,
    is_packed,
    read_archive,
    write_archive,
)
from sealgate.process.ids import IdError, highest, raise_ids
from sealgate.process.lock import HomeInUse, lock_home_now
from sealgate.process.owner import as_owner
from sealgate.store.body import sync_folder
from sealgate.store.copy import check_spool, copy_database, copy_spool, remove_copy
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from sealgate.store.spool import BODIES, DATABASE
from sealgate.store.suspensions import FILE as SUSPENDED
from sealgate.store.suspensions import SuspensionFile

REVISIONS = "revisions.db"
IDS = "ids.json"

_STATE = (REVISIONS, IDS, SUSPENDED, "spool")
_PART, _READY, _BEFORE = "restore.part", "restore.ready", "before-restore-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore has brought: how many messages, and where the state from before is, if there was any."""

    facts: Facts
    messages: int
    before: Path | None


def backup_configuration(home: Path, target: Path, facts: Facts, progress: Progress) -> None:
    """Write the revisions alone, whether or not a gateway runs."""
    with archive_file(target) as file, as_owner(home), _drafts(home) as drafts:
        copy_database(home / REVISIONS, drafts / REVISIONS)
        write_archive(file, [(REVISIONS, drafts / REVISIONS)], facts, progress, packed=is_packed(target))


def backup_all(home: Path, folders: Mapping[str, Path], target: Path, facts: Facts, progress: Progress) -> int:
    """Write all state; `folders` are copies of the spools by their workers. Gives the number of large bodies."""
    with archive_file(target) as file, as_owner(home), _drafts(home) as drafts:
        copy_database(home / REVISIONS, drafts / REVISIONS)
        members = [(REVISIONS, drafts / REVISIONS)]
        for name, nothing in ((IDS, "{}"), (SUSPENDED, "[]")):  # read behind the spools: no id in them is above
            path = home / name
            (drafts / name).write_text(path.read_text("utf-8") if path.exists() else nothing, "utf-8")
            members.append((name, drafts / name))
        for worker, folder in folders.items():
            members.append((f"spool/{worker}/{DATABASE}", folder / DATABASE))
            members += [(f"spool/{worker}/{BODIES}/{path.name}", path) for path in sorted((folder / BODIES).iterdir())]
        write_archive(file, members, facts, progress, packed=is_packed(target))
        return sum(BODIES in name for name, _ in members)


@contextmanager
def _drafts(home: Path) -> Iterator[Path]:
    """A private folder for copies, in the home, where keys may lie."""
    for old in home.glob(".backup-*"):
        shutil.rmtree(old, ignore_errors=True)  # of a backup that was killed
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=home) as folder:
        yield Path(folder)


@contextmanager
def copied_spools(home: Path) -> Iterator[dict[str, Path]]:
    """Copies of all spools of a gateway that does not run."""
    owned = [folder for folder in sorted((home / "spool").glob("worker-*")) if (folder / DATABASE).exists()]
    try:
        yield {folder.name: copy_spool(folder) for folder in owned}
    finally:
        for folder in owned:
            remove_copy(folder)


@contextmanager
def at_rest(home: Path) -> Iterator[None]:
    """Nothing runs on this home for the while; `StoreError` if something does."""
    try:
        lock = lock_home_now(home)
    except HomeInUse as error:
        raise StoreError(str(error)) from error
    try:
        if os.geteuid() == 0:  # whoever runs the gateway must be able to lock it too
            owner = home.stat()
            os.fchown(lock, owner.st_uid, owner.st_gid)
        yield
    finally:
        os.close(lock)


def has_state(home: Path) -> bool:
    """Whether there is anything that a restore would replace."""
    return (home / REVISIONS).exists() or (home / IDS).exists() or any((home / "spool").glob(f"*/{DATABASE}"))


def restore(home: Path, source: Path, stamp: str, progress: Progress) -> Restored:
    """Put the state of a backup in the place of that of a home that is at rest.

    Everything is unpacked and checked beside the state that is there; then one renaming decides. A crash before it
    leaves the old state, one behind it the new: whoever opens the home next carries on. `StoreError` and
    `ArchiveError` leave all as it was.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise ArchiveError(f"{source} cannot be read: {error.strerror or error}") from error
    with file, as_owner(home):
        return _restore(home, source, file, stamp, progress)


def _restore(home: Path, source: Path, file: IO[bytes], stamp: str, progress: Progress) -> Restored:
    for name in _STATE:
        if (home / name).is_mount():
            raise StoreError(f"{home / name} is a file system of its own, and cannot be replaced at once; unmount it")
    part = home / _PART
    shutil.rmtree(part, ignore_errors=True)
    try:
        (part / "new").mkdir(mode=0o700, parents=True)
        facts = read_archive(source, file, part / "new", progress)
        messages = _check(home, part / "new", facts)
        (part / "before").write_text(f"{_BEFORE}{stamp}", "ascii")
        _settle_in(part)
        part.rename(home / _READY)
        sync_folder(home)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Restored(facts, messages, _carry_on(home))


def _check(home: Path, new: Path, facts: Facts) -> int:
    """Whether a gateway could start on this; the number of messages in its queue."""
    if not (new / REVISIONS).exists():
        raise ArchiveError("there is no configuration in this backup")
    revisions = Revisions(new / REVISIONS)
    try:
        revisions.check()
        if revisions.current() is None:
            raise ArchiveError("there is no configuration in this backup")
    finally:
        revisions.close()
    if not facts.queue:
        return 0
    SuspensionFile(new).read()
    (new / "spool").mkdir(mode=0o700, exist_ok=True)
    found = [check_spool(folder) for folder in sorted((new / "spool").iterdir())]
    try:
        raise_ids(new / IDS, highest(home / IDS), {"mid": max((mid for _, mid in found), default=0)})
    except IdError as error:
        raise ArchiveError(str(error)) from error
    return sum(messages for messages, _ in found)


def _settle_in(part: Path) -> None:
    """Durable."""
    for folder, _, files in os.walk(part):
        for name in files:
            _sync(Path(folder, name))
        sync_folder(Path(folder))


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def finish_restore(home: Path) -> None:
    """If a restore has been decided and not been finished, finish it. Raises `StoreError` if another one is at it."""
    if (home / _READY).exists():
        with at_rest(home), as_owner(home):
            _carry_on(home)


def _carry_on(home: Path) -> Path | None:
    """Move every part of the new state in, and what was in its place aside; may be done again after a crash."""
    ready = home / _READY
    if not ready.exists():
        return None
    before = home / (ready / "before").read_text("ascii")
    for new in sorted((ready / "new").iterdir()):
        # The log of a database goes first: it must never meet another one.
        for name in (f"{new.name}-wal", f"{new.name}-shm", new.name):
            if (home / name).exists():
                before.mkdir(mode=0o700, exist_ok=True)
                (home / name).rename(before / name)
        sync_folder(home)
        new.rename(home / new.name)
        sync_folder(home)
    if before.exists():
        sync_folder(before)
    ready.rename(home / _PART)  # decided, and done
    shutil.rmtree(home / _PART)
    return before if before.exists() else None
