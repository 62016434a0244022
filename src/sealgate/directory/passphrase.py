"""Passphrases as argon2 hashes (RFC 9106): made, and compared, by a library made for it."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

LONGEST = 1024
"""Characters of a passphrase that are looked at; a longer one is none."""

_HASHER = PasswordHasher()


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
