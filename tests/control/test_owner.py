"""Root's commands in the home of another user write with that user's rights, and can be led astray to nothing more."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.config.defaults import first_configuration
from sealgate.control.archive import Facts
from sealgate.control.backup import at_rest, backup_configuration, finish_restore, restore
from sealgate.process.owner import as_owner
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from tests.store.spool_house import accept, message, running, text

OWNER = 65534  # nobody
FACTS = Facts("0.1.0", "2024-01-17T20:11:06+00:00", False)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can write as somebody else")


def nothing(done: int, of: int) -> None:
    """No terminal."""


async def fill(home: Path) -> None:
    data = text(7, 500)
    async with running(home / "spool" / "worker-1") as (spool, _):
        assert await accept(spool, message(7, 1, len(data)), data) is None


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of the user nobody, with a revision and a message, in a folder that all can pass through."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        home.mkdir(0o700)
        _furnish(home)
        yield home


def _furnish(home: Path) -> None:
    with contextlib.closing(Revisions(home / "revisions.db")) as revisions:
        configuration = first_configuration("gate.example", (), domains=("inside.example",), next_hop=None)
        revisions.add(configuration, who="test", comment="", at=datetime.datetime.now(datetime.UTC), face="cli")
    asyncio.run(fill(home))
    for path in (home, *home.rglob("*")):
        os.chown(path, OWNER, OWNER)


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_a_restore_by_root_leaves_a_home_of_its_owner(home: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name  # where only root can write and read
    tmp_path.chmod(0o700)
    backup_configuration(home, target, FACTS, nothing)
    assert target.stat().st_uid == 0
    assert target.stat().st_mode & 0o777 == 0o600
    with at_rest(home):
        done = restore(home, target, "NOW", nothing)
    assert done.before is not None
    assert (home / "revisions.db").exists()
    assert {path.stat().st_uid for path in (home, *home.rglob("*"))} == {OWNER}


def test_a_restore_prepared_by_the_owner_makes_root_replace_nothing_outside(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(0o700)
    (victim / "passwd").write_text("root")
    ready = home / "restore.ready"
    (ready / "new").mkdir(parents=True)
    (ready / "new" / "passwd").write_text("crafted")
    (ready / "before").write_text(f"../{os.path.relpath(victim, home.parent)}")
    for path in (ready, *ready.rglob("*")):
        os.chown(path, OWNER, OWNER)
    with contextlib.suppress(StoreError, OSError):  # refused, or carried on within the home
        finish_restore(home)
    assert [path.name for path in victim.iterdir()] == ["passwd"]
    assert (victim / "passwd").read_text() == "root"
    assert victim.stat().st_uid == 0


def test_a_link_in_the_home_leads_root_nowhere(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir(0o700)
    (home / "restore.part").symlink_to(victim)
    with as_owner(home), pytest.raises(PermissionError):
        (home / "restore.part" / "new").mkdir()
    assert (victim / "new").exists() is False
    assert os.geteuid() == 0


def test_nobody_else_changes_the_rights_he_works_with(home: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from sealgate.process.owner import as_owner\n"
        f"os.setuid({OWNER - 1})\n"
        "with as_owner(Path(sys.argv[1])): print(os.geteuid())"
    )
    shown = subprocess.run([sys.executable, "-c", code, str(home.parent)], check=True, capture_output=True, text=True)
    assert shown.stdout == f"{OWNER - 1}\n"
