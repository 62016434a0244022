"""Versions and the runs of them: ten are legal, and a hole cannot be expressed."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection, SelectionError, parse_version

V10, V11, V12, V13 = ProtocolVersion
SUBSETS = list(chain.from_iterable(combinations(ProtocolVersion, size) for size in range(5)))


def test_a_version_has_the_names_of_the_log_the_settings_and_sslconfig() -> None:
    assert [version.label for version in ProtocolVersion] == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    assert [version.number for version in ProtocolVersion] == ["1.0", "1.1", "1.2", "1.3"]
    assert [version.method for version in ProtocolVersion] == ["tlsv1_0", "tlsv1_1", "tlsv1_2", "tlsv1_3"]
    assert [int(version) for version in ProtocolVersion] == [0x0301, 0x0302, 0x0303, 0x0304]


@pytest.mark.parametrize("version", ProtocolVersion)
def test_every_name_of_a_version_is_read_back(version: ProtocolVersion) -> None:
    for text in (version.label, version.number, version.method, f"TLS v{version.number}", f" tls {version.number} "):
        assert parse_version(text) is version


@pytest.mark.parametrize("text", ["", "1.4", "SSLv3", "tls", "1.2.3", "\uff11.\uff12"])
def test_no_version_is_a_sentence(text: str) -> None:
    with pytest.raises(SelectionError, match=r"is no TLS version; the versions are 1\.0, 1\.1, 1\.2 and 1\.3"):
        parse_version(text)


@pytest.mark.parametrize("versions", SUBSETS, ids=lambda versions: "+".join(each.number for each in versions) or "none")
def test_of_all_sixteen_sets_the_ten_unbroken_runs_are_legal(versions: tuple[ProtocolVersion, ...]) -> None:
    unbroken = versions and list(versions) == [each for each in ProtocolVersion if versions[0] <= each <= versions[-1]]
    if unbroken:
        selection = Selection.of(reversed(versions))
        assert tuple(selection) == versions
        assert selection in LEGAL_SELECTIONS
    else:
        with pytest.raises(SelectionError):
            Selection.of(versions)


def test_there_are_ten_legal_selections() -> None:
    assert len(set(LEGAL_SELECTIONS)) == 10


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        ((), "no TLS version is selected"),
        ((V10, V12), "TLS 1.0 and TLS 1.2 need TLS 1.1 between them"),
        ((V10, V12, V13), "TLS 1.0 and TLS 1.2 need TLS 1.1 between them"),
        ((V11, V13), "TLS 1.1 and TLS 1.3 need TLS 1.2 between them"),
        ((V10, V13), "TLS 1.0 and TLS 1.3 need TLS 1.1 and TLS 1.2 between them"),
    ],
)
def test_a_hole_names_its_bridge(versions: tuple[ProtocolVersion, ...], sentence: str) -> None:
    with pytest.raises(SelectionError) as caught:
        Selection.of(versions)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "shown", "method"),
    [
        ("1.3", "1.3", "tlsv1_3"),
        ("1.2-1.3", "1.2-1.3", "tlsv1_2tlsv1_3"),
        ("1.3,1.2", "1.2-1.3", "tlsv1_2tlsv1_3"),
        ("1.0-1.3", "1.0-1.3", "tlsv1_0tlsv1_1tlsv1_2tlsv1_3"),
        ("TLSv1-TLSv1.1", "1.0-1.1", "tlsv1_0tlsv1_1"),
    ],
)
def test_a_selection_is_read_and_shown(text: str, shown: str, method: str) -> None:
    selection = Selection.parse(text)
    assert str(selection) == shown
    assert selection.method == method
    assert Selection.parse(str(selection)) == selection


@pytest.mark.parametrize("text", ["", "1.3-1.2", "1.0,1.2", "1.2-", "-", "1.2-1.3-1.4"])
def test_a_text_that_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(SelectionError):
        Selection.parse(text)


def test_membership_is_by_version_only() -> None:
    assert V12 in Selection(V12, V13)
    assert V11 not in Selection(V12, V13)
    assert "1.2" not in Selection(V12, V13)
