"""What an operator does to the queue of one worker: hold, release, retry, bounce, delete.

An act is written to the spool before it is answered, and changes what runs only after that. A hold concerns whole
messages, the other acts recipients. A recipient that is being delivered at this moment is never touched: a hold
holds what the attempt leaves, and the others say how many were left alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sealgate.delivery.message import Message
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.selection import Selection
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import Trouble
from sealgate.event.facts import Event, MessageHeld, MessageReleased, OperatorActed
from sealgate.store.spool import Spool, SpoolFault

ACTS = ("hold", "release", "retry", "bounce", "delete")

PIECE = 200
"""Messages and recipients that one turn of the loop changes, and one transaction of the spool."""

MOST_NAMED = 10
"""Recipients that were left alone, of those that are named in the answer."""

Chosen = Sequence[tuple[Message, Sequence[int]]]


@dataclass(slots=True)
class Report:
    """How far an act went: messages and recipients changed, those left alone and why."""

    messages: int = 0
    recipients: int = 0
    busy: int = 0
    named: list[tuple[int, int]] = field(default_factory=list)
    """MID and RID of the first of the busy."""
    passed: int = 0
    """Messages with nothing to do: on hold already, not on hold, or not to be retried because they are on hold."""
    unknown: list[int] = field(default_factory=list)
    """MIDs that were asked for and are not in this queue."""
    fault: str = ""
    """What the disk said; then nothing is promised of what came after."""

    def to_body(self) -> dict[str, Any]:
        """As it travels on a channel."""
        return asdict(self)


class Operator:
    """Carries out acts, one after another, never holding up the loop for long."""

    def __init__(
        self, schedule: Schedule, spool: Spool, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._schedule = schedule
        self._spool = spool
        self._emit = emit
        self._clock = clock

    async def act(self, act: str, selection: Selection, who: str, reason: str = "") -> Report:
        """Do it to all that is selected; `reason` is what the sender of a bounced message is told."""
        report = Report(unknown=[mid for mid in selection.mids if self._schedule.register.get(mid) is None])
        work: Callable[[Chosen], Awaitable[None]] = {
            "hold": lambda chosen: self._hold(chosen, who, report),
            "release": lambda chosen: self._release(chosen, who, report),
            "retry": lambda chosen: self._retry(chosen, report),
            "bounce": lambda chosen: self._bounce(chosen, reason, report),
            "delete": lambda chosen: self._delete(chosen, who, report),
        }[act]
        if act == "retry":
            self._schedule.forget_hosts()
        now = self._clock()
        bounded = replace(selection, before=min(selection.before or now, now))  # its own notices are not meant
        async for chosen in self._pieces(bounded):
            await work(chosen)
            if report.fault:
                break
        if report.messages:
            self._emit(OperatorActed(who, act, selection.words, report.messages, report.recipients))
        return report

    async def _pieces(self, selection: Selection) -> AsyncIterator[Chosen]:
        if selection.mids:
            found = [message for mid in selection.mids if (message := self._schedule.register.get(mid))]
            for start in range(0, len(found), PIECE):
                yield _chosen(selection, found[start : start + PIECE])
            return
        async for messages in self._schedule.register.walk(piece=PIECE):
            if chosen := _chosen(selection, messages):
                yield chosen

    async def _hold(self, chosen: Chosen, who: str, report: Report) -> None:
        messages = [message for message, _ in chosen if not message.held]
        report.passed += len(chosen) - len(messages)
        for message in await self._marked(messages, True, report):
            self._count_busy(message, [rid for rid, one in message.waiting.items() if one.busy], report)
            self._schedule.hold(message)
            self._emit(MessageHeld(message.mid, who))
            _count(report, len(message.waiting))

    async def _release(self, chosen: Chosen, who: str, report: Report) -> None:
        messages = [message for message, _ in chosen if message.held]
        report.passed += len(chosen) - len(messages)
        for message in await self._marked(messages, False, report):
            self._emit(MessageReleased(message.mid, who))
            _count(report, len(message.waiting))
            self._schedule.release(message)

    async def _marked(self, messages: Sequence[Message], held: bool, report: Report) -> list[Message]:
        """Those of the messages that are still here once the mark is durable."""
        if not messages or not _done(await self._spool.hold([each.mid for each in messages], held), report):
            return []
        return [each for each in messages if self._schedule.register.get(each.mid) is each and each.held != held]

    async def _retry(self, chosen: Chosen, report: Report) -> None:
        now = self._clock()
        due = [(message, self._left(message, rids, report)) for message, rids in chosen if not message.held]
        report.passed += len(chosen) - len(due)
        later = [(message.mid, rid) for message, rids in due for rid in rids if message.waiting[rid].due > now]
        if later and not _done(await self._spool.hasten(later, now), report):
            return
        for message, rids in due:
            if rids and self._schedule.register.get(message.mid) is message:
                self._schedule.hasten(message, rids)
                _count(report, len(rids))

    async def _bounce(self, chosen: Chosen, reason: str, report: Report) -> None:
        trouble = Trouble(True, "5.0.0", "000", (reason,) if reason else (), "Message bounced by administrator")
        for message, rids in self._freed(chosen, report):
            self._schedule.ledger.enter(message, 0, [Fate(rid, None, trouble) for rid in rids])
            self._schedule.see_to(message)
        await self._written(report)

    async def _delete(self, chosen: Chosen, who: str, report: Report) -> None:
        for message, rids in self._freed(chosen, report):
            self._schedule.ledger.delete(message, rids, who)
            self._schedule.see_to(message)
        await self._written(report)

    def _freed(self, chosen: Chosen, report: Report) -> list[tuple[Message, list[int]]]:
        """What no connection has, out of every job."""
        found = []
        for message, rids in chosen:
            left = self._left(message, rids, report)
            self._schedule.withdraw(message, left)
            if left:
                found.append((message, left))
                _count(report, len(left))
        return found

    def _left(self, message: Message, rids: Sequence[int], report: Report) -> list[int]:
        """The recipients that are not being delivered; the others are counted."""
        busy = [rid for rid in rids if message.waiting[rid].busy]
        self._count_busy(message, busy, report)
        return [rid for rid in rids if rid not in busy] if busy else list(rids)

    @staticmethod
    def _count_busy(message: Message, busy: Sequence[int], report: Report) -> None:
        report.busy += len(busy)
        report.named += [(message.mid, rid) for rid in busy[: MOST_NAMED - len(report.named)]]

    async def _written(self, report: Report) -> None:
        late = await self._schedule.ledger.written()
        if late:
            report.fault = (
                f"the disk has not taken the fate of {len(late)} messages yet; it is written again every few seconds, "
                "and a restart before that would bring them back"
            )


def _chosen(selection: Selection, messages: Sequence[Message]) -> Chosen:
    return [(message, rids) for message in messages if (rids := selection.chosen(message))]


def _count(report: Report, recipients: int) -> None:
    report.messages += 1
    report.recipients += recipients


def _done(fault: SpoolFault | None, report: Report) -> bool:
    report.fault = "" if fault is None else fault.sentence
    return fault is None
