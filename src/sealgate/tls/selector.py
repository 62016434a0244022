"""OpenSSL's cipher string language: what its words select, and what a whole string yields, in order.

openssl-ciphers(1) rules; a contract test holds that this file and OpenSSL say the same. OpenSSL itself cannot be asked
about a word: it skips those that it does not know in silence, like those that select nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sealgate.tls.registry import REMOVED
from sealgate.tls.suite import KNOWN_SUITES, Suite

DEFAULT_LIST = ("ALL", "!COMPLEMENTOFDEFAULT", "!eNULL")
"""What OpenSSL's word DEFAULT stands for; it is known as the first word of a string only."""

_AES = ("AES", "AESGCM", "AESCCM", "AESCCM8")


def _in_default(suite: Suite) -> bool:
    return suite.encryption in ("AES", "AESGCM", "CHACHA20") and suite.authentication not in ("None", "DSS")


def _medium(suite: Suite) -> bool:
    return suite.encryption in ("AESCCM8", "SEED", "IDEA")


_TESTS: tuple[tuple[str, Callable[[Suite], bool]], ...] = (
    ("ALL", lambda suite: suite.encryption != "None"),
    ("COMPLEMENTOFALL eNULL NULL", lambda suite: suite.encryption == "None"),
    ("COMPLEMENTOFDEFAULT", lambda suite: suite.encryption != "None" and not _in_default(suite)),
    ("HIGH", lambda suite: suite.encryption != "None" and not _medium(suite)),
    ("MEDIUM", _medium),
    # key exchange
    ("kRSA", lambda suite: suite.exchange == "RSA"),
    ("kDHE kEDH DH", lambda suite: suite.exchange == "DH"),
    ("kECDHE kEECDH ECDH", lambda suite: suite.exchange == "ECDH"),
    ("kPSK", lambda suite: suite.exchange == "PSK"),
    ("kRSAPSK", lambda suite: suite.exchange == "RSAPSK"),
    ("kDHEPSK", lambda suite: suite.exchange == "DHEPSK"),
    ("kECDHEPSK", lambda suite: suite.exchange == "ECDHEPSK"),
    ("PSK", lambda suite: suite.exchange.endswith("PSK")),
    ("kSRP SRP", lambda suite: suite.exchange == "SRP"),
    # authentication, and both together
    ("aRSA", lambda suite: suite.authentication == "RSA"),
    ("aECDSA ECDSA", lambda suite: suite.authentication == "ECDSA"),
    ("aDSS DSS", lambda suite: suite.authentication == "DSS"),
    ("aPSK", lambda suite: suite.authentication == "PSK"),
    ("aSRP", lambda suite: suite.authentication == "SRP"),
    ("aNULL", lambda suite: suite.authentication == "None"),
    ("RSA", lambda suite: (suite.exchange, suite.authentication) == ("RSA", "RSA")),
    ("DHE EDH", lambda suite: suite.exchange == "DH" and suite.authentication != "None"),
    ("ECDHE EECDH", lambda suite: suite.exchange == "ECDH" and suite.authentication != "None"),
    ("ADH", lambda suite: (suite.exchange, suite.authentication) == ("DH", "None")),
    ("AECDH", lambda suite: (suite.exchange, suite.authentication) == ("ECDH", "None")),
    # encryption
    ("AES", lambda suite: suite.encryption in _AES),
    ("AES128", lambda suite: suite.encryption in _AES and "128" in suite.name),
    ("AES256", lambda suite: suite.encryption in _AES and "128" not in suite.name),
    ("AESGCM", lambda suite: suite.encryption == "AESGCM"),
    ("AESCCM", lambda suite: suite.encryption in ("AESCCM", "AESCCM8")),
    ("AESCCM8", lambda suite: suite.encryption == "AESCCM8"),
    ("CHACHA20", lambda suite: suite.encryption == "CHACHA20"),
    ("ARIA ARIAGCM", lambda suite: suite.encryption == "ARIAGCM"),
    ("ARIA128", lambda suite: suite.encryption == "ARIAGCM" and suite.strength == 128),
    ("ARIA256", lambda suite: suite.encryption == "ARIAGCM" and suite.strength == 256),
    ("CAMELLIA", lambda suite: suite.encryption == "CAMELLIA"),
    ("CAMELLIA128", lambda suite: suite.encryption == "CAMELLIA" and suite.strength == 128),
    ("CAMELLIA256", lambda suite: suite.encryption == "CAMELLIA" and suite.strength == 256),
    ("SEED", lambda suite: suite.encryption == "SEED"),
    ("IDEA", lambda suite: suite.encryption == "IDEA"),
    ("CBC", lambda suite: suite.encryption in ("AES", "CAMELLIA", "SEED", "IDEA")),
    # message authentication, and the version that brought the suite
    ("SHA SHA1", lambda suite: suite.mac == "SHA1"),
    ("SHA256", lambda suite: suite.mac == "SHA256"),
    ("SHA384", lambda suite: suite.mac == "SHA384"),
    ("MD5", lambda suite: suite.mac == "MD5"),
    ("TLSv1 TLSv1.0", lambda suite: suite.introduced == "TLSv1"),
    ("TLSv1.2", lambda suite: suite.introduced == "TLSv1.2"),
)

