"""Copies of databases and spools as they stood at one moment, taken while they are in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sealgate.store import spool_sql
from sealgate.store.database import StoreError, open_database, refuse_newer, sentences
from sealgate.store.revisions import MIGRATIONS as REVISIONS
from sealgate.store.room import MIB, free_space
from sealgate.store.spool import BODIES, DATABASE

COPY = "copy"
"""The folder of a spool in which its copy is made: on the same disk, so that a large body is only one more name."""


def copy_database(path: Path, target: Path) -> None:
    """Write what is committed now to `target`, a new private file. Who writes meanwhile need not wait."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with sentences(path), closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)) as one:
        one.execute("VACUUM INTO ?", (str(target),))


def copy_spool(folder: Path, reserve: int = 0) -> Path:
    """Copy a spool to a folder inside it, which is given; a copy that is there makes room.

    Only its owner may do this, or anyone while nothing runs; no body may be removed meanwhile. Raises `StoreError`,
    also where the copy would leave less than `reserve` bytes of the disk.
    """
    target = remove_copy(folder)
    try:
        size = (folder / DATABASE).stat().st_size
        if free_space(folder) < size + reserve:
            raise StoreError(
                f"the copy of the spool {folder} needs {size // MIB + 1} MB of its disk for a while, beside the "
                f"{reserve // MIB} MB that are kept free; make room there"
            )
        (target / BODIES).mkdir(mode=0o700, parents=True)
        copy_database(folder / DATABASE, target / DATABASE)
        with sentences(folder), closing(sqlite3.connect(target / DATABASE)) as one:
            kept = spool_sql.with_body_in_file(one)
        for mid in kept:
            os.link(folder / BODIES / str(mid), target / BODIES / str(mid))
    except OSError as error:
        remove_copy(folder)
        raise StoreError(f"the spool {folder} cannot be copied: {error.filename}: {error.strerror}") from error
    except StoreError:
        remove_copy(folder)
        raise
    return target


def remove_copy(folder: Path) -> Path:
    """Remove the copy of a spool, if there is one; gives where it would be."""
    target = folder / COPY
    shutil.rmtree(target, ignore_errors=True)
    return target


def check_spool(folder: Path) -> tuple[int, int]:
    """How many messages a spool has and the highest number among them, once all of it has been found whole.

    The spool belongs to nobody else; its schema is brought to that of this version. Raises `StoreError`.
    """
    path = folder / DATABASE
    with closing(open_database(path, spool_sql.MIGRATIONS)) as one, sentences(path):
        spool_sql.check(one, path)
        queue = spool_sql.messages(one)
        in_files = spool_sql.with_body_in_file(one)
    for message in queue:
        body = folder / BODIES / str(message.mid)
        if message.mid in in_files and (not body.is_file() or body.stat().st_size != message.size):
            raise StoreError(f"the body of message {message.mid} in {folder} is not whole")
    return len(queue), max((message.mid for message in queue), default=0)


def check_home(home: Path) -> None:
    """Refuse a home that a newer version has written, before anything in it is touched. Raises `StoreError`."""
    refuse_newer(home / "revisions.db", REVISIONS)
    for path in sorted((home / "spool").glob(f"*/{DATABASE}")):
        refuse_newer(path, spool_sql.MIGRATIONS)
