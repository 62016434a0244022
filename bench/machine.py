"""What the kernel knows of a process tree (CPU, memory) and of a disk (how long a sync takes).

CPU is the user and system time of every living process of the tree plus that of the children each has
reaped (proc(5): utime, stime, cutime, cstime).  It needs no control group, so it is the same figure under
cgroup v1, v2 and neither; a process ends either in its parent's total or in the keeper's.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat: its own and its reaped children's CPU seconds."""

    pid: int
    parent: int
    own: float
    reaped: float


def read_process(pid: int) -> Process | None:
    """The process as it is now; None when it has gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # the name may hold blanks and brackets
    user, system, reaped_user, reaped_system = (int(field) / TICKS for field in fields[11:15])
    return Process(pid, int(fields[1]), user + system, reaped_user + reaped_system)


class Tree:
    """A program under a keeper, and all its descendants; the keeper itself is not counted."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        keeper = [sys.executable, "-m", "bench.keeper", *command]
        with log.open("ab") as output:
            self._keeper = subprocess.Popen(
                keeper,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us, who then stop it in order
            )

    def members(self) -> list[Process]:
        """Every living process of the tree, parents before children."""
        children: dict[int, list[Process]] = {}
        for entry in os.listdir("/proc"):
            if entry.isdecimal() and (process := read_process(int(entry))):
                children.setdefault(process.parent, []).append(process)
        found = list(children.get(self._keeper.pid, ()))
        for process in found:
            found += children.get(process.pid, ())
        return found

    def cpu_seconds(self) -> float:
        """CPU used by the tree since it began, the processes that have ended included."""
        keeper = read_process(self._keeper.pid)
        return (keeper.reaped if keeper else 0.0) + sum(p.own + p.reaped for p in self.members())

    def memory(self) -> float:
        """Proportional set size of the whole tree in MB: shared pages are counted once."""
        return sum(proportional_set(process.pid) for process in self.members()) / 1e6

    def ended(self) -> bool:
        """Whether nothing of the tree lives any more."""
        return self._keeper.poll() is not None

    def stop(self, patience: float = 20.0) -> None:
        """SIGTERM to the head of the tree; SIGKILL to what is left after `patience` seconds."""
        self._keeper.terminate()  # which passes it on
        with suppress(TimeoutError):
            wait_until(self.ended, patience)
        while not self.ended():
            for process in self.members():
                send(process.pid, signal.SIGKILL)
            time.sleep(0.05)


def proportional_set(pid: int) -> int:
    """Bytes of one process's PSS; 0 when it has gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def send(pid: int, number: int) -> None:
    """A signal to a process that may have gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.05) -> None:
    """Return as soon as `condition` holds; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(pause)


@dataclass(frozen=True, slots=True)
class SyncTime:
    """Milliseconds that a small append takes to become durable."""

    median: float
    p99: float

    def __str__(self) -> str:
        return f"median {self.median:.2f} ms, p99 {self.p99:.2f} ms"


def sync_time(folder: Path, writes: int = 200) -> SyncTime:
    """Append 4 KB and fsync, `writes` times, in the folder where the gateways keep their mail."""
    path = folder / "sync-time"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(writes):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    path.unlink()
    return SyncTime(statistics.median(taken), statistics.quantiles(taken, n=100)[98])
