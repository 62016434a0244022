"""A folder that a server takes for its whole machine: its programs, their libraries, the accounts it looks for.

Some mail servers have their folders and the names of their accounts compiled in.  In a root of its own each of
them finds what it expects, and nothing of the machine's own files is read or touched.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.peers import programs, unpack

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

BASE_USER = 65000
"""The first number of the accounts in a root; no account of Debian's own lies there."""


def build(root: Path, package: str, wanted: Iterable[str], accounts: Sequence[str]) -> dict[str, int]:
    """Fill `root` with the wanted programs of an unpacked package, and give the user ids of its accounts.

    A program that the package lacks (`/bin/sh`) is the machine's.  `root` itself is open to all.
    """
    root.chmod(0o755)
    for name in ("dev", "etc", "run", "tmp", "var/run"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    try:
        os.mknod(root / "dev/null", 0o020666, os.makedev(1, 3))
    except PermissionError:  # in a container without that right a file does nearly as well
        (root / "dev/null").touch()
    (root / "dev/null").chmod(0o666)
    source = unpack.tree(package)
    for program in wanted:
        own = source / program.lstrip("/")
        _place(root, own if own.exists() else Path(program), Path(program))
        for library in _libraries(own if own.exists() else Path(program), source):
            _place(root, library, _inside(library, source))
    ids = {name: BASE_USER + index for index, name in enumerate(accounts)}
    users = [f"{name}:x:{number}:{number}::/var/empty:/bin/sh" for name, number in ids.items()]
    groups = [f"{name}:x:{number}:" for name, number in ids.items()]
    (root / "etc/passwd").write_text("\n".join(["root:x:0:0::/:/bin/sh", *users, ""]))
    (root / "etc/group").write_text("\n".join(["root:x:0:", *groups, ""]))
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    return ids


def give(path: Path, owner: int) -> None:
    """Let `path` belong to an account of its root."""
    os.chown(path, owner, owner)


def run(root: Path, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of the root to its end; standard output and error come back as one text in `.stdout`."""
    return programs.run([*_chroot(root), *command], env=ENVIRONMENT, stdin=stdin)


@contextmanager
def started(root: Path, *command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground, what it says going to `log`; at the end it and all its children are gone."""
    with log.open("ab") as output:
        server = subprocess.Popen(
            [*_chroot(root), *command],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield server
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _chroot(root: Path) -> list[str]:
    return [shutil.which("chroot", path=programs.SEARCH_PATH) or "chroot", str(root)]


def _libraries(program: Path, source: Path) -> list[Path]:
    said = subprocess.run(
        ["ldd", str(program)],
        env={**os.environ, **unpack.environment(source)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)]


def _inside(library: Path, source: Path) -> Path:
    return Path("/") / library.relative_to(source) if library.is_relative_to(source) else library


def _place(root: Path, source: Path, place: Path) -> None:
    target = root / str(place).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy(source, target)
