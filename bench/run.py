"""`python -m bench.run`: the relay table, Sealgate beside Postfix.

Both gateways run at once, each with a sink of its own, and take turns: the machine's drift meets both.
The figures of a row are one round's; the lines with `ratio` compare the medians.  The exit status is 1
when an acknowledged message was lost or a session failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median

from bench.gateway import Running
from bench.machine import sync_time
from bench.measure import Progress, Round, measure
from bench.postfix import running_postfix
from bench.sealgate import running_sealgate
from bench.traffic import BUILD, Load, build

GATEWAYS: dict[str, Callable[[Path], AbstractContextManager[Running]]] = {
    "postfix": running_postfix,
    "sealgate": running_sealgate,
}
HEAD = (
    f"{'gateway':<9} {'per conn':>8} {'msg/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'CPU ms/msg':>10}"
    f" {'PSS MB':>7} {'processes':>9} {'errors':>6} {'lost':>5} {'twice':>5} {'driver CPU':>10}"
)


def main() -> int:
    options = _options()
    build()
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.folder) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # Postfix's own user passes through it
        print(f"sync: appending 4 KB durably takes {sync_time(folder)}, in {options.folder}")
        gateways = [stack.enter_context(GATEWAYS[each](folder)) for each in options.only or GATEWAYS]
        rounds = _rounds(gateways, options)
        print(f"sync: at the end it takes {sync_time(folder)}")
    _print_ratios(rounds)
    return _verdict([figures for each in rounds.values() for figures in each])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.run", description="Relay: Sealgate beside Postfix.")
    parser.add_argument("--only", action="append", choices=GATEWAYS, help="measure this one alone")
    parser.add_argument("--rounds", type=int, default=3, help="of each load (default: %(default)s)")
    parser.add_argument("--messages", type=int, default=2000, help="in each round (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="at a time (default: %(default)s)")
    parser.add_argument("--size", type=int, default=4096, help="bytes of body (default: %(default)s)")
    parser.add_argument("--per-connection", type=int, nargs="+", default=[1, 20], metavar="N")
    parser.add_argument("--folder", type=Path, default=BUILD, help="of their mail (default: %(default)s)")
    return parser.parse_args()


def _rounds(gateways: list[Running], options: argparse.Namespace) -> dict[tuple[str, int], list[Round]]:
    """All rounds, in turns, each printed as it ends."""
    progress = Progress()
    found: dict[tuple[str, int], list[Round]] = {}
    for gateway in gateways:
        measure(gateway, Load(64, connections=options.connections), "warm", progress)
    print(f"\n{options.size} bytes, {options.connections} connections, TLS 1.3 in, TLS required out\n\n{HEAD}")
    for each in options.per_connection:
        load = Load(max(options.messages // each, 1), each, options.connections, options.size)
        for number in range(options.rounds):
            # Whoever goes first meets a quieter disk: they take turns in that too.
            for gateway in gateways if number % 2 == 0 else reversed(gateways):
                figures = measure(gateway, load, f"{gateway.name}-{each}-{number}", progress)
                found.setdefault((gateway.name, each), []).append(figures)
                print(_row(gateway.name, each, figures), flush=True)
    return found


def _row(name: str, each: int, r: Round) -> str:
    return (
        f"{name:<9} {each:>8} {r.rate:>7.1f} {r.p50:>7.1f} {r.p99:>7.1f} {r.cpu:>10.2f} {r.memory:>7.1f}"
        f" {r.processes:>9} {len(r.errors):>6} {len(r.lost):>5} {r.duplicates:>5} {r.driver_cpu:>10.2f}"
    )


def _print_ratios(rounds: dict[tuple[str, int], list[Round]]) -> None:
    """Medians of Sealgate over medians of Postfix; nothing when only one of them ran."""
    print()
    for each in sorted({each for _, each in rounds}):
        sealgate, postfix = (rounds.get((name, each), []) for name in ("Sealgate", "Postfix"))
        if not sealgate or not postfix:
            continue
        for label, key in (("messages/s", "rate"), ("CPU per message", "cpu"), ("memory", "memory")):
            ours, theirs = (median(getattr(figures, key) for figures in side) for side in (sealgate, postfix))
            what = f"ratio Sealgate/Postfix, {each} per connection, {label}"
            print(f"{what}: {ours / theirs:.2f} ({ours:.2f} / {theirs:.2f})")


def _verdict(rounds: list[Round]) -> int:
    lost = [message for figures in rounds for message in figures.lost]
    errors = [error for figures in rounds for error in figures.errors]
    if lost:
        print(f"LOST: {len(lost)} acknowledged messages never arrived whole: {lost[:5]} …", file=sys.stderr)
    if errors:
        print(f"FAILED: {len(errors)} sessions, the first: {errors[0]}", file=sys.stderr)
    return 1 if lost or errors else 0


if __name__ == "__main__":
    sys.exit(main())
