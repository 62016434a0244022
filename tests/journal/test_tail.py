"""The record read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealgate.event.codec import decode
from sealgate.event.facts import MessageFinished, MessageQueued
from sealgate.journal.tail import records
from tests.journal.conftest import RECORD, Bench, events


def test_records_come_in_the_order_of_time(bench: Bench) -> None:
    journals = [bench.journal(source, record_size=4096) for source in ("worker-1", "worker-10", "supervisor")]
    for number in range(300):
        journals[number % 3].emit(MessageQueued(number))
        if number % 7 == 0:
            bench.turn()
    bench.turn()
    assert len(list(bench.logs.glob("events-*.jsonl"))) > 3
    assert [record.event for record in records(bench.logs)] == events(*range(300))


def test_a_process_whose_file_was_just_rotated_is_read(bench: Bench) -> None:
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    (bench.logs / RECORD).rename(bench.logs / "events-worker-1.20240117T201106.000000Z.jsonl")
    assert [record.event for record in records(bench.logs)] == events(1)


def test_facts_of_some_kinds_alone(bench: Bench) -> None:
    journal = bench.journal()
    for number in range(4):
        journal.emit(MessageQueued(number))
        journal.emit(MessageFinished(number))
    bench.turn()
    assert [record.event for record in records(bench.logs, only=(MessageQueued,))] == events(*range(4))
    assert len(list(records(bench.logs, only=(MessageQueued, MessageFinished)))) == 8


@pytest.mark.parametrize("make", [lambda logs: None, lambda logs: logs.rmdir()], ids=["empty", "missing"])
def test_no_record_yet(tmp_path: Path, make: Callable[[Path], None]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    make(logs)
    assert list(records(logs)) == []


def test_a_line_that_is_still_being_written_is_left(bench: Bench) -> None:
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    with (bench.logs / RECORD).open("ab") as file:
        file.write(b'{"at":"2024-01')
    damage: list[str] = []
    assert [record.event for record in records(bench.logs, damage.append)] == events(1)
    assert not damage


def test_a_damaged_line_in_the_middle_is_told(bench: Bench) -> None:
    journal = bench.journal()
    for number in range(3):
        journal.emit(MessageQueued(number))
    bench.turn()
    path = bench.logs / RECORD
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[30:] + third)
    damage: list[str] = []
    assert [record.event for record in records(bench.logs, damage.append)] == events(0, 2)
    assert [sentence.partition(":")[0] for sentence in damage] == [f"{path}, line 2"]
    assert decode(first).event == MessageQueued(0)
