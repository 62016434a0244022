"""The parameters of MAIL and RCPT: what each may be, and which reply refuses the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.envelope import Notify
from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.parameters import MAIL, RCPT, RCPT_UTF8, read_parameters

ALL = frozenset({"8BITMIME", "AUTH", "CHUNKING", "DSN", "PIPELINING", "SIZE", "SMTPUTF8"})
SYNTAX, UNKNOWN = replies.SYNTAX, replies.UNKNOWN_PARAMETER

OF_MAIL: dict[str, dict[str, Any] | Reply] = {
    "": {},
    " \t ": {},
    "SIZE=0": {"SIZE": 0},
    "size=12345 \t body=8bitmime": {"SIZE": 12345, "BODY": True},
    "BODY=7BIT": {"BODY": False},
    "SMTPUTF8": {"SMTPUTF8": True},
    "RET=FULL ENVID=QQ314159": {"RET": "FULL", "ENVID": "QQ314159"},
    "ret=hdrs": {"RET": "HDRS"},
    "ENVID=Ab+20c+2B+3D": {"ENVID": "Ab+20c+2B+3D"},
    "ENVID=" + "x" * 100: {"ENVID": "x" * 100},
    "AUTH=<>": {"AUTH": None},
    "AUTH=e+3Dmc2@example.com": {"AUTH": None},
    "SIZE": SYNTAX,
    "SIZE=": SYNTAX,
    "SIZE=1x": SYNTAX,
    "SIZE=" + "1" * 21: SYNTAX,
    "SIZE=1 size=1": SYNTAX,
    "SMTPUTF8=1": SYNTAX,
    "BODY": SYNTAX,
    "BODY=BINARYMIME": UNKNOWN,
    "RET": SYNTAX,
    "RET=NONE": SYNTAX,
    "RET=FULL RET=HDRS": SYNTAX,
    "ENVID": SYNTAX,
    "ENVID=" + "x" * 101: SYNTAX,
    "ENVID=a=b": SYNTAX,
    "ENVID=a+b": SYNTAX,
    "ENVID=a+2b": SYNTAX,  # RFC 3461 §4: upper case digits
    "ENVID=+0D+0ABcc:": SYNTAX,
    "ENVID=+00": SYNTAX,
    "ENVID=+7F": SYNTAX,
    "ENVID=+FC": SYNTAX,
    "ENVID=j\u00fcrgen": SYNTAX,
    "AUTH": SYNTAX,
    "AUTH=+": SYNTAX,
    "NOTIFY=NEVER": UNKNOWN,
    "FOO=1": UNKNOWN,
    "FOO=1 FOO=1": SYNTAX,
    "=1": SYNTAX,
    "-A=1": SYNTAX,
    "SIZE=1\x0bRET=FULL": SYNTAX,
    "SIZE\x00=1": SYNTAX,
}

OF_RCPT: dict[str, dict[str, Any] | Reply] = {
    "NOTIFY=NEVER": {"NOTIFY": Notify.NEVER},
    "notify=success,Failure": {"NOTIFY": Notify.SUCCESS | Notify.FAILURE},
    "NOTIFY=DELAY ORCPT=rfc822;a+2Bb@c.example": {"NOTIFY": Notify.DELAY, "ORCPT": "rfc822;a+2Bb@c.example"},
    "ORCPT=RFC822;" + "x" * 493: {"ORCPT": "RFC822;" + "x" * 493},
    "ORCPT=utf-8;j\\x{FC}rgen@c.example": {"ORCPT": "utf-8;j\\x{FC}rgen@c.example"},
    "NOTIFY": SYNTAX,
    "NOTIFY=": SYNTAX,
    "NOTIFY=NEVER,DELAY": SYNTAX,
    "NOTIFY=DELAY,DELAY": SYNTAX,
    "NOTIFY=SOMETIMES": SYNTAX,
    "ORCPT": SYNTAX,
    "ORCPT=a@b.example": SYNTAX,
    "ORCPT=;a@b.example": SYNTAX,
    "ORCPT=rfc822;": SYNTAX,
    "ORCPT=rfc822;a+0Ab": SYNTAX,
    "ORCPT=rfc822;" + "x" * 494: SYNTAX,
    "ORCPT=utf-8;": SYNTAX,
    "ORCPT=utf-8;a\\x{0A}b": SYNTAX,
    "ORCPT=utf-8;a\\x{202E}b": SYNTAX,
    "ORCPT=utf-8;a\\x{D800}b": SYNTAX,
    "ORCPT=utf-8;a\\x{FFFFFF}b": SYNTAX,
    "ORCPT=utf-8;a\\b": SYNTAX,
    "SIZE=1": UNKNOWN,
    "FOO": UNKNOWN,
}

WIDE = "ORCPT=utf-8;j\u00fcrgen@b.example"


@pytest.mark.parametrize("text", OF_MAIL)
def test_of_mail(text: str) -> None:
    assert read_parameters(text.encode(), MAIL, ALL) == OF_MAIL[text]


@pytest.mark.parametrize("text", OF_RCPT)
def test_of_rcpt(text: str) -> None:
    assert read_parameters(text.encode(), RCPT, ALL) == OF_RCPT[text]
    assert read_parameters(text.encode(), RCPT_UTF8, ALL) == OF_RCPT[text]


def test_an_original_recipient_in_utf8_needs_smtputf8() -> None:
    assert read_parameters(WIDE.encode(), RCPT_UTF8, ALL) == {"ORCPT": WIDE.removeprefix("ORCPT=")}
    assert read_parameters(WIDE.encode(), RCPT, ALL) == SYNTAX
    assert read_parameters(WIDE.replace("utf-8", "rfc822").encode(), RCPT_UTF8, ALL) == SYNTAX


@pytest.mark.parametrize("name", MAIL | RCPT)
def test_what_is_not_offered_is_unknown(name: str) -> None:
    known = MAIL | RCPT
    assert read_parameters(name.encode(), known, ALL - {known[name].extension}) == UNKNOWN


@given(st.binary(max_size=60) | st.text("NOTIFYENVIDORCPT=;,+\\x{}0AD \u00fc\u202e").map(str.encode))
def test_anything_is_read_or_refused(text: bytes) -> None:
    for known in (MAIL, RCPT, RCPT_UTF8):
        found = read_parameters(text, known, ALL)
        if not isinstance(found, Reply):
            assert all(isinstance(value, int) or value is None or value.isprintable() for value in found.values())
