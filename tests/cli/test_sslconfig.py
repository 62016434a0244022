"""`sslconfig` to the letter: golden screens, every way to type versions, and every sentence about a wrong one."""

from __future__ import annotations

import subprocess
from itertools import chain, combinations
from pathlib import Path

import pytest

from sealgate.cli.dialogue.versions import MENU, bracket, meaning, read_versions, warning
from sealgate.tls.suite import KNOWN_SUITES, TLS13_DESCRIPTIONS
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection
from tests.cli.conversation import Desk, configuration, converse

GOLDEN = Path(__file__).parents[1] / "golden" / "dialogue"

TLS1_0, TLS1_1 = ProtocolVersion.TLS1_0, ProtocolVersion.TLS1_1

SAMPLE = {"gui_https": "1.0 1.1 1.2 1.3", "inbound_smtp": "1.0 1.1 1.2 1.3", "outbound_smtp": "1.1 1.2 1.3"}
"""The settings that the source document shows."""

WRONG = {
    "0": "There is no number 0; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "5": "There is no number 5; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "3-1": "'3-1' runs backwards; type 1-3.",
    "1,4": "TLS 1.0 and TLS 1.3 need TLS 1.1 and TLS 1.2 between them: the versions of a service must be one unbroken "
    "run; type 1-4.",
    "1,3": "TLS 1.1 and TLS 1.3 need TLS 1.2 between them: the versions of a service must be one unbroken run; "
    "type 1-3.",
    "abc": "'abc' is no number; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "1-": "'1-' is half a range; a range has a number at both ends, as 1-3.",
    "-3": "'-3' is half a range; a range has a number at both ends, as 1-3.",
    ",": "',' has no number beside its comma; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "1,": "'1,' has no number beside its comma; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "1 2": "'1 2' is no number; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "1-2-3": "'2-3' is no number; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "1.2": "'1.2' is no number; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "²": "'²' is no number; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
    "9" * 5000: f"There is no number {'9' * 5000}; type numbers from 1 to 4, as 2, 1-3 or 1,2.",
}

TYPED = ("sslconfig", "inbound", *(text for text in WRONG if len(text) < 9), "?", "1-3", "", "")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, configuration())


@pytest.mark.parametrize(
    ("name", "services", "typed"),
    [
        ("sslconfig-sample", SAMPLE, ("sslconfig", "")),
        ("sslconfig-upgraded", {}, ("sslconfig", "inbound", "1-3", "", "", "commit", "TLS 1.3", "quit")),
        ("sslconfig-wrong", {}, TYPED),
        (
            "sslconfig-others",
            {"other_clients": "1.2 1.3"},
            ("sslconfig", "outbound", "1", "", "gui", "1-4", "", "other_client_tlsv10", "y", "other", "2,3", "", ""),
        ),
    ],
)
def test_golden_screens(tmp_path: Path, utc: None, name: str, services: dict[str, str], typed: tuple[str, ...]) -> None:
    said, _ = converse(Desk(tmp_path, configuration(**services)), *typed)
    assert said == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("text", WRONG)
def test_every_wrong_answer_has_its_sentence(desk: Desk, text: str) -> None:
    said, status = converse(desk, "sslconfig", "inbound", text, piped=True)
    assert WRONG[text] in said.splitlines()
    assert status == 1


def numbers(selection: Selection) -> list[int]:
    return [MENU.index(version) + 1 for version in selection]


def test_all_ten_selections_can_be_typed_in_every_way() -> None:
    for selection in LEGAL_SELECTIONS:
        chosen = sorted(numbers(selection))
        assert read_versions(bracket(selection)) == selection
        assert read_versions(",".join(map(str, chosen))) == selection
        assert read_versions(" , ".join(map(str, reversed(chosen)))) == selection
        assert read_versions(f"{chosen[0]} - {chosen[-1]}") == selection
        assert read_versions(f"{chosen[0]}-{chosen[-1]},{chosen[0]}") == selection
    assert read_versions("1,2-3").method == "tlsv1_1tlsv1_2tlsv1_3"


