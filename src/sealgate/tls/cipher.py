"""Cipher strings for TLS 1.2 and older, judged word by word before OpenSSL sees them.

OpenSSL cannot be asked: it takes `ECDHE+AESGCM:BOGUS` and `TLS_AES_128_GCM_SHA256` in silence, and ignores them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sealgate.tls.library import Library
from sealgate.tls.selector import WORDS, evaluate, selected, spelling
from sealgate.tls.suite import KNOWN_SUITES, LEGACY_SUITES, MODERN_SUITES, suite_number
from sealgate.tls.version import ProtocolVersion, Selection

DEFAULT = "default"
"""The word for the recommended suites. OpenSSL's own list is DEFAULT, in capitals."""

_NEVER = ("!aNULL", "!eNULL")
"""Ends every string: no suite without authentication or encryption, whatever stands before it."""

_ANONYMOUS = selected("aNULL") | selected("eNULL")
_EXAMPLE = {
    ProtocolVersion.TLS1_0: "ECDHE-RSA-AES128-SHA",
    ProtocolVersion.TLS1_1: "ECDHE-RSA-AES128-SHA",
    ProtocolVersion.TLS1_2: "ECDHE-RSA-AES128-GCM-SHA256",
}


class CipherError(ValueError):
    """A cipher string that cannot be used; the sentence names the word and what would be right."""


@dataclass(frozen=True, slots=True)
class CipherChoice:
    """What OpenSSL is told, what comes of it in order of preference, and what the administrator should know.

    `suites` holds what a peer can really be given: suites up to TLS 1.2 that exist in a selected version and need
    nothing but an RSA or ECDSA certificate.
    """

    openssl: str
    suites: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def suites_for(self, version: ProtocolVersion) -> tuple[str, ...]:
        """Those that exist in one version; none for TLS 1.3, which has its own."""
        return tuple(name for name in self.suites if KNOWN_SUITES[name].speaks(version))


def choose_ciphers(text: str, selection: Selection, library: Library) -> CipherChoice:
    """The OpenSSL cipher string for a setting under a selection; `CipherError` if it is not usable.

    Security level 0 comes with TLS 1.0 and 1.1 and only with them: their handshake signs with SHA-1.
    """
    old = selection.lowest <= ProtocolVersion.TLS1_1
    notes: list[str] = []
    if text.strip() == DEFAULT:
        wanted = MODERN_SUITES + (LEGACY_SUITES if old else ())
        kept = [name for name in wanted if name in library.suites]
    else:
        kept = _judge_all(text, library, notes)
    tokens = (*kept, *_NEVER)
    suites = tuple(name for name in evaluate(tokens, library.suites) if KNOWN_SUITES[name].usable)
    if not suites:
        raise CipherError(
            f"the cipher string {text!r} selects no suite that this gateway can use with {library.name}; "
            f"write {DEFAULT} for the recommended suites"
        )
    fitting = tuple(name for name in suites if any(KNOWN_SUITES[name].speaks(version) for version in selection))
    openssl = ":".join((*tokens, "@SECLEVEL=0") if old else tokens)
    choice = CipherChoice(openssl, fitting, (*notes, *_weak(text, fitting)))
    for version in selection:
        if version in _EXAMPLE and not choice.suites_for(version):
            raise CipherError(
                f"none of the suites in {text!r} exists in TLS {version.number}, which is selected; add one such as "
                f"{_EXAMPLE[version]}, or write {DEFAULT}"
            )
    return choice


def _weak(text: str, suites: tuple[str, ...]) -> Iterator[str]:
    """What an administrator's own string lets in; of the recommended suites the versions are the reason."""
    if text.strip() == DEFAULT:
        return
    static = [name for name in suites if not KNOWN_SUITES[name].forward_secret]
    if static:
        several = f"{static[0]} and {len(static) - 1} more have" if len(static) > 1 else f"{static[0]} has"
        yield f"{several} no forward secrecy (RFC 9325 §4.1); add !kRSA to leave such suites out"
    if "IDEA-CBC-SHA" in suites:
        yield "IDEA-CBC-SHA has blocks of 64 bits, too short for long connections (Sweet32); add !IDEA to leave it out"


