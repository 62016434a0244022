"""One campaign: load, kills at random, quiet; then what was acknowledged against what arrived."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import wait_until
from bench.sealgate import Installed, install
from tests.fault.killing import VICTIMS, Gateway, running
from tests.fault.next_hop import NextHop, running_next_hop
from tests.fault.senders import Record, Senders

BETWEEN = (0.2, 1.5)  # seconds of undisturbed load between two kills
PATIENCE = 60.0  # seconds in which everything acknowledged must have arrived after the last kill


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
            f" {self.duplicates} second copies; {self.interruptions} sessions cut off,"
            f" {self.longest_silence:.1f} s without an acknowledgement at worst"
        )


@dataclass(slots=True)
class Campaign:
    """A gateway between senders and a next hop, and what has been done to it."""

    gateway: Gateway
    record: Record
    hop: NextHop
    tell: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)
    before_quiet: int = 0  # acknowledged when the last kill was over

    def kill_at_random(self, seconds: float, choice: random.Random) -> None:
        """Every kind of victim once, then any, for `seconds`; return when mail is taken again."""
        end = time.monotonic() + seconds
        first = choice.sample(VICTIMS, len(VICTIMS))
        while first or time.monotonic() < end:
            time.sleep(choice.uniform(*BETWEEN))
            victim = first.pop() if first else choice.choice(VICTIMS)
            self.tell(f"{len(self.record.acknowledged)} acknowledged; killing {victim}")
            self.gateway.kill(victim)
            self.kills[victim] += 1
            self.hop.collect()
        self.before_quiet = len(self.record.acknowledged)
        wait_until(lambda: len(self.record.acknowledged) > self.before_quiet, PATIENCE)

    def missing(self) -> set[str]:
        """What was acknowledged and has not arrived yet."""
        self.hop.collect()
        return self.record.acknowledged.keys() - self.hop.arrived.keys()

    def outcome(self, queue: str) -> Outcome:
        """The sum of it."""
        return Outcome(
            kills=self.kills,
            acknowledged=len(self.record.acknowledged),
            after_last_kill=len(self.record.acknowledged) - self.before_quiet,
            lost=tuple(sorted(self.missing())),
            duplicates=self.hop.arrived.total() - len(self.hop.arrived),
            interruptions=len(self.record.interruptions),
            longest_silence=self.record.longest_silence(),
            queue=queue,
        )


def run_campaign(folder: Path, seconds: float, seed: int, tell: Callable[[str], None]) -> Outcome:
    """Kill under load for `seconds`; the same `seed` makes the same order of kills."""
    with running_next_hop(folder) as hop:
        installed = install(folder / "home", hop.port, workers=2)
        with running(installed, folder / "output") as gateway:
            with Senders(installed.port, seed) as record:
                campaign = Campaign(gateway, record, hop, tell)
                campaign.kill_at_random(seconds, random.Random(seed))
            tell(f"{len(record.acknowledged)} acknowledged; waiting for the last of them")
            return campaign.outcome(_drain(installed, campaign))


def _drain(installed: Installed, campaign: Campaign) -> str:
    """What the queue says when nothing is missing and it is empty, or when the time for it is over."""
    end = time.monotonic() + PATIENCE
    with suppress(TimeoutError):
        wait_until(lambda: not campaign.missing(), 5.0, pause=0.2)
    while "empty" not in (queue := installed.run("queue", "list")) or campaign.missing():
        if time.monotonic() > end:
            break
        installed.run("queue", "retry")  # what was deferred when its worker died is due now
    return queue
