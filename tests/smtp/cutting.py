"""Bytes arrive in any pieces: how the tests of this folder cut them."""

from __future__ import annotations

from hypothesis import strategies as st


def cuts() -> st.SearchStrategy[list[int]]:
    """Lengths of pieces, to be repeated until the bytes are used up."""
    return st.lists(st.integers(1, 7) | st.just(1 << 20), min_size=1, max_size=12)


def pieces(data: bytes, lengths: list[int]) -> list[bytes]:
    """The data in pieces of these lengths."""
    found, at, number = [], 0, 0
    while at < len(data):
        length = lengths[number % len(lengths)]
        found.append(data[at : at + length])
        at, number = at + length, number + 1
    return found
