"""xtext: read where it is harmless, dropped where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.xtext import decoded, original_recipient


@pytest.mark.parametrize(
    ("xtext", "text"),
    [
        ("", ""),
        ("QQ314159", "QQ314159"),
        ("a+2Bb+3Dc+20d", "a+b=c d"),
        ("a+0D+0AX-Evil:+20yes", None),
        ("+00", None),
        ("+E4", None),
        ("a=b", None),
        ("a b", None),
        ("+2b", None),
        ("+2", None),
        ("ä", None),
    ],
)
def test_decoding(xtext: str, text: str | None) -> None:
    assert decoded(xtext) == text


@pytest.mark.parametrize(
    ("orcpt", "plain", "utf8"),
    [
        ("rfc822;Bob+2Bx@b.example", "rfc822; Bob+x@b.example", "rfc822; Bob+x@b.example"),
        ("RFC822;bob@b.example", "rfc822; bob@b.example", "rfc822; bob@b.example"),
        ("utf-8;\\x{FC}x@b.example", "utf-8; \\x{FC}x@b.example", "utf-8; \\x{FC}x@b.example"),
        ("utf-8;üx@b.example", "utf-8; \\x{FC}x@b.example", "utf-8; üx@b.example"),
        ("utf-8;ü\r\nX: y", None, None),
        ("rfc822;a+0Db", None, None),
        ("no type;a", None, None),
        ("rfc822", None, None),
        ("rfc822;", None, None),
        ("", None, None),
    ],
)
def test_original_recipients(orcpt: str, plain: str | None, utf8: str | None) -> None:
    assert original_recipient(orcpt) == plain
    assert original_recipient(orcpt, utf8=True) == utf8


@given(st.text())
def test_nothing_breaks_a_line(text: str) -> None:
    for found in (decoded(text), original_recipient(text), original_recipient(f"utf-8;{text}", utf8=True)):
        assert found is None or found.isprintable()
