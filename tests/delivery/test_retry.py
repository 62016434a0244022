"""When the next attempt is, and when there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.delivery.retry import has_expired, next_attempt


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(1, 60), (2, 120), (3, 240), (4, 480), (5, 960), (6, 1920), (7, 3600), (8, 3600), (10_000, 3600)],
)
@pytest.mark.parametrize(("jitter", "part"), [(0.0, 0.75), (0.5, 0.875), (1.0, 1.0)])
def test_waits_double_up_to_the_longest(attempts: int, wait: float, jitter: float, part: float) -> None:
    assert next_attempt(1000.0, attempts, 60.0, 3600.0, jitter) == 1000.0 + part * wait


@given(st.integers(1, 100), st.floats(0.1, 86400), st.floats(0.1, 604_800), st.floats(0, 1))
def test_a_wait_is_never_longer_than_the_longest(attempts: int, first: float, longest: float, jitter: float) -> None:
    assert 0 < next_attempt(0.0, attempts, first, longest, jitter) <= longest


@pytest.mark.parametrize(("now", "expired"), [(1099.9, False), (1100.0, True), (5000.0, True)])
def test_a_message_is_tried_for_its_lifetime(now: float, expired: bool) -> None:
    assert has_expired(now, 1000.0, 100.0) is expired
