"""The Received field, and what is read from a header."""

from __future__ import annotations

import email
import email.policy
import email.utils
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.mail.trace import HeaderFacts, header_facts, received_field


@dataclass(frozen=True)
class Version:
    label: str = "TLSv1.3"


@dataclass(frozen=True)
class Agreement:
    version: Version = Version()
    cipher: str = "TLS_AES_256_GCM_SHA384"
    group: str | None = "X25519MLKEM768"


DATE = datetime(2024, 1, 17, 20, 11, 6, tzinfo=timezone(timedelta(hours=-6)))
GIVEN: dict[str, Any] = {
    "hello": "client.example",
    "peer_ip": "192.0.2.1",
    "hostname": "gate.example",
    "esmtp": True,
    "outcome": None,
    "mid": 14,
    "recipient": "user@inside.example",
    "date": DATE,
}


def field(**changed: Any) -> str:
    return received_field(**{**GIVEN, **changed}).decode("ascii")


def test_the_field_with_tls() -> None:
    assert field(outcome=Agreement()) == (
        "Received: from client.example ([192.0.2.1])\r\n"
        "\tby gate.example with ESMTPS (TLSv1.3 cipher TLS_AES_256_GCM_SHA384 group X25519MLKEM768)\r\n"
        "\tid 14 for <user@inside.example>; Wed, 17 Jan 2024 20:11:06 -0600\r\n"
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "by gate.example with ESMTP\r\n"),
        ({"esmtp": False}, "by gate.example with SMTP\r\n"),
        ({"esmtp": False, "outcome": Agreement()}, "with SMTP (TLSv1.3 cipher"),
        ({"outcome": Agreement(Version("TLSv1.2"), "ECDHE-RSA-AES256-SHA384", None)}, "AES256-SHA384)\r\n"),
        ({"recipient": None}, "\tid 14; Wed, "),
        ({"recipient": 'a"\r\nBcc: x'}, "\tid 14; Wed, "),
        ({"recipient": '"odd one"@x.example'}, 'for <"odd one"@x.example>; '),
        ({"peer_ip": "2001:db8::1"}, "([IPv6:2001:db8::1])\r\n"),
        ({"peer_ip": "fe80::1%eth0"}, "([IPv6:fe80::1])\r\n"),
        ({"hello": "[IPv6:::1]"}, "from [IPv6:::1] ("),
        ({"hello": ""}, "from unknown ("),
        ({"hello": "a\r\nb (c) d"}, "from a??b??c??d ("),
        ({"hello": "caf\u00e9"}, "from caf? ("),
    ],
)
def test_the_words_of_the_field(changed: dict[str, Any], expected: str) -> None:
    assert expected in field(**changed)


@settings(deadline=None)
@given(hello=st.text(max_size=2000), recipient=st.none() | st.text(max_size=600))
def test_no_peer_adds_a_field(hello: str, recipient: str | None) -> None:
    made = received_field(**{**GIVEN, "hello": hello, "recipient": recipient})
    lines = made.split(b"\r\n")
    assert [line[:1] for line in lines] == [b"R", b"\t", b"\t", b""]
    assert all(len(line) <= 998 and line.isascii() and b"\n" not in line and b"\r" not in line for line in lines)
    parsed = email.message_from_bytes(made + b"\r\n", policy=email.policy.compat32)
    assert parsed.keys() == ["Received"]
    assert email.utils.parsedate_to_datetime(parsed["Received"].rpartition(";")[2]) == DATE


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", (None, None, 0)),
        (b"\r\nSubject: body\r\n", (None, None, 0)),
        (b"Subject: a\r\n\r\nSubject: b\r\nReceived: x\r\n", (None, "a", 0)),
        (b"SUBJECT:a\r\nmessage-id: <1@x> \r\n\r\n", ("<1@x>", "a", 0)),
        (b"Subject: first\r\nSubject: second\r\n\r\n", (None, "first", 0)),
        (b"X-Subject: no\r\nX: \r\n Subject: no\r\n\r\n", (None, None, 0)),
        (b"Subject: a\r\n b\r\n\tc\r\nTo: d\r\n\r\n", (None, "a b\tc", 0)),
        (b"Subject: a\n b\nTo: c\n\nSubject: no\n", (None, "a b", 0)),
        (b"Subject:\r\n\r\n", (None, "", 0)),
        (b"Message-ID:\r\n\r\n", (None, None, 0)),
        (b"Subject: cut of", (None, "cut of", 0)),
        (b"Subject: a\r\n", (None, "a", 0)),
        (b"Received: a\r\nReceived: b\r\n c\r\nreceived:d\r\nX-Received: e\r\n\r\n", (None, None, 3)),
        (b"Subject: =?utf-8?b?R3LDvMOfZQ==?= =?iso-8859-1?q?_=E9?=\r\n\r\n", (None, "Gr\u00fc\u00dfe \u00e9", 0)),
        (b"Subject: =?klingon?q?a?=\r\n\r\n", (None, "=?klingon?q?a?=", 0)),
        (b"Subject: =?utf-8?b?A?=\r\n\r\n", (None, "=?utf-8?b?A?=", 0)),
        (b"Subject: =?utf-8?q?=FF?=\r\n\r\n", (None, "=?utf-8?q?=FF?=", 0)),
        ("Subject: Gr\u00fc\u00dfe\r\n\r\n".encode(), (None, "Gr\u00fc\u00dfe", 0)),
        (b"Subject: \xe9\r\n\r\n", (None, "\\xe9", 0)),
        (b"Subject: " + b"a" * 5000 + b"\r\n\r\n", (None, "a" * 998, 0)),
    ],
)
def test_what_a_header_says(message: bytes, expected: tuple[str | None, str | None, int]) -> None:
    assert header_facts(message) == HeaderFacts(*expected)


PIECES = [
    b"Subject:",
    b"message-id:",
    b"RECEIVED:",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"=?utf-8?",
    b"b?",
    b"q?",
    b"?=",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=5)).map(b"".join))
def test_no_header_makes_it_fail(message: bytes) -> None:
    facts = header_facts(message)
    assert facts.received_count <= len(re.findall(rb"(?i)received:", message))
    assert len(facts.subject or "") <= 998
    assert len(facts.message_id or "") <= 998
