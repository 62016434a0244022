"""The contract of the selector table: what it makes of a cipher string is what OpenSSL makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.tls.cipher import CipherError, choose_ciphers
from sealgate.tls.library import Library
from sealgate.tls.registry import REMOVED
from sealgate.tls.selector import WORDS, evaluate
from sealgate.tls.suite import KNOWN_SUITES
from sealgate.tls.version import LEGAL_SELECTIONS, Selection
from tests.tls.peer import yielded

SELECTORS = [word for word in WORDS if word not in KNOWN_SUITES and word not in REMOVED and "-" not in word]

# Strings from AsyncOS of every era, from guides, and from openssl-ciphers(1).
STRINGS = [
    "ECDHE+AESGCM",
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM",
    "RC4-SHA:RC4-MD5:ALL",
    "RC4-SHA:RC4-MD5:ALL:-aNULL:-EXPORT",
    "MEDIUM:HIGH:-SSLv2:-aNULL:@STRENGTH",
    "MEDIUM:HIGH:-SSLv2:-aNULL:!RC4:@STRENGTH:-EXPORT",
    "AES128:AES256:!SRP:!AESGCM+DH+aRSA:!AESGCM+RSA:!aNULL:!kRSA:@STRENGTH:-aNULL:-EXPORT:-IDEA",
    "EDH+CAMELLIA:EDH+aRSA:EECDH+aRSA+AESGCM:EECDH+aRSA+SHA256:EECDH:+CAMELLIA128:+AES128:+SSLv3:!aNULL:!eNULL:!LOW"
    ":!3DES:!MD5:!EXP:!PSK:!DSS:!RC4:!SEED:!IDEA:!ECDSA:kEDH:CAMELLIA128-SHA:AES128-SHA",
    "HIGH:!aNULL:!MD5",
    "HIGH:MEDIUM:!aNULL:!MD5:!RC4:!3DES",
    "DEFAULT",
    "DEFAULT:!AES128",
    "DEFAULT:CAMELLIA",
    "DEFAULT:-kRSA:+SHA1",
    "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH",
    "ALL:!COMPLEMENTOFDEFAULT:!eNULL",
    "aECDSA:aRSA:!kRSA",
    "AES256-SHA:AES128-SHA:-AES256:AES",
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA",
    "TLSv1.2+AESGCM:TLSv1:!kRSA",
    "CHACHA20:AESCCM:AESCCM8:ARIA:CAMELLIA:SEED:IDEA:@STRENGTH",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_selects_what_openssl_selects(word: str) -> None:
    present = yielded("ALL:COMPLEMENTOFALL")
    assert set(evaluate([word], present)) == set(yielded(word))
    everything = ("ALL", "COMPLEMENTOFALL", f"!{word}")
    assert evaluate(everything, present) == yielded(":".join(everything))


@pytest.mark.parametrize("text", STRINGS)
def test_a_string_yields_what_openssl_yields(text: str) -> None:
    tokens = [*text.split(":"), "!eNULL"]
    assert evaluate(tokens, yielded("ALL:COMPLEMENTOFALL")) == yielded(":".join(tokens))
    assert evaluate(tokens, yielded("ALL:COMPLEMENTOFALL"))


_TOKENS = st.one_of(
    st.just("@STRENGTH"),
    st.builds(
        lambda operator, words: operator + "+".join(words),
        st.sampled_from(["", "", "!", "-", "+"]),
        st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=3),
    ),
    st.builds(str.__add__, st.sampled_from(["", "!", "-", "+"]), st.sampled_from(WORDS)),
)


@given(st.lists(_TOKENS, min_size=1, max_size=8), st.booleans())
def test_any_string_yields_what_openssl_yields_in_its_order(tokens: list[str], from_default: bool) -> None:
    tokens = [*(["DEFAULT"] if from_default else []), *tokens, "!eNULL"]
    assert evaluate(tokens, yielded("ALL:COMPLEMENTOFALL")) == yielded(":".join(tokens))


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
@pytest.mark.parametrize("text", ["default", *STRINGS])
def test_a_choice_is_what_openssl_makes_of_it(text: str, selection: Selection, library: Library) -> None:
    """`CipherChoice.suites` is OpenSSL's own list, short of what no certificate or no selected version can carry."""
    try:
        choice = choose_ciphers(text, selection, library)
    except CipherError as error:
        assert selection.lowest.number in str(error)  # noqa: PT017
        return
    made = yielded(choice.openssl)
    fitting = [name for name in made if KNOWN_SUITES[name].usable and any(map(KNOWN_SUITES[name].speaks, selection))]
    assert list(choice.suites) == fitting
    assert not [name for name in made if "NULL" in name or name.startswith(("ADH-", "AECDH-"))]


def test_letter_case_makes_no_difference_to_openssl_either() -> None:
    assert yielded("ecdhe+aesgcm") == yielded("ECDHE+AESGCM") != ()


def test_openssl_skips_in_silence_what_it_does_not_know() -> None:
    """Why every word is judged here first."""
    assert yielded("ECDHE+AESGCM:BOGUS") == yielded("ECDHE+AESGCM")
    assert yielded("AES128-SHA:DEFAULT") == ("AES128-SHA",)
