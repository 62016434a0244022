"""Logs that are rotated, renamed or removed, by this gateway or by others, lose no line."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from sealgate.config.schema import LogSettings
from sealgate.event.facts import MessageQueued
from sealgate.journal.journal import Journal
from sealgate.journal.tail import records
from sealgate.tls.failure import ErrorCodes
from tests.journal.conftest import HEAD, PROGRAM, RECORD, Bench, events, queued


@pytest.mark.parametrize("reopen", [True, False], ids=["SIGHUP", "unasked"])
def test_a_log_that_is_moved_away_begins_anew(bench: Bench, reopen: bool) -> None:
    journal = bench.journal()
    journal.emit(MessageQueued(1))
    bench.turn()
    for name in ("mail.log", RECORD):
        (bench.logs / name).rename(bench.logs / f"{name}.1")
    journal.emit(MessageQueued(2))
    if reopen:
        journal.reopen()
    bench.turn()
    journal.emit(MessageQueued(3))
    bench.turn()
    assert bench.lines("mail.log.1") == HEAD + queued(1)
    assert bench.lines() == HEAD + queued(2, 3)
    assert bench.recorded(f"{RECORD}.1") == events(1)
    assert bench.recorded() == events(2, 3)


def test_a_log_that_is_removed_begins_anew(bench: Bench) -> None:
    journal = bench.journal()
    journal.emit(MessageQueued(1))
    bench.turn()
    (bench.logs / "mail.log").unlink()
    (bench.logs / RECORD).unlink()
    journal.emit(MessageQueued(2))
    bench.turn()
    assert bench.lines() == HEAD + queued(2)
    assert bench.recorded() == events(2)


def test_logs_rotate_by_size_and_the_newest_stay(bench: Bench) -> None:
    journal = bench.journal(record_size=4096, record_keep=2, mail_log_size=4096, mail_log_keep=3)
    for number in range(800):
        journal.emit(MessageQueued(number))
        bench.turn()
    old_records = sorted(bench.logs.glob("events-worker-1.2*.jsonl"))
    old_mail_logs = sorted(bench.logs.glob("mail.2*.log"))
    assert len(old_records) == 2
    assert len(old_mail_logs) == 3
    assert all(4096 <= path.stat().st_size < 4300 for path in (*old_records, *old_mail_logs))
    assert all(bench.lines(path.name)[:3] == HEAD for path in old_mail_logs)
    kept = [record.event for record in records(bench.logs)]
    assert kept == events(*range(800 - len(kept), 800))
    assert len(kept) > 80


def rotated(bench: Bench) -> set[str]:
    return {path.name for path in (*bench.logs.glob("mail.2*.log"), *bench.logs.glob("events-*.2*.jsonl"))}


def test_rotated_logs_are_kept_for_so_many_days(bench: Bench) -> None:
    journal = bench.journal(record_size=4096, mail_log_size=4096, keep_days=30)
    others = ["events-worker-7.20231219T000000.000000Z.jsonl", "mail.kept-for-court.log"]
    for name in others:  # a process that is no more, and a file of a person
        (bench.logs / name).write_text("")
    for _ in range(120):
        journal.emit(MessageQueued(1))
        bench.turn()
    assert set(others) <= {path.name for path in bench.logs.iterdir()}  # 29 days old: they may stay
    old = rotated(bench)
    assert {name.partition(".")[0] for name in old} == {"mail", "events-worker-1", "events-worker-7"}
    bench.now += timedelta(days=29)
    journal.tidy()
    assert rotated(bench) == old - {others[0]}
    bench.now += timedelta(days=2)
    journal.tidy()
    assert rotated(bench) == set()
    assert (bench.logs / others[1]).exists()
    assert (bench.logs / "mail.log").exists()


def test_a_rotation_removes_what_is_too_old(bench: Bench) -> None:
    journal = bench.journal(record_size=4096, mail_log_size=1 << 20, keep_days=1)
    old = bench.logs / "mail.20240101T000000.000000Z.log"
    old.write_text("")
    while not list(bench.logs.glob("events-worker-1.2*")):
        assert old.exists()
        journal.emit(MessageQueued(1))
        bench.turn()
    assert not old.exists()


def test_without_a_limit_they_are_kept_and_a_new_limit_holds_at_once(bench: Bench) -> None:
    journal = bench.journal()
    old = bench.logs / "mail.19990101T000000.000000Z.log"
    old.write_text("")
    journal.tidy()
    assert old.exists()
    journal.configure(LogSettings(keep_days=36500), ErrorCodes.NATIVE)
    journal.tidy()
    assert old.exists()
    journal.configure(LogSettings(keep_days=1), ErrorCodes.NATIVE)
    journal.tidy()
    assert not old.exists()


def test_processes_rotate_the_mail_log_without_losing_a_line(bench: Bench) -> None:
    journals = [bench.journal(f"worker-{n}", mail_log_size=4096, mail_log_keep=1000) for n in (1, 2, 3)]
    for number in range(600):
        journals[number % 3].emit(MessageQueued(number))
        bench.turn()
    files = [*sorted(bench.logs.glob("mail.2*.log")), bench.logs / "mail.log"]
    lines = [line for path in files for line in bench.lines(path.name)]
    assert [line for line in lines if line not in HEAD] == queued(*range(600))
    assert lines.count(HEAD[0]) == len(files) > 3


def test_what_stands_beside_a_log_is_not_removed(bench: Bench) -> None:
    (bench.logs / "mail.kept-for-court.log").write_text("x")
    (bench.logs / "events-worker-10.20240101T000000.000000Z.jsonl").write_text("")
    journal = bench.journal(record_size=4096, record_keep=1, mail_log_size=4096, mail_log_keep=1)
    for number in range(300):
        journal.emit(MessageQueued(number))
        bench.turn()
    assert (bench.logs / "mail.kept-for-court.log").exists()
    assert len(list(bench.logs.glob("mail.2*.log"))) == 1
    assert (bench.logs / "events-worker-10.20240101T000000.000000Z.jsonl").exists()


@pytest.fixture
def grown(bench: Bench) -> Journal:
    """A journal whose mail log is due for rotation."""
    journal = bench.journal(mail_log_size=4096)
    while not (bench.logs / "mail.log").exists() or (bench.logs / "mail.log").stat().st_size < 4096:
        journal.emit(MessageQueued(1))
        bench.turn()
    return journal


def test_while_one_process_rotates_the_others_write_on(bench: Bench, grown: Journal) -> None:
    with (bench.logs / "mail.log").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        grown.emit(MessageQueued(2))
        bench.turn()
        assert bench.lines()[-1:] == queued(2)
    grown.emit(MessageQueued(3))
    bench.turn()
    assert bench.lines() == HEAD + queued(3)


def test_what_another_process_has_just_rotated_is_not_rotated_again(
    bench: Bench, grown: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.logs / "mail.log"

    def locked_late(descriptor: int, how: int) -> None:
        path.rename(bench.logs / "mail.20240117T000000.000000Z.log")
        path.write_text("Wed Jan 17 20:11:06 2024 Info: of another process\n")

    monkeypatch.setattr("fcntl.flock", locked_late)
    grown.emit(MessageQueued(2))
    bench.turn()
    assert bench.lines() == ["Info: of another process", *queued(2)]
    assert len(list(bench.logs.glob("mail.2*.log"))) == 1


def test_processes_rotate_at_the_same_time(tmp_path: Path) -> None:
    sources = ["worker-1", "worker-2", "control"]
    running = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path), source, "1500"], stdout=subprocess.DEVNULL)
        for source in sources
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    files = [*tmp_path.glob("mail.2*.log"), tmp_path / "mail.log"]
    texts = [path.read_text() for path in files]
    assert all("Info: Begin Logfile\n" in text.splitlines(keepends=True)[0] for text in texts)
    lines = Counter(line.partition("Info: ")[2] for text in texts for line in text.splitlines())
    assert lines["Begin Logfile"] == len(files) > 10
    assert {lines[f"MID {number} queued for delivery"] for number in range(1, 1501)} == {3}
    assert sum(lines.values()) == 3 * len(files) + 3 * 1500


def test_a_log_that_is_rotated_away_as_soon_as_it_is_made_is_made_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.logs / "mail.log"
    link = os.link
    made: list[Path] = []

    def link_and_lose(draft: Path, target: Path) -> None:
        link(draft, target)
        if target == path:
            made.append(target)
            if len(made) == 1:
                path.rename(bench.logs / "mail.20240117T000000.000000Z.log")

    monkeypatch.setattr("os.link", link_and_lose)
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    assert len(made) == 2
    assert bench.lines() == HEAD + queued(1)
