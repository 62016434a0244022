"""Debian packages unpacked into .peers/ of the checkout and run from there: never installed.

A machine may have a mail server of its own, and two Debian mail servers exclude one another.  So a package
is downloaded, unpacked beside the tests, and given the libraries it needs that the machine lacks.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PEERS = Path(__file__).parents[2] / ".peers"


class UnpackError(Exception):
    """A sentence: which package could not be had, and what would help."""


def tree(package: str) -> Path:
    """The root of `package` unpacked, with the libraries this machine lacks; made at the first call."""
    root = PEERS / package
    if not root.exists():
        with _alone():
            if not root.exists():
                _build(package, root)
    return root


def environment(root: Path) -> dict[str, str]:
    """The variables that let programs under `root` find their own libraries and programs."""
    folders = [*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu"), root / "usr/lib/postfix"]
    return {
        "LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in folders),
        "PATH": os.pathsep.join((str(root / "usr/sbin"), str(root / "usr/bin"), "/usr/sbin:/usr/bin:/sbin:/bin")),
    }


@contextmanager
def _alone() -> Iterator[None]:
    PEERS.mkdir(exist_ok=True)
    with (PEERS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(package: str, root: Path) -> None:
    archives = PEERS / "debs"
    archives.mkdir(exist_ok=True)
    names = [package, *_missing_libraries(package, set())]
    _run(["apt-get", "download", *names], package, archives)
    half = root.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    for name in names:
        (archive,) = archives.glob(f"{name}_*.deb")
        _run(["dpkg-deb", "--extract", str(archive), str(half)], package, archives)
    half.rename(root)
    shutil.rmtree(archives)


def _missing_libraries(package: str, seen: set[str]) -> Iterator[str]:
    """The library packages below `package` that are not installed here."""
    listing = _run(["apt-cache", "depends", "--important", package], package, PEERS)
    for name in re.findall(r"Depends: (lib[^\s:]+)$", listing, re.MULTILINE):
        if name not in seen and not _installed(name):
            seen.add(name)
            yield name
            yield from _missing_libraries(name, seen)


def _installed(package: str) -> bool:
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout == "installed"


def _run(command: list[str], package: str, folder: Path) -> str:
    """What the command says; an UnpackError that names `package` when it cannot."""
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UnpackError(f"{package} cannot be unpacked: this machine has no {error.filename}") from error
    if answer.returncode:
        complaint = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UnpackError(
            f"{package} cannot be unpacked: {' '.join(command[:2])} says {complaint!r}; try apt-get update"
        )
    return answer.stdout
