"""The systemd unit: what it promises, and what systemd itself says of it where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "packaging" / "sealgate.service"

PROMISES = {
    "Type": "notify",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "User": "sealgate",
    "StateDirectory": "sealgate",
    "KillMode": "mixed",
    "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
    "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
}


@pytest.mark.parametrize(("name", "value"), PROMISES.items())
def test_the_unit_keeps_its_promises(name: str, value: str) -> None:
    assert re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE) == [value]


def systemd(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the unit; the program it starts need not be installed here."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing: this machine has no systemd")  # under CI=true too
    unit = folder / UNIT.name
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    return subprocess.run(
        ["systemd-analyze", *words, str(unit)], capture_output=True, text=True, check=False, timeout=60
    )


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    answer = systemd(tmp_path, "verify", "--man=no")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_systemd_counts_the_unit_among_the_well_confined(tmp_path: Path) -> None:
    answer = systemd(tmp_path, "security", "--offline=true", "--threshold=20", "--no-pager")
    assert answer.returncode == 0, answer.stdout
