"""kill -9 at any moment: what was acknowledged is there, what has left does not come back."""

from __future__ import annotations

import os
import random
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.store.spool_house import accept, load, message, running, text
from tests.store.spool_program import size

CHECKOUT = Path(__file__).parents[2]
MOST_SECONDS = 0.5

pytestmark = pytest.mark.timeout(900)  # for the long form


def run_and_kill(seconds: float, *arguments: str | Path) -> list[tuple[str, int]]:
    """What the program said until it was killed, so many seconds after its first word."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.store.spool_program", *map(str, arguments)],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(CHECKOUT / "src"), str(CHECKOUT)))},
    )
    with program:
        assert program.stdout is not None
        said = b""
        while not said:
            said = os.read(program.stdout.fileno(), 65536)
            assert said or program.poll() is None, "the program ended by itself"
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([program.stdout], [], [], left)[0]:
                said += os.read(program.stdout.fileno(), 65536)
        program.kill()
        said += program.stdout.read()
    words = (line.split() for line in said.decode("ascii").splitlines())
    return [(word, int(mid)) for word, mid in words]


async def test_nothing_acknowledged_is_lost(tmp_path: Path, soak: bool) -> None:
    choice = random.Random(7)
    present: set[int] = set()
    first = acknowledged = 1
    for _ in range(60 if soak else 6):
        said = run_and_kill(choice.uniform(0, MOST_SECONDS), "accept", tmp_path / "spool", str(first))
        mids = {word: {mid for each, mid in said if each == word} for word in ("kept", "leaving", "left")}
        present |= mids["kept"] - mids["leaving"]
        async with running(tmp_path / "spool") as (spool, queue):
            found = {each.mid: each for each in queue}
            assert present <= found.keys()
            assert not found.keys() & mids["left"]
            for mid in found:
                assert found[mid] == message(mid).queued()
                assert await load(spool, mid) == text(mid, size(mid))
        present |= found.keys()  # what was not acknowledged may be there; then it stays too
        acknowledged += len(mids["kept"])
        first = max([first, *found, *mids["kept"]]) + 1000
    assert acknowledged > 100


async def test_nothing_is_lost_while_a_spool_is_taken_over(tmp_path: Path, soak: bool) -> None:
    choice = random.Random(7)
    own, other, saved = tmp_path / "worker-1", tmp_path / "worker-2", tmp_path / "saved"
    mids = range(1, 150)
    async with running(saved) as (spool, _):
        told = [accept(spool, message(mid), text(mid, size(mid))) for mid in mids]
        assert [await each for each in told] == [None] * len(mids)
    interrupted = 0
    for _ in range(40 if soak else 6):
        shutil.copytree(saved, other)
        said = run_and_kill(choice.uniform(0, 0.05), "adopt", own, other)
        interrupted += ("adopted", 0) not in said
        async with running(own) as (spool, queue):
            if other.exists():
                queue += await spool.adopt(other)
            assert not other.exists()
            assert sorted(queue, key=lambda each: each.mid) == [message(mid).queued() for mid in mids]
            for mid in mids:
                assert await load(spool, mid) == text(mid, size(mid))
        shutil.rmtree(own)
    assert interrupted
