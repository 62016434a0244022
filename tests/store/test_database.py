"""Opening databases: private, durable, of a known schema."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sealgate.store.database import StoreError, open_database, sentences, transaction

FIRST = ("CREATE TABLE fruit (name TEXT NOT NULL)", "INSERT INTO fruit VALUES ('apple')")
SECOND = ("ALTER TABLE fruit ADD COLUMN colour TEXT NOT NULL DEFAULT 'green'",)
FAULTY = ("CREATE TABLE tree (name TEXT)", "INSERT INTO nowhere VALUES (1)")


def rows(path: Path, *migrations: tuple[str, ...]) -> list[tuple[str, ...]]:
    database = open_database(path, migrations)
    try:
        return database.execute("SELECT * FROM fruit").fetchall()
    finally:
        database.close()


def test_a_new_database_is_made_and_an_old_one_led_on(tmp_path: Path) -> None:
    path = tmp_path / "fruit.db"
    assert rows(path, FIRST) == [("apple",)]
    assert rows(path, FIRST) == [("apple",)]
    assert rows(path, FIRST, SECOND) == [("apple", "green")]


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fruit.db"
    rows(path, FIRST, SECOND)
    with pytest.raises(StoreError, match=r"fruit\.db was written by a newer Sealgate \(schema 2, .* knows 1\)"):
        open_database(path, [FIRST])
    assert rows(path, FIRST, SECOND) == [("apple", "green")]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "fruit.db"
    rows(path, FIRST)
    with pytest.raises(StoreError, match="nowhere"):
        open_database(path, [FIRST, FAULTY])
    assert rows(path, FIRST) == [("apple",)]


def test_nobody_else_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "fruit.db"
    database = open_database(path, [FIRST])
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"fruit.db", "fruit.db-wal", "fruit.db-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_what_is_committed_is_synced(tmp_path: Path) -> None:
    database = open_database(tmp_path / "fruit.db", [FIRST])
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    database.close()


@pytest.mark.parametrize("what", ["a folder", "no database", "nowhere"])
def test_what_cannot_be_opened_is_refused_in_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "fruit.db"
    if what == "a folder":
        path.mkdir()
    elif what == "no database":
        path.write_bytes(b"this is no database, but it is long enough to look like one" * 100)
    else:
        path = tmp_path / "nowhere" / "fruit.db"
    with pytest.raises(StoreError, match=r"fruit\.db"):
        open_database(path, [FIRST])


def test_several_may_make_it_at_once(tmp_path: Path) -> None:
    """Processes that start together all find it; here they are threads, each with its own connection."""
    together = threading.Barrier(8)
    found: list[object] = []

    def start() -> None:
        together.wait()
        try:
            found.append(rows(tmp_path / "fruit.db", FIRST, SECOND))
        except StoreError as error:
            found.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[("apple", "green")]] * 8


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "fruit.db", [FIRST])

    def change_our_mind() -> None:
        with transaction(database):
            database.execute("DELETE FROM fruit")
            raise RuntimeError("a change of mind")

    with pytest.raises(RuntimeError, match="a change of mind"):
        change_our_mind()
    assert database.execute("SELECT name FROM fruit").fetchall() == [("apple",)]
    with transaction(database):
        database.execute("DELETE FROM fruit")
    assert database.execute("SELECT name FROM fruit").fetchall() == []
    database.close()


def test_errors_of_the_engine_become_sentences(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match=r"the database /fruit\.db cannot be used: disk I/O error"),
        sentences(Path("/fruit.db")),
    ):
        raise sqlite3.OperationalError("disk I/O error")


def test_opening_twice_keeps_the_log_that_a_stranger_would_remove(tmp_path: Path) -> None:
    """A process that opens a database twice must keep its locks: else whoever closes it next removes its log."""
    path = tmp_path / "test.db"
    first = open_database(path, (("CREATE TABLE t (x)",),))
    second = open_database(path, (("CREATE TABLE t (x)",),))
    stranger = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM t'); c.close()"
    subprocess.run([sys.executable, "-c", stranger, str(path)], check=True)
    first.execute("INSERT INTO t VALUES (1)")
    seen = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM t').fetchone()[0])"
    found = subprocess.run([sys.executable, "-c", seen, str(path)], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "1"
    first.close()
    second.close()
