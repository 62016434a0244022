"""Nothing that was answered 250 is lost, whichever process is killed under load."""

from __future__ import annotations

import random
from pathlib import Path

from tests.fault.campaign import run_campaign
from tests.fault.killing import VICTIMS

SECONDS = 8


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    outcome = run_campaign(tmp_path, SECONDS, seed, print)
    print(outcome)
    assert outcome.lost == ()
    assert set(outcome.kills) == set(VICTIMS)
    assert outcome.interruptions > 0, "no kill met a session: the load was too small to prove anything"
    assert outcome.after_last_kill > 0
    assert "empty" in outcome.queue
