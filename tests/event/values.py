"""Strategies: any value of any fact, as its annotations allow it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_type_hints

from hypothesis import strategies as st

from sealgate.event.base import Event
from sealgate.event.codec import EVENTS, Record

TIMES = st.datetimes(timezones=st.just(UTC))
_SPECIAL: dict[Any, st.SearchStrategy[Any]] = {
    datetime: TIMES,
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def facts_of(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Any value of this fact."""
    hints = get_type_hints(kind)
    names = [name for name, hint in hints.items() if hint in _SPECIAL]
    special = {name: _SPECIAL[hints[name]] for name in names}
    return st.builds(kind, **special)


FACTS = st.sampled_from(list(EVENTS.values())).flatmap(facts_of)
RECORDS = st.builds(Record, at=TIMES, source=st.text(), event=FACTS)