def test_every_set_of_numbers_is_one_run_or_refused_with_its_bridge() -> None:
    for chosen in chain.from_iterable(combinations(range(1, 5), count) for count in range(1, 5)):
        text = ",".join(map(str, chosen))
        holes = [number for number in range(chosen[0], chosen[-1]) if number not in chosen]
        if not holes:
            assert numbers(read_versions(text)) == sorted(chosen, reverse=True)
            continue
        with pytest.raises(ValueError, match="between them") as refused:
            read_versions(text)
        assert all(f"TLS {MENU[number - 1].number}" in str(refused.value).partition("need")[2] for number in holes)


def test_the_cipher_prompt_always_comes_and_says_what_is_fixed(desk: Desk) -> None:
    for numbers_typed in ("1", "2", "1-4", ""):
        said, _ = converse(desk, "sslconfig", "inbound", numbers_typed, "", "")
        assert "Enter the inbound SMTP ssl cipher you want to use.\n[default]> " in said
    said, _ = converse(desk, "sslconfig", "inbound", "1", "", "")
    assert "With TLS v1.3 alone, the ciphers that follow have no effect now." in said
    assert "TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256" in said


def test_ciphers_are_judged_at_their_prompt_also_when_enter_keeps_them(desk: Desk) -> None:
    strong = "ECDHE-RSA-AES256-GCM-SHA384"
    said, _ = converse(desk, "sslconfig", "inbound", "2", "TLS_AES_128_GCM_SHA256", "aNULL", strong, "", "commit", "")
    assert "the suites of TLS 1.3 are fixed" in said
    assert "aNULL asks for suites without encryption or without authentication" in said
    assert desk.current().tls.inbound_smtp.ciphers == strong
    said, status = converse(desk, "sslconfig", "inbound", "2-3", "", piped=True)
    assert f"None of the suites in '{strong}' exists in TLS 1.1, which is selected" in said
    assert status == 1


def test_tls10_prints_one_warning_line_and_asks_nothing(desk: Desk) -> None:
    said, status = converse(desk, "sslconfig", "inbound", "1-4", "", "", "commit", "", piped=True)
    assert sum(line.startswith("Warning:") for line in said.splitlines()) == 1
    assert status == 0
    assert desk.current().tls.inbound_smtp.versions == ("1.0", "1.1", "1.2", "1.3")


def test_what_a_change_means_is_one_line_for_each_of_the_hundred_changes() -> None:
    for old in LEGAL_SELECTIONS:
        for new in LEGAL_SELECTIONS:
            line = meaning(old, new, "peers", "can no longer connect")
            assert (line is None) == (old == new)
            lost = [version for version in old if version not in new]
            assert ("can no longer connect" in (line or "")) == bool(lost)
            deeper = new.lowest < old.lowest and new.lowest <= TLS1_1
            assert ("lower the security level" in (line or "")) == deeper
            assert (warning(old, new) is not None) == (TLS1_0 in new and TLS1_0 not in old)


def test_other_clients_have_one_box_that_extends_their_run_downwards(desk: Desk) -> None:
    converse(desk, "sslconfig other 1", "sslconfig other_client_tlsv10 y", "commit")
    assert desk.current().tls.other_clients.versions == ("1.1", "1.2")  # the comment was never given
    said, _ = converse(desk, "sslconfig", "other_client_tlsv10", "", "", "commit", "")
    assert "TLS v1.1 and TLS v1.2 comes with it" not in said
    assert desk.current().tls.other_clients.versions == ("1.0", "1.1", "1.2", "1.3")
    converse(desk, "sslconfig other_client_tlsv10 n", "commit now")
    assert desk.current().tls.other_clients.versions == ("1.1", "1.2", "1.3")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("ciphers", ["ECDHE+AESGCM:ECDHE+CHACHA20", "AES128-SHA", "kRSA+AES:!SHA256", "ECDHE:!aNULL"])
def test_verify_prints_what_openssl_prints(desk: Desk, ciphers: str) -> None:
    said, _ = converse(desk, "sslconfig", "verify", ciphers, "")
    words = ["openssl", "ciphers", "-v", f"{ciphers}:!eNULL:!ARIA:!CAMELLIA:!AESCCM"]
    theirs = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [line for line in said.splitlines() if " Kx=" in line]
    assert set(ours) >= {line.rstrip() for line in theirs if "GOST" not in line}
    assert ours[:3] == list(TLS13_DESCRIPTIONS)


def test_each_suite_has_its_line() -> None:
    assert all(f"{name} " in suite.description for name, suite in KNOWN_SUITES.items())
