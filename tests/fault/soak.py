"""`python -m tests.fault.soak`: the fault test for as long as one likes; exit status 1 after a loss."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.fault.campaign import run_campaign


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fault.soak", description="Kill a gateway under load.")
    parser.add_argument("--minutes", type=float, default=10.0, help="of load (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of an earlier run")
    options = parser.parse_args()
    tell(f"{options.minutes:g} minutes, seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="sealgate-fault-") as folder:
        outcome = run_campaign(Path(folder), options.minutes * 60, options.seed, tell)
    tell(str(outcome))
    for message_id in outcome.lost:
        tell(f"LOST {message_id}")
    return 1 if outcome.lost or not outcome.after_last_kill else 0


def tell(text: str) -> None:
    """One line at once, also into a pipe."""
    print(f"fault test: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
