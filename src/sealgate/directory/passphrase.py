"""Passphrases as argon2 hashes (RFC 9106): made, and compared, by a library made for it."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

SHORTEST = 8
"""Characters of a passphrase that is taken at all."""

LONGEST = 1024
"""Characters of a passphrase that are looked at; a longer one is none."""

_HASHER = PasswordHasher()


_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another one."""


def generated() -> str:
    """A passphrase that nobody guesses: four groups of five, 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def fault_of(passphrase: str) -> str | None:
    """Why this cannot be a passphrase, as a sentence; None if it can."""
    try:
        passphrase.encode()  # as a login sends it (RFC 4616 §2)
    except UnicodeError:
        return "a passphrase is text in UTF-8"
    if not SHORTEST <= len(passphrase) <= LONGEST:
        return f"a passphrase has {SHORTEST} to {LONGEST} characters; better a few words"
    return None


def hash_passphrase(passphrase: str) -> str:
    """What is kept of a passphrase. It takes a tenth of a second and 64 MiB, which is the point of it."""
    return _HASHER.hash(passphrase)


def matches(hashed: str, passphrase: str) -> bool:
    """Whether it is the passphrase of this hash; as slow as `hash_passphrase`.

    Raises `Argon2Error` if that cannot be told, for want of memory as a rule.
    """
    if len(passphrase) > LONGEST:
        return False
    try:
        return _HASHER.verify(hashed, passphrase)
    except (VerifyMismatchError, InvalidHashError):
        return False
