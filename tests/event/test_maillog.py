"""Rules of the mail log that hold for whatever a peer says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings

from sealgate.event.codec import Record
from sealgate.event.facts import (
    Bounced,
    ConnectionClosed,
    Delayed,
    Event,
    MessageFrom,
    MessageIdSeen,
    Note,
    RecipientRefused,
    ResponseGiven,
    SubjectSeen,
)
from sealgate.event.maillog import head_lines, render
from tests.event.values import RECORDS

AT = datetime(2024, 1, 3, 4, 5, 6, tzinfo=UTC)
LINE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4,} (Info|Warning|Critical): .*")


def text_of(event: Event) -> str:
    return render(Record(AT, "s", event), zone=UTC).partition(" 2024 ")[2]


def several(event: Event) -> int:
    """The number of lines a fact has by its kind, whatever its text says."""
    match event:
        case Bounced(rids=rids) | Delayed(rids=rids):
            return len(rids)
        case ConnectionClosed(lost=True):
            return 2
        case _:
            return 1


@settings(deadline=None)
@given(RECORDS.filter(lambda record: 1000 <= record.at.year < 9999))
def test_nothing_that_a_peer_says_makes_a_line(record: Record) -> None:
    rendered = render(record, zone=UTC)
    lines = rendered.splitlines()
    assert len(lines) == several(record.event)
    assert all(LINE.fullmatch(line) and line.isprintable() for line in lines)
    rendered.encode("utf-8")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (MessageFrom(1, 2, "a\r\nMID 3 fake"), r"Info: MID 1 ICID 2 From: <a\r\nMID 3 fake>"),
        (MessageFrom(1, 2, "\x1b[31m\x7f\u2028\u202e"), r"Info: MID 1 ICID 2 From: <\x1b[31m\x7f\u2028\u202e>"),
        (MessageFrom(1, 2, "\udc80"), r"Info: MID 1 ICID 2 From: <\udc80>"),
        (SubjectSeen(1, 'say "hi"\n'), r'Info: MID 1 Subject "say \"hi\"\n"'),
        (SubjectSeen(1, "folded\r\n here"), r'Info: MID 1 Subject "folded\r\n here"'),
        (SubjectSeen(1, "\u65e5\u672c"), 'Info: MID 1 Subject "\u65e5\u672c"'),
        (MessageIdSeen(1, "it's"), 'Info: MID 1 Message-ID "it\'s"'),
        (ResponseGiven(1, 0, "2.0.0 Ok\n'"), 'Info: MID 1 RID [0] Response "2.0.0 Ok\\n\'"'),
        (RecipientRefused(2, None, "", "550", "RAT"), "Info: ICID 2 To: <> Rejected by RAT"),
        (Note("Critical", "a\nb"), r"Critical: a\nb"),
    ],
)
def test_what_is_not_printable_is_an_escape(event: Event, expected: str) -> None:
    assert text_of(event) == expected


def test_times_are_local() -> None:
    record = Record(AT, "s", Note("Info", "x"))
    assert render(record, zone=timezone(timedelta(hours=-5))) == "Tue Jan  2 23:05:06 2024 Info: x"


@pytest.mark.parametrize(("hours", "seconds"), [(0, "0"), (-6, "-21600"), (5.5, "19800")])
def test_the_head_tells_the_offset(hours: float, seconds: str) -> None:
    head = head_lines(AT, "0.1.0", timezone(timedelta(hours=hours)))
    assert head.endswith(f"Info: Time offset from UTC: {seconds} seconds\n")
    assert head.count("\n") == 3
