"""Opening a SQLite database: private, durable, and of a schema that this version knows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

Migration = Sequence[str]
"""The statements that lead from one version of a schema to the next."""

LOCK_PATIENCE = 5.0
"""Seconds that a statement waits for another process to finish its transaction."""


class StoreError(Exception):
    """A database that cannot be opened, read or written; a sentence."""


def open_database(path: Path, migrations: Sequence[Migration], *, any_thread: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode to the database at `path`, which is made if it is not there.

    Its schema version is the number of migrations it has seen (`PRAGMA user_version`); the missing ones are applied
    in one transaction. `any_thread` lets several threads use the connection, one at a time. Raises `StoreError`.
    """
    refuse_newer(path, migrations)
    try:
        _create(path)
        connection = sqlite3.connect(
            path, timeout=LOCK_PATIENCE, isolation_level=None, check_same_thread=not any_thread
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open {path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        with sentences(path):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection, migrations, path)
    except StoreError:
        connection.close()
        raise
    return connection


def refuse_newer(path: Path, migrations: Sequence[Migration]) -> None:
    """Raise `StoreError` if a newer version has written this database. Nothing is written: not even a log is taken in,
    as a connection that may write does when it closes."""
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version = _version(connection)
    except sqlite3.OperationalError:
        return  # it cannot be read now, as on a full disk; whoever opens it looks again
    except sqlite3.Error as error:
        raise StoreError(f"the database {path} cannot be used: {error}") from error
    if version > len(migrations):
        raise _newer(path, version, len(migrations))


def _newer(path: Path, version: int, known: int) -> StoreError:
    return StoreError(
        f"{path} was written by a newer Sealgate (schema {version}, this version knows {known}); "
        "start that version, or put back a copy of the file from before the upgrade"
    )


def _create(path: Path) -> None:
    """A private file where there is none. One that exists must not be opened here, not even for a moment.

    Closing any descriptor of a file drops every POSIX lock that this process holds on it (fcntl(2)), and with them
    SQLite's: another process could then take itself for the last one, and remove the log that commits go to.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], path: Path) -> None:
    version = _version(connection)
    if version == len(migrations):
        return
    if version > len(migrations):
        raise _newer(path, version, len(migrations))
    with transaction(connection):
        for migration in migrations[_version(connection) :]:  # another process may have been faster
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: committed, and on the disk, when the block ends; rolled back when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn errors of the engine into `StoreError`, and what is no text for it."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError(f"the database {path} keeps text in UTF-8, and this is none") from error
    except sqlite3.Error as error:
        raise StoreError(f"the database {path} cannot be used: {error}") from error
