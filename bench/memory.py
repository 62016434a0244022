"""`python -m bench.memory`: the peak memory of the whole gateway while many large messages pass at once.

All connections wait for each other behind DATA, so that every message is really under way at the same
time.  The exit status is 1 when a message was lost or the limit was passed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.gateway import Running
from bench.measure import Progress, missing, wait_for_arrivals
from bench.run import GATEWAYS
from bench.traffic import BUILD, Load, Sent, build, send


class Peak:
    """The memory of a gateway, sampled; what it was at rest and the most it has been."""

    def __init__(self, gateway: Running, progress: Progress) -> None:
        self._gateway, self._progress = gateway, progress
        self.rest = self.most = gateway.tree.memory()

    def sample(self) -> None:
        """Look once more."""
        now = self._gateway.tree.memory()
        self.most = max(self.most, now)
        arrived = len(self._gateway.sink.arrivals())
        self._progress(f"{self._gateway.name}: {now:.0f} MB now, {self.most:.0f} at most; {arrived} have arrived")


def main() -> int:
    options = _options()
    build()
    load = Load(options.messages, connections=options.messages, size=options.size * 1_000_000, together=True)
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="memory-", dir=options.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with GATEWAYS[options.gateway](folder) as gateway:
            peak = Peak(gateway, progress)
            sent = send(load, gateway.port, "memory", gateway.folder, peak.sample)
            wait_for_arrivals(sent, gateway.sink, peak.sample)
            progress()
            return _report(gateway, load, sent, peak, options.limit)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.memory", description="Memory under many large messages.")
    parser.add_argument("--gateway", choices=GATEWAYS, default="sealgate")
    parser.add_argument("--messages", type=int, default=50, help="all at once (default: %(default)s)")
    parser.add_argument("--size", type=int, default=50, help="MB of each (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=500.0, help="MB not to be passed (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=BUILD, help="of the mail (default: %(default)s)")
    return parser.parse_args()


def _report(gateway: Running, load: Load, sent: Sent, peak: Peak, limit: float) -> int:
    lost = missing(sent, gateway.sink, load.size)
    whole = len(sent.messages) - len(lost)
    last = max((found[0].at for found in gateway.sink.arrivals().values()), default=0.0)
    seconds = last - min((begun for begun, _ in sent.messages.values()), default=last)
    print(
        f"memory: {load.total} concurrent messages of {load.size / 1e6:.0f} MB through {gateway.name}:"
        f" PSS {peak.most:.0f} MB at most, {peak.rest:.0f} MB at rest;"
        f" {whole} delivered whole in {seconds:.1f} s"
    )
    problems = [f"error: {error}" for error in sent.errors]
    problems += [f"LOST: {message}" for message in lost]
    if whole < load.total:
        problems.append(f"FAILED: {load.total - whole} messages did not pass")
    if peak.most > limit:
        problems.append(f"FAILED: more than {limit:.0f} MB")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
