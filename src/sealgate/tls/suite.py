"""Cipher suites: the three of TLS 1.3 that are fixed, and what the name of an older suite says about it.

OpenSSL's names of suites up to TLS 1.2 are regular. What `openssl ciphers -v` prints of a suite is read off its name
here, so that no second table can disagree with the first.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.tls.registry import OTHERS, REMOVED, SUITES
from sealgate.tls.version import ProtocolVersion

TLS13_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
"""Exactly these, in this order, on every service; no setting changes them."""

MODERN_SUITES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
"""Forward secret and authenticated: what TLS 1.2 gets by default (RFC 9325 §4.2)."""

LEGACY_SUITES = (
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "AES256-SHA",
    "AES128-SHA",
)
"""What TLS 1.0 and 1.1 need: they know nothing better than CBC with SHA-1."""

_NUMBERS = REMOVED | SUITES | OTHERS
_NAMES = {number: name for name, number in _NUMBERS.items()}

# Beginning of a name -> key exchange and authentication, in the words of `openssl ciphers -v`; the first match counts.
_EXCHANGES = (
    ("ECDHE-PSK-", "ECDHEPSK", "PSK"),
    ("DHE-PSK-", "DHEPSK", "PSK"),
    ("RSA-PSK-", "RSAPSK", "RSA"),
    ("PSK-", "PSK", "PSK"),
    ("SRP-RSA-", "SRP", "RSA"),
    ("SRP-DSS-", "SRP", "DSS"),
    ("SRP-", "SRP", "SRP"),
    ("ECDHE-ECDSA-", "ECDH", "ECDSA"),
    ("ECDHE-", "ECDH", "RSA"),
    ("AECDH-", "ECDH", "None"),
    ("DHE-RSA-", "DH", "RSA"),
    ("DHE-DSS-", "DH", "DSS"),
    ("ADH-", "DH", "None"),
    ("", "RSA", "RSA"),
)

# Part of a name -> encryption and its strength in bits; the first match counts. CCM8 is as strong as its short tag.
_ENCRYPTIONS = (
    ("AES128-GCM", "AESGCM", 128),
    ("AES256-GCM", "AESGCM", 256),
    ("AES128-CCM8", "AESCCM8", 64),
    ("AES256-CCM8", "AESCCM8", 64),
    ("AES128-CCM", "AESCCM", 128),
    ("AES256-CCM", "AESCCM", 256),
    ("AES128", "AES", 128),
    ("AES256", "AES", 256),
    ("AES-128", "AES", 128),
    ("AES-256", "AES", 256),
    ("CHACHA20", "CHACHA20", 256),
    ("ARIA128", "ARIAGCM", 128),
    ("ARIA256", "ARIAGCM", 256),
    ("CAMELLIA128", "CAMELLIA", 128),
    ("CAMELLIA256", "CAMELLIA", 256),
    ("SEED", "SEED", 128),
    ("IDEA", "IDEA", 128),
    ("NULL", "None", 0),
)

_AEAD = frozenset({"AESGCM", "AESCCM", "AESCCM8", "CHACHA20", "ARIAGCM"})


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite up to TLS 1.2, in the words of `openssl ciphers -v`; `strength` in bits is what OpenSSL sorts by."""

    name: str
    number: int
    exchange: str
    authentication: str
    encryption: str
    strength: int
    mac: str
    introduced: str

    @property
    def aead(self) -> bool:
        """Whether it encrypts and authenticates in one: all others are CBC (or nothing at all)."""
        return self.mac == "AEAD"

    @property
    def forward_secret(self) -> bool:
        """Whether a key stolen later leaves what was recorded unreadable."""
        return "DH" in self.exchange

    @property
    def usable(self) -> bool:
        """Whether this gateway can ever negotiate it: by RSA or ECDSA certificate, encrypted, no shared secrets."""
        by_certificate = self.exchange in ("ECDH", "DH", "RSA") and self.authentication in ("RSA", "ECDSA")
        return by_certificate and self.encryption != "None"

    @property
    def description(self) -> str:
        """Its line in `openssl ciphers -v`."""
        encryption = {"CHACHA20": "CHACHA20/POLY1305"}.get(self.encryption, self.encryption)
        bits = 128 if "AES128-CCM8" in self.name else 256 if "AES256-CCM8" in self.name else self.strength
        cipher = "None" if encryption == "None" else f"{encryption}({bits})"
        return _line(self.name, self.introduced, self.exchange, self.authentication, cipher, self.mac)

    def speaks(self, version: ProtocolVersion) -> bool:
        """Whether the suite exists in a version of TLS."""
        if version is ProtocolVersion.TLS1_2:
            return self.encryption != "IDEA"  # RFC 5469 §1 took it out
        return version < ProtocolVersion.TLS1_2 and self.introduced != "TLSv1.2"


def _read(name: str, number: int) -> Suite:
    """The facts of a suite, from its name."""
    exchange, authentication = next((kx, au) for start, kx, au in _EXCHANGES if name.startswith(start))
    encryption, strength = next((kind, bits) for part, kind, bits in _ENCRYPTIONS if part in name)
    last = name.rpartition("-")[2]
    mac = "AEAD" if encryption in _AEAD else "SHA1" if last == "SHA" else last
    return Suite(name, number, exchange, authentication, encryption, strength, mac, _introduced(exchange, mac))


def _introduced(exchange: str, mac: str) -> str:
    """The oldest version that has such a suite, in the words of `openssl ciphers -v`."""
    if mac == "AEAD":
        return "TLSv1.2"
    if mac in ("SHA256", "SHA384"):
        return "TLSv1" if exchange.endswith("PSK") else "TLSv1.2"
    return "TLSv1" if exchange.startswith("ECDH") else "SSLv3"


KNOWN_SUITES = {name: _read(name, number) for name, number in SUITES.items()}
"""Every suite up to TLS 1.2 by name, in OpenSSL's order of preference."""


def _line(name: str, version: str, exchange: str, authentication: str, encryption: str, mac: str) -> str:
    return f"{name:<30} {version:<7} Kx={exchange:<8} Au={authentication:<5} Enc={encryption:<22} Mac={mac}"


TLS13_DESCRIPTIONS = tuple(
    _line(name, "TLSv1.3", "any", "any", encryption, "AEAD")
    for name, encryption in zip(TLS13_SUITES, ("AESGCM(256)", "CHACHA20/POLY1305(256)", "AESGCM(128)"), strict=True)
)
"""The lines of the fixed three in `openssl ciphers -v`."""


def suite_name(number: int) -> str:
    """OpenSSL's name of a suite on the wire, or its number as `0x1A1A`."""
    return _NAMES.get(number, f"0x{number:04X}")


def suite_number(name: str) -> int | None:
    """The number of a suite of any version by OpenSSL's name."""
    return _NUMBERS.get(name)
