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
