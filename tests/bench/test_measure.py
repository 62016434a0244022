"""What the benchmarks count: a loss is seen, and the CPU of processes that have gone."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.machine import Tree, wait_until
from bench.measure import missing
from bench.traffic import Sent, Sink

# A daemon's way: its parent ends before it does, and it ends before anybody looks.
ORPHAN = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        while time.process_time() < 0.5:
            pass
    os._exit(0)
os.wait()
time.sleep(60)
"""


def test_absent_and_shortened_messages_are_lost(tmp_path: Path) -> None:
    arrived = tmp_path / "arrived"
    arrived.write_text("<whole> 100 1.0\n<short> 99 1.0\n<twice> 99 1.0\n<twice> 100 2.0\n<torn> 10")
    sent = Sent(dict.fromkeys(("<whole>", "<short>", "<twice>", "<torn>", "<absent>"), (0.0, 0.5)), (), 0.0)
    assert missing(sent, Sink(0, 0, arrived), 100) == ("<short>", "<torn>", "<absent>")


def test_the_sink_reads_on_where_it_stopped(tmp_path: Path) -> None:
    arrived = tmp_path / "arrived"
    arrived.write_text("<a> 100 1.0\n<b> 1")
    sink = Sink(0, 0, arrived)
    assert list(sink.arrivals()) == ["<a>"]
    with arrived.open("a") as file:
        file.write("00 2.0\n")
    assert [(name, found[0].size) for name, found in sink.arrivals().items()] == [("<a>", 100), ("<b>", 100)]


def test_the_cpu_of_an_orphan_that_has_ended_is_counted(tmp_path: Path) -> None:
    tree = Tree([sys.executable, "-c", ORPHAN], tmp_path / "output")
    try:
        wait_until(lambda: len(tree.members()) == 1 and tree.cpu_seconds() > 0.4, 20)  # ticks round down
    finally:
        tree.stop()
    assert tree.members() == []
