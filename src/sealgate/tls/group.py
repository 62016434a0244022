"""Key-exchange groups: what the gateway offers, and the names of what peers offer.

The hybrid group resists a quantum computer of later years that decrypts what is recorded today.
"""

from __future__ import annotations

from sealgate.tls.library import Library

# IANA numbers of the groups that peers really send.
_NUMBERS = {
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    29: "X25519",
    30: "X448",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
    512: "MLKEM512",
    513: "MLKEM768",
    514: "MLKEM1024",
    25497: "X25519Kyber768Draft00",
}

_HYBRID = ("X25519MLKEM768",)
_CLASSIC = ("X25519", "secp256r1", "X448", "secp384r1", "secp521r1")
KNOWN_GROUPS = ("SecP256r1MLKEM768", "SecP384r1MLKEM1024", *_HYBRID, *_CLASSIC)
"""What is asked of a build when it is measured."""

HYBRID_GROUPS = frozenset({"X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"})


def group_name(number: int) -> str:
    """The name of a group on the wire, or its number in hexadecimal."""
    return _NUMBERS.get(number, f"0x{number:04x}")


def group_number(name: str) -> int | None:
    """The number of a group by name, letter case aside."""
    wanted = name.lower()
    return next((number for number, known in _NUMBERS.items() if known.lower() == wanted), None)


def server_groups(library: Library) -> str:
    """The server's list, in OpenSSL's words.

    `/` makes two tuples: a client that knows the hybrid group but sent no share of it is asked for one by a
    HelloRetryRequest. With `:` it would quietly end without the hybrid.
    """
    return " / ".join(part for part in (_known(_HYBRID, library), _known(_CLASSIC, library)) if part).replace(" ", "")


def client_groups(library: Library) -> str:
    """The client's list: a share of X25519 only (`*`), so that the hello stays small, the hybrid on request."""
    rest = [group for group in (*_HYBRID, *_CLASSIC[1:]) if group in library.groups]
    return ":".join(["*X25519", *rest])


def _known(groups: tuple[str, ...], library: Library) -> str:
    return ":".join(group for group in groups if group in library.groups)