def split_ciphers(text: str) -> list[str]:
    """The tokens of a cipher string."""
    return list(filter(None, re.split(r"[:;, ]", text.strip())))


def _judge_all(text: str, library: Library, notes: list[str]) -> list[str]:
    """The tokens that OpenSSL is to see; what is left out, or has no effect, is said in `notes`."""
    judged = [judge_token(token, library, first=not position) for position, token in enumerate(split_ciphers(text))]
    notes += [note for _, note in judged if note is not None]
    return [kept for kept, _ in judged if kept is not None]


def judge_token(token: str, library: Library, *, first: bool) -> tuple[str | None, str | None]:
    """What OpenSSL is to see of one token, None for nothing, and what should be said of it, if anything.

    `first` is whether it begins its string; `CipherError` if it must not stand there.
    """
    if token == "DEFAULT":
        if not first:
            raise CipherError("DEFAULT has an effect only as the first word of a cipher string; move it there")
        return token, None
    if token.startswith("@"):
        return _command(token), None
    operator = token[0] if token[0] in "!-+" else ""
    words = _words(token, operator)
    effect = selected(words) & library.suites
    if not operator:
        _refuse_unsafe(token, words, effect)
    return (operator + words if operator or effect else None), (None if effect else _empty(token, operator, library))


def _command(token: str) -> str:
    if token == "@STRENGTH":
        return token
    if token.startswith("@SECLEVEL"):
        raise CipherError(
            f"{token} cannot be set: the security level follows from the selected TLS versions; leave it out"
        )
    raise CipherError(f"{token} is no command of a cipher string; the only one is @STRENGTH")


def _words(token: str, operator: str) -> str:
    """The words of a token in their usual spelling; `CipherError` if one is unknown."""
    known: list[str] = []
    for word in token.removeprefix(operator).split("+"):
        if word.upper().startswith("TLS_"):
            raise CipherError(
                f"{word}: the suites of TLS 1.3 are fixed and can be neither chosen nor excluded, and older suites go "
                "by OpenSSL's names, such as ECDHE-RSA-AES128-GCM-SHA256"
            )
        if word.upper().startswith("SUITEB"):
            raise CipherError(f"{word} is a mode of OpenSSL rather than a selector; name its suites instead")
        spelled = spelling(word)
        if spelled is None:
            raise CipherError(_unknown(word, token))
        known.append(spelled)
    if len(known) > 1 and any(suite_number(word) is not None for word in known):
        raise CipherError(f"{token}: a whole suite stands alone; + joins selectors, as in ECDHE+AESGCM")
    return "+".join(known)


def _unknown(word: str, token: str) -> str:
    if not word:
        return f"{token!r} lacks a word: + joins two of them, and ! - + stand before one, as in !aNULL or ECDHE+AESGCM"
    if word.lower() == DEFAULT:
        return f"{DEFAULT} stands alone; begin with DEFAULT, in capitals, to change OpenSSL's own list"
    near = difflib.get_close_matches(word.upper(), WORDS, n=1, cutoff=0.75)
    hint = f"; did you mean {near[0]}?" if near else "; openssl-ciphers(1) lists them"
    return f"{word!r} is no cipher suite or selector that OpenSSL knows{hint}"


def _refuse_unsafe(token: str, words: str, effect: frozenset[str]) -> None:
    """A token that asks for nothing but suites without encryption or authentication, or for eNULL by name."""
    asked = {"eNULL", "NULL", "COMPLEMENTOFALL", "aNULL", "ADH", "AECDH"} & set(words.split("+"))
    if asked or (effect and effect <= _ANONYMOUS):
        raise CipherError(
            f"{token} asks for suites without encryption or without authentication, which are never offered; remove it"
        )


def _empty(token: str, operator: str, library: Library) -> str:
    if operator:
        return f"{token} has no effect: {library.name} has no such suite"
    return f"{token} is left out: {library.name} has no such suite"
