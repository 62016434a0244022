"""The buffer of received bytes: lines come whole, and one without an end costs no memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.smtp.line import LineBuffer
from tests.smtp.cutting import cuts, pieces


def lines(data: list[bytes], limit: int) -> list[bytes]:
    """All lines, asked for after every piece."""
    buffer = LineBuffer(limit)
    found = []
    for piece in data:
        buffer.receive(piece)
        while (line := buffer.next_line()) is not None:
            found.append(line)
    return found


@given(st.text("ab\r\n", max_size=60).map(str.encode), cuts(), st.integers(1, 12))
def test_lines_are_the_same_for_any_cutting(data: bytes, where: list[int], limit: int) -> None:
    whole = [line + b"\n" for line in data.split(b"\n")[:-1]]
    expected = [line if len(line) <= limit else line[:limit] for line in whole]
    assert lines(pieces(data, where), limit) == expected


@pytest.mark.parametrize("length", [7, 8, 9, 80])
def test_the_line_feed_counts_and_a_line_too_long_has_lost_it(length: int) -> None:
    (line,) = lines([b"a" * (length - 1) + b"\n"], 8)
    assert line.endswith(b"\n") is (length <= 8)
    assert len(line) <= 8


def test_a_line_without_end_is_not_kept() -> None:
    buffer = LineBuffer(100)
    for _ in range(1000):
        buffer.receive(b"a" * 1000)
        assert buffer.next_line() is None
        assert len(buffer) <= 100
    buffer.receive(b"\nnext\n")
    assert buffer.next_line() == b"a" * 100
    assert buffer.next_line() == b"next\n"


def test_what_is_no_line_can_be_taken_whole() -> None:
    buffer = LineBuffer(100)
    buffer.receive(b"DATA\r\nbody")
    assert buffer.next_line() == b"DATA\r\n"
    assert buffer.take() == b"body"
    assert len(buffer) == 0
    buffer.receive(b"QUIT\r\n")
    assert buffer.next_line() == b"QUIT\r\n"


def test_a_line_that_was_shortened_stays_too_long_under_a_larger_limit() -> None:
    buffer = LineBuffer(8)
    buffer.receive(b"MAIL FROM:<someone")
    assert buffer.next_line() is None
    buffer.limit = 100
    buffer.receive(b"@b.example>\r\nNOOP\r\n")
    line = buffer.next_line()
    assert line is not None
    assert not line.endswith(b"\n")
    assert buffer.next_line() == b"NOOP\r\n"


def test_a_smaller_limit_holds_for_a_line_under_way() -> None:
    buffer = LineBuffer(100)
    buffer.receive(b"a" * 20)
    assert buffer.next_line() is None
    buffer.limit = 8
    buffer.receive(b"\r\n")
    assert buffer.next_line() == b"a" * 8


@given(st.binary(max_size=40), st.lists(st.integers(0, 9)))
def test_octets_are_taken_in_order(data: bytes, counts: list[int]) -> None:
    buffer = LineBuffer(100)
    buffer.receive(data)
    taken = b""
    for count in counts:
        piece = buffer.take(count)
        assert len(piece) == min(count, len(data) - len(taken))
        taken += piece
    assert taken + buffer.take() == data
    assert not buffer


def test_a_line_behind_taken_octets_is_found() -> None:
    buffer = LineBuffer(100)
    buffer.receive(b"ab\ncdNOOP\r\n")
    assert buffer.take(5) == b"ab\ncd"
    assert buffer.next_line() == b"NOOP\r\n"
