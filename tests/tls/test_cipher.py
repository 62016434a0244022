"""Cipher strings as administrators write them: what is taken, what is left out, what is refused and how."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.tls.cipher import CipherError, choose_ciphers
from sealgate.tls.library import Library
from sealgate.tls.suite import KNOWN_SUITES, LEGACY_SUITES, MODERN_SUITES
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection

NEW = Selection.parse("1.2-1.3")
ALL_VERSIONS = Selection.parse("1.0-1.3")
BUILD = Library("OpenSSL 9", frozenset(ProtocolVersion), frozenset(KNOWN_SUITES), frozenset())


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_default_gives_every_selected_version_a_suite(selection: Selection) -> None:
    choice = choose_ciphers("default", selection, BUILD)
    old = selection.lowest <= ProtocolVersion.TLS1_1
    assert choice.openssl.endswith(":!aNULL:!eNULL:@SECLEVEL=0" if old else ":!aNULL:!eNULL")
    assert ("@SECLEVEL" in choice.openssl) is old
    for version in selection:
        assert choice.suites_for(version) or version is ProtocolVersion.TLS1_3
    assert choice.notes == ()


def test_default_prefers_the_modern_suites() -> None:
    assert choose_ciphers("default", NEW, BUILD).suites == MODERN_SUITES
    assert choose_ciphers("default", ALL_VERSIONS, BUILD).suites == MODERN_SUITES + LEGACY_SUITES
    assert choose_ciphers("default", Selection.parse("1.0-1.1"), BUILD).suites == LEGACY_SUITES


def test_default_leaves_out_what_the_build_lacks() -> None:
    poor = Library("OpenSSL 9", frozenset(ProtocolVersion), frozenset({"ECDHE-RSA-AES128-GCM-SHA256"}), frozenset())
    assert choose_ciphers("default", NEW, poor).openssl == "ECDHE-RSA-AES128-GCM-SHA256:!aNULL:!eNULL"


@pytest.mark.parametrize(
    ("text", "openssl"),
    [
        ("ECDHE+AESGCM", "ECDHE+AESGCM:!aNULL:!eNULL"),
        ("ecdhe+aesgcm", "ECDHE+AESGCM:!aNULL:!eNULL"),
        (" HIGH : !kRSA ", "HIGH:!kRSA:!aNULL:!eNULL"),
        ("HIGH, !kRSA;-PSK", "HIGH:!kRSA:-PSK:!aNULL:!eNULL"),
        ("HIGH::@STRENGTH", "HIGH:@STRENGTH:!aNULL:!eNULL"),
        ("DEFAULT:!AES128", "DEFAULT:!AES128:!aNULL:!eNULL"),
        ("ALL:-aNULL:!eNULL", "ALL:-aNULL:!eNULL:!aNULL:!eNULL"),
    ],
)
def test_a_good_string_is_taken_in_its_usual_spelling(text: str, openssl: str) -> None:
    choice = choose_ciphers(text, NEW, BUILD)
    assert choice.openssl == openssl
    assert not [note for note in choice.notes if "no such suite" in note]


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("ECDHE", []),
        ("ECDHE:AES128-SHA", ["AES128-SHA has no forward secrecy (RFC 9325 §4.1); add !kRSA to leave such suites out"]),
        ("ECDHE:AES128-SHA:!kRSA", []),
        ("ECDHE:AES256-SHA:AES128-SHA", ["AES256-SHA and 1 more have no forward secrecy"]),
        ("ECDHE:IDEA", ["IDEA-CBC-SHA has no forward secrecy", "IDEA-CBC-SHA has blocks of 64 bits"]),
        ("default", []),
    ],
)
def test_weak_suites_of_an_own_string_are_remarked_with_the_way_out(text: str, notes: list[str]) -> None:
    found = choose_ciphers(text, ALL_VERSIONS, BUILD).notes
    assert len(found) == len(notes)
    assert all(note.startswith(beginning) for note, beginning in zip(found, notes, strict=True))


def test_what_the_build_lacks_is_named_dropped_and_kept_in_exclusions() -> None:
    choice = choose_ciphers("RC4-SHA:RC4-MD5:ALL:-aNULL:-EXPORT:!RC4", NEW, BUILD)
    assert choice.openssl == "ALL:-aNULL:-EXPORT:!RC4:!aNULL:!eNULL"
    assert choice.notes[:4] == (
        "RC4-SHA is left out: OpenSSL 9 has no such suite",
        "RC4-MD5 is left out: OpenSSL 9 has no such suite",
        "-EXPORT has no effect: OpenSSL 9 has no such suite",
        "!RC4 has no effect: OpenSSL 9 has no such suite",
    )


def test_a_weak_suite_that_no_selected_version_has_is_not_remarked() -> None:
    assert choose_ciphers("ECDHE:IDEA", NEW, BUILD).notes == ()


def test_words_that_exclude_each_other_are_left_out() -> None:
    choice = choose_ciphers("aRSA+aECDSA:ECDHE", NEW, BUILD)
    assert choice.openssl == "ECDHE:!aNULL:!eNULL"
    assert choice.notes == ("aRSA+aECDSA is left out: OpenSSL 9 has no such suite",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ECDHE+AESGCM:BOGUS", "'BOGUS' is no cipher suite or selector that OpenSSL knows; openssl-ciphers(1)"),
        ("ECDHE-RSA-AES128-GCM-SHA265", "did you mean ECDHE-RSA-AES128-GCM-SHA256?"),
        ("ECDHE+AES-GCM", "did you mean AESGCM?"),
        ("!BOGUS:HIGH", "'BOGUS' is no cipher suite"),
        ("HIGH:!", "'!' lacks a word"),
        ("ECDHE++AES", "'ECDHE++AES' lacks a word"),
        ("!!AES:HIGH", "'!AES' is no cipher suite"),
        ("TLS_AES_128_GCM_SHA256:HIGH", "TLS_AES_128_GCM_SHA256: the suites of TLS 1.3 are fixed"),
        ("HIGH:!TLS_CHACHA20_POLY1305_SHA256", "can be neither chosen nor excluded"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "older suites go by OpenSSL's names"),
        ("HIGH:@SECLEVEL=0", "@SECLEVEL=0 cannot be set: the security level follows from the selected TLS versions"),
        ("HIGH:@NONSENSE", "the only one is @STRENGTH"),
        ("aNULL", "aNULL asks for suites without encryption or without authentication, which are never offered"),
        ("HIGH:eNULL", "eNULL asks for suites without encryption"),
        ("NULL-SHA:HIGH", "NULL-SHA asks for"),
        ("ADH-AES128-SHA:HIGH", "ADH-AES128-SHA asks for"),
        ("COMPLEMENTOFALL", "COMPLEMENTOFALL asks for"),
        ("kECDHE+aNULL:HIGH", "kECDHE+aNULL asks for"),
        ("HIGH:DEFAULT", "DEFAULT has an effect only as the first word"),
        ("default:!AES128", "default stands alone"),
        ("SUITEB128", "SUITEB128 is a mode of OpenSSL rather than a selector"),
        ("ECDHE-RSA-AES128-SHA+COMPLEMENTOFDEFAULT", "a whole suite stands alone"),
        ("RC4-SHA", "selects no suite that this gateway can use with OpenSSL 9; write default"),
        ("PSK", "selects no suite that this gateway can use"),
        ("aDSS", "selects no suite that this gateway can use"),
        ("!HIGH", "selects no suite that this gateway can use"),
        ("HIGH:-ALL", "selects no suite that this gateway can use"),
        ("", "write default for the recommended suites"),
        ("PROFILE=SYSTEM", "'PROFILE=SYSTEM' is no cipher suite"),
        ("HIGH\nALL", "is no cipher suite"),
    ],
)
def test_a_bad_string_is_refused_with_the_word_and_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(CipherError) as caught:
        choose_ciphers(text, NEW, BUILD)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "selection", "missing"),
    [
        ("ECDHE+AESGCM", "1.1-1.3", "1.1"),
        ("ECDHE+AESGCM", "1.0-1.2", "1.0"),
        ("AES128-SHA256", "1.1-1.2", "1.1"),
        ("IDEA", "1.0-1.2", "1.2"),
        ("PSK:ECDHE+AESGCM", "1.0-1.2", "1.0"),
    ],
)
def test_no_selected_version_is_left_without_a_suite(text: str, selection: str, missing: str) -> None:
    with pytest.raises(
        CipherError, match=rf"exists in TLS {missing}, which is selected; add one such as ECDHE-RSA-AES128-"
    ):
        choose_ciphers(text, Selection.parse(selection), BUILD)


def test_tls13_alone_needs_no_older_suite_but_still_a_good_string() -> None:
    only_newest = Selection.parse("1.3")
    assert choose_ciphers("ECDHE+AESGCM", only_newest, BUILD).suites == ()
    with pytest.raises(CipherError):
        choose_ciphers("BOGUS", only_newest, BUILD)


_WORDS = st.text(alphabet="ABCDEFHILMNRSTUakne0123456789+-!@_=.:;, é\x00\n", max_size=40)


@given(_WORDS, st.sampled_from(LEGAL_SELECTIONS))
def test_any_text_is_a_choice_without_anonymous_suites_or_a_sentence(text: str, selection: Selection) -> None:
    try:
        choice = choose_ciphers(text, selection, BUILD)
    except CipherError as error:
        assert len(str(error)) > 20  # noqa: PT017
        return
    assert "!aNULL:!eNULL" in choice.openssl
    assert ("@SECLEVEL=0" in choice.openssl) is (selection.lowest <= ProtocolVersion.TLS1_1)
    assert all(KNOWN_SUITES[name].usable for name in choice.suites)
