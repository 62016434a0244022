"""Logs after a crash, and on disks that do not take them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealgate.event.facts import MessageQueued, Note, RecordLost
from sealgate.journal.tail import records
from tests.journal.conftest import HEAD, PROGRAM, RECORD, Bench, events, queued


def test_a_torn_last_line_does_not_spoil_the_next(bench: Bench) -> None:
    (bench.logs / RECORD).write_bytes(b'{"at":"2024-01-17T20:1')
    (bench.logs / "mail.log").write_text("Wed Jan 17 20:11:06 20")
    bench.journal().emit(MessageQueued(1))
    bench.turn()
    damage: list[str] = []
    assert [record.event for record in records(bench.logs, damage.append)] == events(1)
    assert len(damage) == 1
    assert f"{RECORD}, line 1: this is no record" in damage[0]
    assert (bench.logs / "mail.log").read_text().splitlines()[1].endswith(queued(1)[0])


def test_kill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), "worker-1", "1000000"]
    written = 0
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(10):
                written += 50 if process.stdout.readline() else 0
            process.send_signal(signal.SIGKILL)
    damage: list[str] = []
    found = [record.event for record in records(tmp_path, damage.append)]
    numbers = [event.mid for event in found if isinstance(event, MessageQueued)]
    starts = [index for index, number in enumerate(numbers) if number == 1]
    assert len(starts) == 3
    for start, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        assert numbers[start:end] == list(range(1, end - start + 1))
    assert len(numbers) >= written >= 1500
    assert len(damage) <= 3


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """As if the disk were full for every file at `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_survived_and_confessed(bench: Bench) -> None:
    journal = bench.journal()
    with file_limit(2000):
        for number in range(100):
            journal.emit(MessageQueued(number))
            bench.turn()
    before = (bench.logs / RECORD).read_bytes()
    assert len(before) == 2000
    whole = before.count(b"\n")
    journal.emit(MessageQueued(100))
    bench.turn()
    journal.emit(MessageQueued(101))
    bench.turn()
    damage: list[str] = []
    found = [record.event for record in records(bench.logs, damage.append)]
    confession = RecordLost(100 - whole, f"{RECORD} could not be written: File too large")
    assert found == [*events(*range(whole), 100), confession, *events(101)]
    assert len(damage) == 1


def test_a_batch_that_fits_in_part_is_counted_in_part(bench: Bench) -> None:
    journal = bench.journal()
    for number in range(100):
        journal.emit(MessageQueued(number))
    with file_limit(2000):
        bench.turn()
    whole = (bench.logs / RECORD).read_bytes().count(b"\n")
    assert 10 < whole < 30
    mail = bench.logs / "mail.log"
    shown = mail.read_bytes().count(b"\n") - len(HEAD)
    journal.emit(MessageQueued(100))
    bench.turn()
    lost = [record.event.count for record in records(bench.logs) if isinstance(record.event, RecordLost)]
    assert lost == [100 - whole]
    assert f"Critical: {100 - shown} log lines were lost: mail.log could not be written" in mail.read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.needs("root", "mount")
def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    bench = Bench(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 40960)
    journal = bench.journal()
    for number in range(1000):
        journal.emit(MessageQueued(number))
        bench.turn()
    filler.unlink()
    journal.emit(Note("Info", "room again"))
    bench.turn()
    damage: list[str] = []
    *before, note, confession = [record.event for record in records(small_disk, damage.append)]
    assert before == events(*range(len(before)))
    assert 0 < len(before) < 1000
    assert note == Note("Info", "room again")
    assert confession == RecordLost(1000 - len(before), f"{RECORD} could not be written: No space left on device")
    assert len(damage) <= 1


@pytest.mark.needs("root", "mount")
def test_a_disk_that_is_full_from_the_beginning(small_disk: Path) -> None:
    bench = Bench(small_disk)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * 1_000_000)
    journal = bench.journal()
    journal.emit(MessageQueued(1))
    bench.turn()
    assert not (small_disk / "mail.log").exists()
    filler.unlink()
    journal.emit(MessageQueued(2))
    bench.turn()
    assert bench.lines()[:4] == HEAD + queued(2)
    assert "1 log lines were lost: mail.log could not be written" in bench.lines()[4]
    assert not list(small_disk.glob(".*"))


def test_a_folder_that_is_missing_is_survived(bench: Bench, tmp_path: Path) -> None:
    bench.logs = tmp_path / "later"
    journal = bench.journal()
    journal.emit(MessageQueued(1))
    bench.turn()
    bench.logs.mkdir()
    journal.emit(MessageQueued(2))
    bench.turn()
    lost = RecordLost(1, f"{RECORD} could not be written: No such file or directory")
    assert bench.recorded() == [MessageQueued(2), lost]


def test_no_descriptor_is_left_behind(bench: Bench) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    journal = bench.journal(record_size=4096, mail_log_size=4096)
    for number in range(300):
        journal.emit(MessageQueued(number))
        bench.turn()
    assert descriptors() == before + 2
    journal.close()
    assert descriptors() == before
