"""`sealgate hash-passphrase` on a pipe: one line in, a hash out that an account can keep."""

from __future__ import annotations

import subprocess

import pytest

from sealgate.config.schema import Account
from sealgate.directory.passphrase import LONGEST, matches
from tests.running import COMMAND


def hashed(line: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([COMMAND, "hash-passphrase"], input=line, capture_output=True, check=False, timeout=30)


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_an_account_can_keep_what_it_prints(end: str) -> None:
    done = hashed(f"grüße from here {end}".encode())
    assert done.returncode == 0
    account = Account(name="me", passphrase=done.stdout.decode().rstrip("\n"))
    assert matches(account.passphrase, "grüße from here ")


@pytest.mark.parametrize("line", [b"", b"\n", b"seven77\n", b"x" * (LONGEST + 1) + b"\n", b"caf\xe9 au lait\n"])
def test_what_cannot_be_one_is_refused_with_a_sentence(line: bytes) -> None:
    done = hashed(line)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"A passphrase ")
    assert b"Traceback" not in done.stderr
