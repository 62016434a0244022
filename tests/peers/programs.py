"""Which programs the tests may count on, and the sentence that says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.peers import unpack

CHECKOUT = Path(__file__).parents[2]
SCAN_PYTHON = CHECKOUT / ".venv-scan" / "bin" / "python"
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
PACKAGES = {
    words[1]: words[0]
    for line in (Path(__file__).parent / "debian-packages.txt").read_text().splitlines()
    if not line.startswith("#") and (words := line.split())
}

UNPACKED = {
    "postfix": "postfix",
    "exim": "exim4-daemon-light",
    "opensmtpd": "opensmtpd",
    "nsd": "nsd",
    "msmtp": "msmtp",
}
"""Programs that are unpacked and never installed, with their Debian packages."""

MAIL_SERVERS = {"postfix", "exim", "opensmtpd"}


def why_missing(name: str) -> str | None:
    """Why a test that needs `name` cannot run, as a sentence; None when it can.

    `name` is a program, a `perl:Module`, a name of `UNPACKED`, `root`, or one of `sslyze` and
    `command-injection-tester` (.venv-scan).
    """
    match name:
        case "root":
            return None if os.geteuid() == 0 else "this test needs root"
        case "sslyze" | "command-injection-tester":
            return (
                None if SCAN_PYTHON.with_name(name).exists() else f"{name} is missing: `tools/setup scan` installs it"
            )
        case _ if name in UNPACKED:
            return _why_not_unpacked(name)
        case _:
            if _is_here(name):
                return None
            package = PACKAGES.get(name)
            return f"{name} is missing" + (f": apt-get install {package}" if package else "")


def _is_here(name: str) -> bool:
    if name.startswith("perl:"):
        return run(["perl", f"-M{name.removeprefix('perl:')}", "-e", "1"]).returncode == 0
    return shutil.which(name, path=SEARCH_PATH) is not None


def _why_not_unpacked(name: str) -> str | None:
    if name in MAIL_SERVERS and os.geteuid() != 0:
        return f"a private {name} needs root: a mail server changes to accounts of its own"
    try:
        unpack.tree(UNPACKED[name])
    except unpack.UnpackError as error:
        return str(error)
    return None


def run(
    command: Sequence[str | Path], *, timeout: float = 60, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; standard output and error come back as one text in `.stdout`."""
    return subprocess.run(
        [str(word) for word in command],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        env={**os.environ, "PATH": SEARCH_PATH, "LC_ALL": "C", **(env or {})},
        check=False,
    )
