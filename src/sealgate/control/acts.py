"""What operators have done: on record and in the log by one call, so that neither ever lacks what the other has."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from sealgate.control.roles import Operator
from sealgate.event.facts import Event, Note
from sealgate.store.audit import Act, Audit
from sealgate.store.database import StoreError


class Acts:
    """Writes the audit record, and states the facts that go with an act."""

    def __init__(self, audit: Audit, emit: Callable[[Event], None], now: Callable[[], datetime.datetime]) -> None:
        self._audit = audit
        self._emit = emit
        self._now = now

    def add(self, operator: Operator, act: str, *events: Event, **detail: Any) -> None:
        """An act of this operator. `detail` is what JSON knows, without secrets."""
        self.add_of(operator.name, operator.face, act, *events, **detail)

    def add_of(self, who: str, face: str, act: str, *events: Event, **detail: Any) -> None:
        """An act of somebody, or of the gateway itself. What has been done stays done if it cannot be written down."""
        try:
            self._audit.add(Act(self._now(), who, face, act, detail))
        except StoreError as error:
            self._emit(Note("Critical", f"{act} by {who} is not in the audit record: {error}"))
        for event in events:
            self._emit(event)

    def newest(self, limit: int) -> Sequence[Act]:
        """The newest acts, newest first."""
        return self._audit.list(limit)
