"""What may be shown of the text of strangers."""

from __future__ import annotations

import pytest

from sealgate.mail.text import is_visible, printable


@pytest.mark.parametrize(
    ("text", "visible", "shown"),
    [
        ("plain text", True, "plain text"),
        ("Grüße", True, "Grüße"),
        ("a\r\nb", False, "a\\r\\nb"),
        ("\x1b[31m", False, "\\x1b[31m"),
        ("\u202eturned", False, "\\u202eturned"),
        ("a\u00a0b", False, "a\\xa0b"),
        ("क\u200dष", True, "क\\u200dष"),  # a joiner belongs to the word, and a log shows that it is there
        ("\ud800", False, "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_an_escape(text: str, visible: bool, shown: str) -> None:
    assert is_visible(text) is visible
    assert printable(text) == shown
