"""How often something may happen within a span of time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sealgate.process import rate
from sealgate.process.lease import LeaseBook, serve
from sealgate.process.rate import RateBook

HOUR = 3600.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_as_often_as_allowed_and_again_when_the_time_has_passed() -> None:
    clock = Clock()
    book = RateBook(clock)
    assert [book.take([("k", 3, 1, HOUR)]) for _ in range(5)] == [None] * 3 + ["k"] * 2
    clock.now += HOUR - 1
    assert book.take([("k", 3, 1, HOUR)]) == "k"
    clock.now += 2
    assert book.take([("k", 3, 1, HOUR)]) is None


def test_all_of_them_or_none() -> None:
    book = RateBook(Clock())
    assert book.take([("a", 1, 1, HOUR)]) is None
    assert book.take([("b", 1, 1, HOUR), ("a", 1, 1, HOUR)]) == "a"
    assert book.take([("b", 1, 1, HOUR)]) is None  # it had not been counted


def test_a_look_counts_nothing() -> None:
    book = RateBook(Clock())
    assert [book.take([("k", 1, 0, HOUR)]) for _ in range(3)] == [None] * 3
    assert book.take([("k", 1, 1, HOUR)]) is None
    assert book.take([("k", 1, 0, HOUR)]) == "k"


@given(st.lists(st.tuples(st.floats(0, 900), st.integers(1, 3)), max_size=60), st.integers(1, 10))
def test_never_much_more_within_the_span(steps: list[tuple[float, int]], limit: int) -> None:
    """Counts are kept in parts of the span: what falls into one part is forgotten with its beginning."""
    clock = Clock()
    book = RateBook(clock)
    taken: list[float] = []
    for wait, amount in steps:
        clock.now += wait
        if book.take([("k", limit, amount, HOUR)]) is None:
            taken += [clock.now] * amount
            within = [at for at in taken if at > clock.now - HOUR * (1 - 1 / rate.PARTS)]
            assert len(within) - amount < limit


def test_it_does_not_grow_for_ever() -> None:
    book = RateBook(Clock())
    for number in range(rate.MOST_KEYS + 10):
        book.take([(f"k{number}", 1, 1, HOUR)])
    assert book.take([("k0", 1, 1, HOUR)]) is None  # long forgotten
    assert book.take([(f"k{rate.MOST_KEYS}", 1, 1, HOUR)]) == f"k{rate.MOST_KEYS}"


def test_a_rate_that_is_full_gives_the_leases_back() -> None:
    leases, rates = LeaseBook(), RateBook(Clock())
    take = [[["connections", 5]], [["hourly", 1, 1, HOUR]]]
    assert serve(leases, rates, "worker", {"give": [], "take": [take, take]}) == {"refused": [None, "hourly"]}
    assert leases.holders("connections") == {"worker": 1}