_EMPTY = (
    "LOW EXP EXPORT EXPORT40 EXPORT56 SSLv2 SSLv3 FIPS 3DES DES RC4 RC2 KRB5 kKRB5 aKRB5 kFZA aFZA eFZA FZA "
    "kDH kDHr kDHd aDH kECDH kECDHr kECDHe aECDH GOST aGOST aGOST01 aGOST12 kGOST kGOST18 GOST94 GOST12 GOST89 "
    "GOST89MAC GOST89MAC12 DHE-RSA-DES-CBC3-SHA DHE-DSS-DES-CBC3-SHA IDEA-CBC-MD5"
)
"""Words of this and of older releases that select nothing any more; configurations still have them."""


def _vocabulary() -> dict[str, tuple[str, frozenset[str]]]:
    """Every known word in lower case, with its usual spelling and the names of what it selects."""
    words = {name: frozenset({name}) for name in KNOWN_SUITES}
    words |= dict.fromkeys([*_EMPTY.split(), *REMOVED], frozenset[str]())
    for synonyms, test in _TESTS:
        selected = frozenset(name for name, suite in KNOWN_SUITES.items() if test(suite))
        words |= dict.fromkeys(synonyms.split(), selected)
    return {word.lower(): (word, selected) for word, selected in words.items()}


_VOCABULARY = _vocabulary()
WORDS = tuple(word for word, _ in _VOCABULARY.values())
"""Every known word, as openssl-ciphers(1) spells it."""


def spelling(word: str) -> str | None:
    """The usual spelling of a word that OpenSSL knows, letter case aside; None if it does not."""
    entry = _VOCABULARY.get(word.lower())
    return None if entry is None else entry[0]


def selected(words: str) -> frozenset[str]:
    """What known words joined by `+` select together."""
    sets = [_VOCABULARY[word.lower()][1] for word in words.split("+")]
    return frozenset.intersection(*sets)


def evaluate(tokens: Iterable[str], available: Iterable[str]) -> tuple[str, ...]:
    """The suites that a cipher string yields in order of preference, of those that a build has.

    `tokens` are known words, joined and prefixed as in openssl-ciphers(1), or `@STRENGTH`.
    """
    present = frozenset(available)
    line = [name for name in KNOWN_SUITES if name in present]
    active: set[str] = set()
    for token in _expand(tokens):
        if token == "@STRENGTH":
            ranked = sorted((name for name in line if name in active), key=_weakness)
            line = [name for name in line if name not in active] + ranked
        elif token[0] in "!-+":
            line = _apply(token[0], selected(token[1:]), line, active)
        else:
            line = _apply("", selected(token), line, active)
    return tuple(name for name in line if name in active)


def _expand(tokens: Iterable[str]) -> Iterable[str]:
    for position, token in enumerate(tokens):
        yield from DEFAULT_LIST if token == "DEFAULT" and position == 0 else (token,)


def _weakness(name: str) -> int:
    return -KNOWN_SUITES[name].strength


def _apply(operator: str, words: frozenset[str], line: list[str], active: set[str]) -> list[str]:
    """The line after one rule; `active` changes with it. What is removed by `-` comes first if it is added again."""
    if operator == "!":
        active -= words
        return [name for name in line if name not in words]
    wanted = active if operator else set(line) - active
    moved = [name for name in line if name in words and name in wanted]
    rest = [name for name in line if name not in moved]
    if operator == "-":
        active.difference_update(moved)
        return moved + rest
    active.update(moved)
    return rest + moved
