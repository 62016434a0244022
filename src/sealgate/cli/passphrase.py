"""`sealgate hash-passphrase`: what an account keeps of a passphrase, made without the passphrase showing anywhere."""

from __future__ import annotations

import argparse
import getpass
import sys

from sealgate.directory.passphrase import LONGEST, hash_passphrase

SHORTEST = 8
"""Characters of a passphrase that is hashed at all."""


def run(options: argparse.Namespace) -> int:
    """Ask twice on a terminal, or read one line from a pipe; print the hash."""
    try:
        passphrase = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        passphrase = ""
    except UnicodeError:
        passphrase = "\udc80"  # read as nothing that UTF-8 has
    if passphrase is None:
        print("The two differ: nothing was hashed.", file=sys.stderr)
        return 1
    if (fault := fault_of(passphrase)) is not None:
        print(f"{fault[:1].upper()}{fault[1:]}.", file=sys.stderr)
        return 1
    print(hash_passphrase(passphrase))
    return 0


def fault_of(passphrase: str) -> str | None:
    """Why this can be no passphrase, or None."""
    try:
        passphrase.encode()  # as a login sends it (RFC 4616 §2)
    except UnicodeError:
        return "a passphrase is text in UTF-8"
    if not SHORTEST <= len(passphrase) <= LONGEST:
        return f"a passphrase has {SHORTEST} to {LONGEST} characters; better a few words"
    return None


def _asked() -> str | None:
    first = getpass.getpass("Passphrase: ")
    return first if getpass.getpass("The same once more: ") == first else None
