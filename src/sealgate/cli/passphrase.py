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
        (passphrase or "").encode()  # as a login sends it (RFC 4616 §2)
    except EOFError:
        passphrase = ""
    except UnicodeError:
        print("A passphrase is text in UTF-8: nothing was hashed.", file=sys.stderr)
        return 1
    if passphrase is None:
        print("The two differ: nothing was hashed.", file=sys.stderr)
        return 1
    if not SHORTEST <= len(passphrase) <= LONGEST:
        print(f"A passphrase has {SHORTEST} to {LONGEST} characters; better a few words.", file=sys.stderr)
        return 1
    print(hash_passphrase(passphrase))
    return 0


def _asked() -> str | None:
    first = getpass.getpass("Passphrase: ")
    return first if getpass.getpass("The same once more: ") == first else None
