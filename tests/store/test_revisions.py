"""The revision store."""

from __future__ import annotations

import datetime
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.config.schema import CertificateProfile, Configuration, GatewaySettings
from sealgate.store.database import StoreError
from sealgate.store.revisions import KEPT, Revision, Revisions

NOON = datetime.datetime(2024, 1, 17, 12, 0, tzinfo=datetime.UTC)
KEY = "-----BEGIN PRIVATE KEY-----\nTHE-SECRET-{}\n-----END PRIVATE KEY-----\n"


def configuration(number: int) -> Configuration:
    return Configuration(
        gateway=GatewaySettings(hostname=f"gate-{number}.example"),
        certificates=(CertificateProfile(name="main", certificate_file="/c.pem", key=KEY.format(number)),),
    )


def add(revisions: Revisions, number: int = 1) -> Revision:
    return revisions.add(configuration(number), who="me", comment=f"change {number}", at=NOON, face="cli")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revisions.db"


@pytest.fixture
def revisions(path: Path) -> Iterator[Revisions]:
    store = Revisions(path)
    yield store
    store.close()


def test_at_first_there_is_none(revisions: Revisions) -> None:
    assert revisions.current() is None
    assert revisions.get(1) is None
    assert revisions.list() == ()


def test_what_was_added_is_found_again(path: Path, revisions: Revisions) -> None:
    first, second = add(revisions, 1), add(revisions, 2)
    assert (first.number, second.number) == (1, 2)
    assert second.configuration == configuration(2)
    other = Revisions(path)  # as another process sees it
    assert other.current() == second
    assert other.get(1) == first
    assert other.get(3) is None
    assert [(each.number, each.comment, each.at) for each in other.list()] == [
        (2, "change 2", NOON),
        (1, "change 1", NOON),
    ]
    other.close()


def test_a_time_is_kept_as_the_moment_it_names(revisions: Revisions) -> None:
    local = NOON.astimezone(datetime.timezone(datetime.timedelta(hours=-7)))
    added = revisions.add(configuration(1), who="me", comment="", at=local, face="cli")
    assert added.at == NOON
    assert revisions.current() == added


def test_the_oldest_are_forgotten_and_their_numbers_never_given_again(path: Path, revisions: Revisions) -> None:
    for number in range(1, KEPT + 4):
        add(revisions, number)
    kept = [entry.number for entry in revisions.list()]
    assert kept == list(range(KEPT + 3, 3, -1))
    assert revisions.get(3) is None
    assert KEPT >= 50
    database = sqlite3.connect(path)
    with database:
        database.execute("DELETE FROM revision WHERE number > 50")
    database.close()
    assert add(revisions).number == KEPT + 4


def test_a_forgotten_key_is_nowhere_in_the_file(path: Path) -> None:
    revisions = Revisions(path)
    for number in range(1, KEPT + 2):
        add(revisions, number)
    revisions.close()
    text = path.read_bytes()
    assert b"THE-SECRET-2\\n" in text
    assert b"THE-SECRET-1\\n" not in text


def test_a_revision_of_another_schema_is_refused_in_words(path: Path, revisions: Revisions) -> None:
    add(revisions)
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE revision SET configuration = ?", (json.dumps({"gateway": {"colour": "blue"}}),))
    database.close()
    with pytest.raises(StoreError, match=r"revision 1 in .*revisions\.db is of another version"):
        revisions.current()
    assert [entry.number for entry in revisions.list()] == [1]


def test_a_store_that_cannot_be_written_says_so_and_stays_as_it_was(path: Path, revisions: Revisions) -> None:
    first = add(revisions)
    revisions._database.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match=r"revisions\.db cannot be used"):
        add(revisions, 2)
    revisions._database.execute("PRAGMA query_only = OFF")
    assert revisions.current() == first
    assert add(revisions, 2).number == 2


ADD_AND_TELL = """
import datetime, sys
from pathlib import Path
from sealgate.config.schema import Configuration, GatewaySettings
from sealgate.store.revisions import Revisions
revisions = Revisions(Path(sys.argv[1]))
while True:
    added = revisions.add(Configuration(gateway=GatewaySettings(hostname="gate.example")),
                          who="me", comment="", at=datetime.datetime.now(datetime.UTC), face="cli")
    print(added.number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ADD_AND_TELL, str(path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(5):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        told = [5, *map(int, child.stdout.read().split())]
    revisions = Revisions(path)
    current = revisions.current()
    assert current is not None
    assert current.number >= max(told)
    assert add(revisions).number == current.number + 1
    revisions.close()
