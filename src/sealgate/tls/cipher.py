"""Cipher strings for TLS 1.2 and older, judged word by word before OpenSSL sees them.

OpenSSL cannot be asked: it takes `ECDHE+AESGCM:BOGUS` and `TLS_AES_128_GCM_SHA256` in silence, and ignores them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sealgate.tls.library import Library
from sealgate.tls.suite import LEGACY_SUITES, MODERN_SUITES, needs_tls12
from sealgate.tls.version import ProtocolVersion, Selection

DEFAULT = "default"

# The selectors of openssl-ciphers(1), with those of older releases that administrators still paste.
# fmt: off
SELECTORS = frozenset({
    "3DES", "ADH", "AECDH", "AES", "AES128", "AES256", "AESCCM", "AESCCM8", "AESGCM", "ALL", "ARIA", "ARIA128",
    "ARIA256", "ARIAGCM", "CAMELLIA", "CAMELLIA128", "CAMELLIA256", "CBC", "CHACHA20", "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT", "DEFAULT", "DES", "DH", "DHE", "DSS", "ECDH", "ECDHE", "ECDSA", "EDH", "EECDH", "EXP",
    "EXPORT", "EXPORT40", "EXPORT56", "FIPS", "GOST89MAC", "GOST94", "HIGH", "IDEA", "LOW", "MD5", "MEDIUM", "NULL",
    "PSK", "RC2", "RC4", "RSA", "SEED", "SHA", "SHA1", "SHA256", "SHA384", "SRP", "SSLv2", "SSLv3", "SUITEB128",
    "SUITEB128ONLY", "SUITEB192", "TLSv1", "TLSv1.0", "TLSv1.2", "aDH", "aDSS", "aECDH", "aECDSA", "aGOST",
    "aGOST01", "aNULL", "aPSK", "aRSA", "aSRP", "eNULL", "kDH", "kDHE", "kDHEPSK", "kDHd", "kDHr", "kECDH", "kECDHE",
    "kECDHEPSK", "kECDHe", "kECDHr", "kEDH", "kEECDH", "kGOST", "kPSK", "kRSA", "kRSAPSK", "kSRP",
})
# fmt: on

# Suites that OpenSSL once had: a name from an old configuration is known, and empty.
_SUITE = re.compile(r"(EXP-|EXP1024-)?[A-Z0-9]+(-[A-Z0-9]+)+(-[A-Z0-9]+)*")
_OLD_SUITES = re.compile(r"(RC4|RC2|DES|IDEA|SEED|EXP|CAMELLIA|ECDH-|DH-|ADH|AECDH|EDH|SRP|GOST)")

_UNSAFE = frozenset({"aNULL", "eNULL", "NULL", "ADH", "AECDH", "COMPLEMENTOFALL"})


class CipherError(ValueError):
    """A cipher string that cannot be used; the sentence names the word and what would be right."""


@dataclass(frozen=True, slots=True)
class CipherChoice:
    """What OpenSSL is told, and what the administrator should know about it."""

    openssl: str
    notes: tuple[str, ...] = ()


def choose_ciphers(text: str, selection: Selection, library: Library) -> CipherChoice:
    """The OpenSSL cipher string for a setting under a selection; `CipherError` if it is not usable.

    Security level 0 comes with TLS 1.0 and 1.1 and only with them: their handshake signs with SHA-1.
    """
    old = selection.lowest <= ProtocolVersion.TLS1_1
    level = ":@SECLEVEL=0" if old else ""
    if text.strip().lower() == DEFAULT or not text.strip():
        suites = [suite for suite in MODERN_SUITES + (LEGACY_SUITES if old else ()) if suite in library.suites]
        return CipherChoice(":".join(suites) + ":!aNULL:!eNULL" + level)
    kept: list[str] = []
    notes: list[str] = []
    for token in re.split(r"[:, ]+", text.strip(": ,")):
        note = _judge(token, library)
        if note is None or token[0] in "!-+":
            kept.append(token)
        if note is not None:
            notes.append(note)
    if not any(token[0] not in "!-+@" for token in kept):
        raise CipherError(f"the cipher string {text!r} selects nothing; write {DEFAULT} for the recommended suites")
    _check_old_versions(kept, selection)
    return CipherChoice(":".join(kept) + ":!aNULL:!eNULL" + level, tuple(notes))


def _judge(token: str, library: Library) -> str | None:
    """None for a good word, a note for one that is empty in this build, `CipherError` for any other."""
    if token.startswith("@"):
        if token == "@STRENGTH":
            return None
        raise CipherError(f"{token} cannot be set here: the security level follows from the selected TLS versions")
    excluding = token[0] in "!-+"
    empty = False
    for word in token.lstrip("!-+").split("+"):
        if word.upper().startswith("TLS_"):
            raise CipherError(
                f"{word} is a TLS 1.3 suite: these are fixed and can be neither chosen nor excluded; "
                "this string governs TLS 1.2 and older"
            )
        if word in _UNSAFE or "NULL-" in word or "-NULL" in word:
            if not excluding:
                raise CipherError(f"{word} has no encryption or no authentication and is never offered")
        elif word not in SELECTORS and word not in library.suites:
            if not (_SUITE.fullmatch(word) and _OLD_SUITES.search(word)):
                raise CipherError(f"{word!r} is no cipher or selector that OpenSSL knows; see openssl-ciphers(1)")
            empty = True
    if empty and not excluding:
        return f"{token} is not in {library.name} and has no effect"
    return None


def _check_old_versions(tokens: list[str], selection: Selection) -> None:
    """A list of plain suite names that leaves a selected version without any is a mistake."""
    names = [token for token in tokens if "-" in token.lstrip("-") and token[0] not in "!-+"]
    if selection.lowest <= ProtocolVersion.TLS1_1 and len(names) == len(tokens) and all(map(needs_tls12, names)):
        raise CipherError(
            f"none of these suites exists in TLS {selection.lowest.number}; add one such as ECDHE-RSA-AES128-SHA"
        )
