"""What control asks of one worker: about its queue, about one message, and to obey what operators have suspended."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sealgate.delivery import survey
from sealgate.delivery.operator import ACTS, Operator
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.selection import Selection
from sealgate.event.facts import Event, Note
from sealgate.process.channel import ChannelError
from sealgate.store.database import StoreError
from sealgate.store.spool import Spool
from sealgate.store.suspensions import EVERYTHING, SuspensionFile, Suspensions

LOOK = 0.5
"""Seconds between two looks at what is suspended: a worker that control cannot reach obeys within them."""

RECIPIENTS = 500
"""Recipients of one message in one answer."""

LARGEST_PIECE = 256 * 1024
"""Bytes of a body in one answer."""


class Desk:
    """Answers for the queue of one worker, and keeps what is suspended."""

    def __init__(
        self, home: Path, spool: Spool, emit: Callable[[Event], None], hang_up: Callable[[Suspensions], None]
    ) -> None:
        """`hang_up` ends the sessions of listeners that are suspended now."""
        self._file = SuspensionFile(home)
        self._spool = spool
        self._emit = emit
        self._hang_up = hang_up
        self._looking: asyncio.TimerHandle | None = None
        self.suspensions = self._read(Suspensions(EVERYTHING))

    def open(self, schedule: Schedule) -> None:
        """The worker serves from now on."""
        self._schedule = schedule
        self._operator = Operator(schedule, self._spool, self._emit, time.time)
        self._look()

    def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    # -- suspensions

    def _look(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(LOOK, self._look)
        if self._file.has_changed():
            self._obey()

    def _obey(self) -> None:
        before, self.suspensions = self.suspensions, self._read(self.suspensions)
        if before != self.suspensions:
            self._hang_up(self.suspensions)
            self._schedule.suspend()
            self._schedule.resume()

    def _read(self, otherwise: Suspensions) -> Suspensions:
        """A file that cannot be read says nothing of what may run: then nothing starts that did not run before."""
        try:
            return self._file.read()
        except StoreError as error:
            self._emit(
                Note("Critical", f"{error}; until then this worker goes on as before, or suspended if it is new")
            )
            return otherwise

    # -- questions

    async def answer(self, op: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request; `ChannelError` carries a sentence for the operator."""
        match op:
            case "suspensions":
                self._obey()
                return {}
            case "queue-list":
                selection = Selection.of_body(body["selection"])
                messages, more = await survey.page(self._schedule, selection, body["after"], body["limit"])
                return {"messages": messages, "more": more}
            case "queue-count":
                return await survey.count(self._schedule, Selection.of_body(body["selection"]))
            case "queue-act" if body["act"] in ACTS:
                selection = Selection.of_body(body["selection"])
                report = await self._operator.act(body["act"], selection, body["who"], body.get("reason", ""))
                return report.to_body()
            case "queue-show":
                return {"message": await self._show(body["mid"], body.get("after", -1))}
            case "queue-body":
                return await self._piece(body["mid"], body["start"])
            case "hosts":
                return {"hosts": await survey.destinations(self._schedule, _wanted(body.get("domains")))}
        raise ChannelError(f"a worker does not know {op!r}")

    async def _show(self, mid: int, after: int) -> dict[str, Any] | None:
        try:
            shown = await self._spool.show(mid, after, RECIPIENTS)
        except OSError as error:
            raise ChannelError(str(error)) from error
        message = self._schedule.register.get(mid)
        if shown is not None and message is not None:  # what is known here may not be on the disk yet
            now = {one.rid: survey.recipient(message, one) for one in message.waiting.values()}
            shown["recipients"] = [{**each, **now.get(each["rid"], {})} for each in shown["recipients"]]
        return shown

    async def _piece(self, mid: int, start: int) -> dict[str, Any]:
        if self._schedule.register.get(mid) is None:
            return {}
        try:
            data = await self._spool.piece(mid, start, LARGEST_PIECE)
        except OSError as error:
            raise ChannelError(f"message {mid} cannot be read: {error}") from error
        return {"data": base64.b64encode(data).decode("ascii")}


def _wanted(domains: Iterable[str] | None) -> Callable[[str], bool]:
    if domains is None:
        return lambda domain: True
    names = frozenset(domains)
    return lambda domain: domain in names
