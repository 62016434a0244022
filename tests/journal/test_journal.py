"""Record and mail log as they are written when all is well."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealgate.config.schema import LogSettings
from sealgate.event.facts import MessageQueued
from sealgate.journal.journal import Journal
from sealgate.journal.tail import records
from tests.journal.conftest import HEAD, Bench, events, queued


def test_facts_of_one_turn_are_written_together(bench: Bench) -> None:
    journal = bench.journal()
    for number in (1, 2, 3):
        journal.emit(MessageQueued(number))
    assert len(bench.scheduled) == 1
    assert not list(bench.logs.iterdir())
    bench.turn()
    assert bench.recorded() == events(1, 2, 3)
    assert bench.lines() == HEAD + queued(1, 2, 3)
    journal.emit(MessageQueued(4))
    bench.turn()
    assert bench.recorded() == events(1, 2, 3, 4)


def test_a_fact_has_the_time_of_its_statement_and_its_process(bench: Bench) -> None:
    journal = bench.journal("control")
    journal.emit(MessageQueued(1))
    bench.now = datetime(2025, 1, 1, tzinfo=UTC)
    bench.turn()
    (record,) = records(bench.logs)
    assert record.at == datetime(2024, 1, 17, 20, 11, 6, 1000, UTC)
    assert record.source == "control"


async def test_it_runs_on_a_loop(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    journal = Journal(
        tmp_path, "worker-1", clock=lambda: datetime.now(UTC), schedule=loop.call_soon, settings=LogSettings()
    )
    journal.emit(MessageQueued(1))
    written = loop.create_future()
    loop.call_soon(written.set_result, None)
    await written
    assert [record.event for record in records(tmp_path)] == events(1)


def test_processes_share_the_mail_log_and_write_its_head_once(bench: Bench) -> None:
    first, second = bench.journal("worker-1"), bench.journal("worker-2")
    for number, journal in enumerate((first, second, first, second)):
        journal.emit(MessageQueued(number))
        bench.turn()
    assert bench.lines() == HEAD + queued(0, 1, 2, 3)
    assert bench.recorded("events-worker-1.jsonl") == events(0, 2)
    assert bench.recorded("events-worker-2.jsonl") == events(1, 3)
    assert not list(bench.logs.glob(".*"))


def test_logs_are_not_for_everyone(bench: Bench) -> None:
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    for path in bench.logs.iterdir():
        assert path.stat().st_mode & 0o007 == 0


def test_local_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX6")
    time.tzset()
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    text = (bench.logs / "mail.log").read_text()
    assert text.endswith("Wed Jan 17 14:11:06 2024 Info: MID 1 queued for delivery\n")
    assert "Time offset from UTC: -21600 seconds" in text
