"""`python -m bench.handshake`: full TLS 1.3 handshakes over STARTTLS, without mail, Sealgate beside Postfix.

A session is EHLO, STARTTLS, EHLO, QUIT: what a gateway pays for a sender before its first message.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.gateway import Running
from bench.measure import Progress
from bench.run import GATEWAYS
from bench.traffic import BUILD, Load, build, send


def main() -> int:
    options = _options()
    build()
    progress = Progress()
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="handshake-", dir=BUILD) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        gateways = [stack.enter_context(GATEWAYS[each](folder)) for each in options.only or GATEWAYS]
        for number in range(options.rounds):
            for gateway in gateways if number % 2 == 0 else reversed(gateways):
                progress(f"{gateway.name}: round {number + 1} of {options.rounds}")
                rate, cpu = _round(gateway, options.sessions)
                progress()
                print(f"{gateway.name:<9} {rate:8.1f} handshakes/s  {cpu:6.2f} ms CPU each", flush=True)
                found.setdefault(gateway.name, []).append((rate, cpu))
    if len(found) == 2:
        for index, label in enumerate(("handshakes/s", "CPU per handshake")):
            ours, theirs = (median(each[index] for each in found[side]) for side in ("Sealgate", "Postfix"))
            print(f"ratio Sealgate/Postfix, {label}: {ours / theirs:.2f} ({ours:.2f} / {theirs:.2f})")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.handshake", description="Handshakes: Sealgate beside Postfix.")
    parser.add_argument("--only", action="append", choices=GATEWAYS, help="measure this one alone")
    parser.add_argument("--rounds", type=int, default=3, help="of each gateway (default: %(default)s)")
    parser.add_argument("--sessions", type=int, default=2000, help="in each round (default: %(default)s)")
    return parser.parse_args()


def _round(gateway: Running, sessions: int) -> tuple[float, float]:
    """Handshakes per second, and milliseconds of the gateway's CPU for each."""
    before = gateway.tree.cpu_seconds()
    sent = send(Load(sessions, messages=0), gateway.port, "handshake", gateway.folder)
    if sent.errors:
        raise SystemExit(f"FAILED: {len(sent.errors)} sessions, the first: {sent.errors[0]}")
    times = sent.messages.values()
    seconds = max(ended for _, ended in times) - min(begun for begun, _ in times)
    return sessions / seconds, (gateway.tree.cpu_seconds() - before) / sessions * 1e3


if __name__ == "__main__":
    sys.exit(main())
