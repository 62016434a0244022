"""One campaign: load, kills at random, quiet; then what was acknowledged against what arrived."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import wait_until
from bench.sealgate import COMMAND, Installed, install
from tests.fault.killing import VICTIMS, Gateway, running
from tests.fault.message import recognise
from tests.fault.senders import Record, Senders
from tests.peers.ports import free_port, wait_for

BETWEEN = (0.2, 2.0)  # seconds of undisturbed load between two kills
DRAIN = 60.0  # seconds in which everything acknowledged must have arrived after the last kill


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a campaign came to."""

    kills: Counter[str]
    acknowledged: int
    after_last_kill: int  # of them; it shows that the gateway was whole at the end
    lost: tuple[str, ...]
    duplicates: int
    interruptions: int
    longest_silence: float
    queue: str  # what `sealgate queue list` says at the end

    def __str__(self) -> str:
        kills = ", ".join(f"{name} {count} times" for name, count in self.kills.items())
        return (
            f"killed {kills}; {self.acknowledged} messages acknowledged, {len(self.lost)} lost,"
            f" {self.duplicates} arrived twice; {self.interruptions} sessions cut off,"
            f" {self.longest_silence:.1f} s without an acknowledgement at worst"
        )


def campaign(folder: Path, seconds: float, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Kill for `seconds`, every kind of victim at least once; `seed` makes the order of kills again."""
    maildir = folder / "maildir"
    with next_hop(maildir, folder) as sink_port:
        installed = install(folder / "home", sink_port, workers=2)
        with running(installed, folder / "output") as gateway:
            with Senders(installed.port, seed) as record:
                kills, before_quiet = _kill_at_random(gateway, record, seconds, random.Random(seed), tell)
            tell(f"{len(record.acknowledged)} acknowledged; waiting for the last of them")
            arrived = _drain(installed, maildir, record)
            queue = installed.run("queue", "list")
    return Outcome(
        kills=kills,
        acknowledged=len(record.acknowledged),
        after_last_kill=len(record.acknowledged) - before_quiet,
        lost=tuple(sorted(record.acknowledged.keys() - arrived.keys())),
        duplicates=sum(arrived.values()) - len(arrived),
        interruptions=len(record.interruptions),
        longest_silence=record.longest_silence(),
        queue=queue,
    )


def _kill_at_random(
    gateway: Gateway, record: Record, seconds: float, choice: random.Random, tell: Callable[[str], None]
) -> tuple[Counter[str], int]:
    """The kills, and how many messages had been acknowledged when the last of them was over."""
    end = time.monotonic() + seconds
    kills: Counter[str] = Counter()
    first = choice.sample(VICTIMS, len(VICTIMS))
    while first or time.monotonic() < end:
        time.sleep(choice.uniform(*BETWEEN))
        victim = first.pop() if first else choice.choice(VICTIMS)
        tell(f"{len(record.acknowledged)} acknowledged; killing {victim}")
        gateway.kill(victim)
        kills[victim] += 1
    whole = len(record.acknowledged)
    wait_until(lambda: len(record.acknowledged) > whole, DRAIN)
    return kills, whole


def _drain(installed: Installed, maildir: Path, record: Record) -> Counter[str]:
    """What has arrived, once nothing acknowledged is missing or the time for it is over."""
    arrived: Counter[str] = Counter()
    seen: set[Path] = set()
    end = time.monotonic() + DRAIN
    while True:
        for path in set((maildir / "new").iterdir()) - seen:
            seen.add(path)
            arrived[recognise(path.read_bytes())] += 1
        if arrived.keys() >= record.acknowledged.keys() or time.monotonic() > end:
            return arrived
        installed.run("queue", "retry")  # what was deferred when its worker died is due now
        time.sleep(0.5)


@contextmanager
def next_hop(maildir: Path, folder: Path) -> Iterator[int]:
    """`sealgate sink` on a free port: every message it says 250 to is a file in the Maildir."""
    port = free_port()
    command = [str(COMMAND), "--home", str(folder), "sink", "--port", str(port), "--maildir", str(maildir)]
    with (folder / "sink-output").open("wb") as output:
        sink = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for(port, greeting=b"220")
        yield port
    finally:
        sink.terminate()
        sink.wait()
