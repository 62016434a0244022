"""Cipher strings of an older OpenSSL in the words of this one."""

from __future__ import annotations

from collections.abc import Callable

from sealgate.tls.cipher import CipherError, judge_token, split_ciphers
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, TlsPlan
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import Selection

_RENAMED = {
    "SSLv3": "TLSv1",  # one set of suites under two names, until OpenSSL 1.1.0 told them apart
    "TLSv1.1": "TLSv1",  # TLS 1.1 brought no suites
    "ECDHE-RSA-CHACHA20-POLY1305-SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-CHACHA20-POLY1305-SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "DHE-RSA-CHACHA20-POLY1305-SHA256": "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305-OLD": "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-CHACHA20-POLY1305-OLD": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
"""Words that go by another name now. Behind `!` and `-` they stay as they are: what a name excluded that selects none
any more is not there."""


def translated(text: str, library: Library) -> tuple[str, list[str]]:
    """A cipher string that this gateway takes word by word, maybe an empty one, and a sentence for each other word."""
    kept: list[str] = []
    said: list[str] = []
    for token in split_ciphers(" ".join(text.split())):
        word = _RENAMED.get(token, token)
        if word != token:
            said.append(f"{token} is called {word} now, and has become that")
        try:
            good, note = judge_token(word, library, first=not kept)
        except CipherError as error:
            said.append(f"{token} is left out: {error}")
            continue
        if good is None:
            said.append(note or f"{token} is left out")
        elif good not in kept or good.startswith(("@", "-", "+")):
            kept.append(good)
    return ":".join(kept), said


def served(
    ciphers: str, selection: Selection, plan: Callable[[TlsPolicy, Library], TlsPlan], library: Library
) -> Selection | None:
    """The versions of a selection, from its highest one down, that a cipher string has suites for; None if for none."""
    for lowest in selection if ciphers else ():
        possible = Selection(lowest, selection.highest)
        try:
            plan(TlsPolicy(possible, ciphers), library)
        except PlanError:
            continue
        return possible
    return None
