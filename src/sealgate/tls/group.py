"""Key-exchange groups: what the gateway offers, and the names of what peers offer.

The hybrid group resists a quantum computer of later years that decrypts what is recorded today.
"""

from __future__ import annotations

from sealgate.tls.library import Library

# IANA's numbers of the groups that peers really send.
_NUMBERS = {
    "secp256r1": 23,
    "secp384r1": 24,
    "secp521r1": 25,
    "X25519": 29,
    "X448": 30,
    "ffdhe2048": 256,
    "ffdhe3072": 257,
    "ffdhe4096": 258,
    "ffdhe6144": 259,
    "ffdhe8192": 260,
    "MLKEM512": 512,
    "MLKEM768": 513,
    "MLKEM1024": 514,
    "SecP256r1MLKEM768": 4587,
    "X25519MLKEM768": 4588,
    "SecP384r1MLKEM1024": 4589,
    "X25519Kyber768Draft00": 25497,
}
_NAMES = {number: name for name, number in _NUMBERS.items()}

_HYBRID = ("X25519MLKEM768",)
_CLASSIC = ("X25519", "secp256r1", "X448", "secp384r1", "secp521r1")

HYBRID_GROUPS = frozenset({"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"})
"""Groups that are safe as long as either half of them is."""

KNOWN_GROUPS = (*sorted(HYBRID_GROUPS), *_CLASSIC)
"""What is asked of a build when it is measured."""


def group_name(number: int) -> str:
    """The name of a group on the wire, or its number as `0x1A1A`."""
    return _NAMES.get(number, f"0x{number:04X}")


def group_number(name: str) -> int | None:
    """The number of a group by name, letter case aside."""
    wanted = name.lower()
    return next((number for known, number in _NUMBERS.items() if known.lower() == wanted), None)


def server_tuples(library: Library) -> tuple[tuple[str, ...], ...]:
    """The server's groups in order of preference, the hybrid above all others; what the build lacks is dropped."""
    tuples = (tuple(name for name in names if name in library.groups) for names in (_HYBRID, _CLASSIC))
    return tuple(filter(None, tuples))


def server_groups(library: Library) -> str:
    """The server's list, in OpenSSL's words.

    `/` makes two tuples: a client that knows the hybrid group but sent no share of it is asked for one by a
    HelloRetryRequest. With `:` it would quietly end without the hybrid.
    """
    return "/".join(":".join(names) for names in server_tuples(library))


def client_groups(library: Library) -> str:
    """The client's list: one key share (`*`), of X25519, so that the hello stays small; the hybrid on request."""
    order = ("X25519", *_HYBRID, *_CLASSIC[1:])
    groups = [name for name in order if name in library.groups]
    return ":".join(f"*{name}" if position == 0 else name for position, name in enumerate(groups))
