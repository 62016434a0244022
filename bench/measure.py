"""One round: a load through one gateway, every message followed to the next hop, and what it cost."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.gateway import Running
from bench.traffic import Load, Sent, Sink, send

ARRIVAL_PATIENCE = 60.0  # seconds without any arrival after which what is missing counts as lost
SETTLE = 1.0  # seconds for the work that follows the last delivery; it belongs to the cost


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of one round."""

    rate: float  # messages per second, first MAIL FROM to last arrival
    p50: float  # milliseconds, MAIL FROM to 250
    p99: float
    cpu: float  # milliseconds of the gateway's CPU per message
    driver_cpu: float  # the same of the senders and the sink
    memory: float  # MB, PSS of the whole gateway at the end of the round
    processes: int
    errors: tuple[str, ...]
    lost: tuple[str, ...]  # acknowledged, and never or not wholly arrived
    duplicates: int


class Progress:
    """One line on the terminal that is written over; nothing where there is no terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, text: str = "") -> None:
        if self._shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def measure(gateway: Running, load: Load, name: str, progress: Progress) -> Round:
    """Drive `load` through `gateway` and follow it; `name` makes the ids of this round unique."""
    before = len(gateway.sink.arrivals())

    def tick() -> None:
        arrived = len(gateway.sink.arrivals()) - before
        progress(f"{name}: {arrived} of {load.total} messages have arrived")

    cpu, sink_cpu = gateway.tree.cpu_seconds(), gateway.sink.cpu_seconds()
    sent = send(load, gateway.port, name, gateway.folder, tick)
    wait_for_arrivals(sent, gateway.sink, tick)
    memory, processes = gateway.tree.memory(), len(gateway.tree.members())
    time.sleep(SETTLE)
    cpu, sink_cpu = gateway.tree.cpu_seconds() - cpu, gateway.sink.cpu_seconds() - sink_cpu
    progress()
    arrivals = gateway.sink.arrivals()
    arrived = [arrivals[i] for i in sent.messages if i in arrivals]
    count = max(len(arrived), 1)
    return Round(
        rate=_rate(sent, [found[0].at for found in arrived]),
        **_latency(sent),
        cpu=cpu / count * 1e3,
        driver_cpu=(sent.cpu_seconds + sink_cpu) / count * 1e3,
        memory=memory,
        processes=processes,
        errors=sent.errors,
        lost=missing(sent, gateway.sink, load.size),
        duplicates=sum(len(found) - 1 for found in arrived),
    )


def wait_for_arrivals(sent: Sent, sink: Sink, tick: Callable[[], None]) -> None:
    """Return when all that was acknowledged has arrived, or nothing has for too long."""
    waiting = set(sent.messages)
    last = time.monotonic()
    while waiting and time.monotonic() - last < ARRIVAL_PATIENCE:
        still = waiting - sink.arrivals().keys()
        if len(still) < len(waiting):
            waiting, last = still, time.monotonic()
        tick()
        time.sleep(0.05)


def missing(sent: Sent, sink: Sink, size: int) -> tuple[str, ...]:
    """The acknowledged ids of which no arrival has the whole body."""
    arrivals = sink.arrivals()
    return tuple(i for i in sent.messages if not any(found.size == size for found in arrivals.get(i, ())))


def _rate(sent: Sent, arrived: list[float]) -> float:
    if not arrived:
        return 0.0
    return len(arrived) / (max(arrived) - min(begun for begun, _ in sent.messages.values()))


def _latency(sent: Sent) -> dict[str, float]:
    taken = sorted((acknowledged - begun) * 1e3 for begun, acknowledged in sent.messages.values())
    if len(taken) < 2:
        return {"p50": 0.0, "p99": 0.0}
    return {"p50": statistics.median(taken), "p99": statistics.quantiles(taken, n=100)[98]}
