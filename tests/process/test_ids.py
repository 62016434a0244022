from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.process.channel import Answer, Body, Channel, ChannelError
from sealgate.process.ids import BLOCK, MOST, RESERVE, IdBook, IdError, Ids
from tests.process.house import SOURCES


def test_ids_begin_at_one_and_follow_each_other(tmp_path: Path) -> None:
    book = IdBook(tmp_path / "ids.json")
    assert [book.take("mid", 10), book.take("icid", 5), book.take("mid", 1)] == [(1, 10), (1, 5), (11, 11)]


def test_an_orderly_end_leaves_no_gap(tmp_path: Path) -> None:
    book = IdBook(tmp_path / "ids.json")
    book.take("mid", 10)
    book.close()
    assert IdBook(tmp_path / "ids.json").take("mid", 1) == (11, 11)


def test_a_crash_leaves_a_bounded_gap_and_repeats_nothing(tmp_path: Path) -> None:
    _, last = IdBook(tmp_path / "ids.json").take("mid", 10)
    first, _ = IdBook(tmp_path / "ids.json").take("mid", 10)
    assert last < first <= last + RESERVE + 1


@settings(deadline=None, max_examples=50)  # each waits for the disk
@given(st.lists(st.tuples(st.sampled_from(["take", "crash", "end"]), st.integers(1, MOST)), max_size=30))
def test_nothing_is_handed_out_twice(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    path = tmp_path_factory.mktemp("ids") / "ids.json"
    book, highest = IdBook(path), 0
    for step, count in steps:
        if step == "take":
            first, last = book.take("mid", count)
            assert first > highest
            assert last - first + 1 == count
            highest = last
        else:
            if step == "end":
                book.close()
            book = IdBook(path)


def test_the_number_is_durable_before_it_is_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "ids.json"
    book = IdBook(path)
    for count in (1, RESERVE, 1, 3 * RESERVE):
        _, last = book.take("dcid", count)
        assert json.loads(path.read_text())["dcid"] >= last


def test_a_half_written_new_file_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "ids.json"
    IdBook(path).take("mid", 10)
    (tmp_path / "ids.json.new").write_text('{"mid": 1')
    assert IdBook(path).take("mid", 1)[0] > 10


@pytest.mark.parametrize(
    "content", ["", '{"mid": 1', "[]", '{"mid": "7"}', '{"mid": -1}', '{"mid": true}', '{"mid": 1.5}', "\xff"]
)
def test_a_damaged_file_is_refused_not_guessed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ids.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(IdError, match=r"cannot read the last ids used from .*ids\.json"):
        IdBook(path)


@pytest.mark.parametrize(("kind", "count"), [("mid", 0), ("mid", -1), ("mid", MOST + 1), ("rid", 1)])
def test_odd_requests_are_refused(tmp_path: Path, kind: str, count: int) -> None:
    with pytest.raises(IdError, match="cannot hand out"):
        IdBook(tmp_path / "ids.json").take(kind, count)


def test_a_disk_that_does_not_take_the_number_gets_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = IdBook(tmp_path / "ids.json")
    book.take("mid", 1)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert book.take("mid", RESERVE) == (2, RESERVE + 1)  # still covered by what is stored
        with pytest.raises(IdError, match="No space left on device"):
            book.take("mid", 1)
        book.close()  # an end in order all the same
    assert book.take("mid", 1) == (RESERVE + 2, RESERVE + 2)


TAKER = """
import sys
from pathlib import Path
from sealgate.process.ids import IdBook
book = IdBook(Path(sys.argv[1]))
while True:
    print(*book.take("mid", 3000), flush=True)
"""


def test_kill_at_any_moment_repeats_nothing(tmp_path: Path) -> None:
    highest = 0
    chance = random.Random(2)
    for _ in range(8):
        taker = subprocess.Popen(
            [sys.executable, "-c", TAKER, str(tmp_path / "ids.json")],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
        )
        assert taker.stdout is not None
        taken = [taker.stdout.readline() for _ in range(chance.randrange(1, 60))]
        taker.send_signal(signal.SIGKILL)
        rest, _ = taker.communicate()
        lines = [line for line in taken + rest.splitlines(keepends=True) if line.endswith(b"\n")]
        for line in lines:
            first, last = map(int, line.split())
            assert first > highest
            highest = last


class Desk:
    """A supervisor's end that hands out ids, or refuses."""

    def __init__(self, path: Path) -> None:
        ours, theirs = socket.socketpair()
        self.book = IdBook(path)
        self.asked = 0
        self.refusing = False
        self.ends = Channel(ours, self._serve, lambda: None), Channel(theirs, self._serve, lambda: None)
        self.ids = Ids(self.ends[1])

    def _serve(self, op: str, body: Body, fds: list[int]) -> Answer:
        self.asked += 1
        if self.refusing:
            raise ChannelError("the disk is full")
        first, last = self.book.take(body["kind"], body["count"])
        return {"first": first, "last": last}

    async def close(self) -> None:
        for end in self.ends:
            end.close()
        await asyncio.sleep(0)


async def _settle(desk: Desk) -> None:
    while desk.ids._refills:
        await asyncio.gather(*desk.ids._refills.values())
        await asyncio.sleep(0)


async def test_next_never_waits_and_is_refilled_ahead(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ids.json")
    await desk.ids.prepare()
    given: list[int] = []
    for _ in range(10):
        given += [desk.ids.next("mid") for _ in range(BLOCK // 2)]
        await _settle(desk)
    assert given == list(range(1, 5 * BLOCK + 1))
    assert desk.asked <= 3 + 10
    await desk.close()


async def test_ids_run_out_with_a_sentence_and_come_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ids.json")
    await desk.ids.prepare()
    desk.refusing = True
    for _ in range(BLOCK):
        desk.ids.next("icid")
    with pytest.raises(IdError, match="no icid is left"):
        desk.ids.next("icid")
    await _settle(desk)
    desk.refusing = False
    with pytest.raises(IdError):
        desk.ids.next("icid")  # but this has asked again
    await _settle(desk)
    assert desk.ids.next("icid") == BLOCK + 1
    await desk.close()


async def test_prepare_tells_why_there_are_none(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ids.json")
    desk.refusing = True
    with pytest.raises(ChannelError, match="the disk is full"):
        await desk.ids.prepare()
    await desk.close()
