"""How much TLS a destination must have."""

from __future__ import annotations

import pytest

from sealgate.tls.level import TlsLevel


@pytest.mark.parametrize(
    ("level", "word", "label", "requires", "verifies"),
    [
        (TlsLevel.NO, "no", "No", False, False),
        (TlsLevel.PREFERRED, "preferred", "Preferred", False, False),
        (TlsLevel.PREFERRED_VERIFY, "preferred-verify", "Preferred - Verify", False, True),
        (TlsLevel.REQUIRED, "required", "Required", True, False),
        (TlsLevel.REQUIRED_VERIFY, "required-verify", "Required - Verify", True, True),
    ],
)
def test_a_level_has_its_words_and_duties(
    level: TlsLevel, word: str, label: str, requires: bool, verifies: bool
) -> None:
    assert (level.word, level.label, level.requires_tls, level.verifies) == (word, label, requires, verifies)
    assert TlsLevel.of(word) is level


def test_stricter_is_greater() -> None:
    assert sorted(TlsLevel) == list(TlsLevel)
    assert TlsLevel.PREFERRED < TlsLevel.REQUIRED < TlsLevel.REQUIRED_VERIFY


def test_any_other_word_is_refused_with_all_that_would_be_right() -> None:
    with pytest.raises(ValueError, match="'must' is no TLS level; the levels are no, preferred, preferred-verify"):
        TlsLevel.of("must")
