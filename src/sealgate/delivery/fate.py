"""What becomes of recipients: recorded in the spool, said in events, told to the sender in a notice."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sealgate.config.schema import DeliverySettings
from sealgate.delivery.message import Message
from sealgate.delivery.notice import NoticeWriter, failed, late, objection, relayed
from sealgate.delivery.retry import has_expired, next_attempt
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import Trouble
from sealgate.event.facts import (
    Bounced,
    Delayed,
    Delivered,
    MessageDeleted,
    MessageFinished,
    MessagePending,
    MessageQueued,
    Note,
    NoticeOmitted,
    ResponseGiven,
    SpoolTrouble,
)
from sealgate.mail.envelope import Notify
from sealgate.mail.notification import Kind, Reported
from sealgate.store.spool import NewMessage, Queued, RecipientChange, Spool, SpoolFault

SETTLE_AGAIN = 5.0
"""Seconds until a fate that could not be written is written again; until then a restart would repeat it."""


@dataclass(slots=True)
class _Part:
    """Changes that are written together with one notice."""

    changes: list[RecipientChange]
    reported: list[Reported] = field(default_factory=list)
    delay_told: bool = False


@dataclass(slots=True)
class _Account:
    """What came of some fates: changes of which nobody is told, and those that belong to a notice."""

    quiet: list[RecipientChange] = field(default_factory=list)
    notices: dict[Kind, _Part] = field(default_factory=dict)

    def tell(self, kind: Kind, change: RecipientChange, reported: Reported) -> None:
        """This change is for a notice."""
        part = self.notices.setdefault(kind, _Part([]))
        part.changes.append(change)
        part.reported.append(reported)


class Ledger:
    """Writes fates down. Nothing else changes what the spool says of a message."""

    def __init__(
        self,
        tools: CarrierTools,
        spool: Spool,
        next_mid: Callable[[], int],
        clock: Callable[[], float],
        chance: random.Random,
        add: Callable[[Queued], None],
    ) -> None:
        self._tools = tools
        self._spool = spool
        self._writer = NoticeWriter(tools, next_mid, clock)
        self._clock = clock
        self._chance = chance
        self._add = add
        self._notices: set[asyncio.Task[None]] = set()
        self._coming: set[int] = set()
        self._late: set[int] = set()

    def enter(self, message: Message, dcid: int, fates: Sequence[Fate]) -> None:
        """Record what happened to these recipients; those with a final fate leave `message.waiting`."""
        account = _Account()
        done = [fate for fate in fates if fate.reply is not None]
        if done:
            self._delivered(message, dcid, done, account)
        for trouble, rids in _by_trouble(fates).items():
            self._failed(message, dcid, trouble, rids, account)
        message.notices += len(account.notices)
        for kind, part in account.notices.items():
            self._tell(message, kind, part)
        if account.quiet or not account.notices:
            self._close(message, _Part(account.quiet), None)

    def delete(self, message: Message, rids: Sequence[int], who: str) -> None:
        """An operator wants these recipients gone, and nobody told."""
        self._tools.emit(MessageDeleted(message.mid, tuple(rids), who))
        changes = [RecipientChange.bounced(rid, f"Deleted by {who}") for rid in rids]
        for rid in rids:
            del message.waiting[rid]
        self._close(message, _Part(changes), None)

    async def written(self) -> frozenset[int]:
        """Wait until what has been entered is in the spool; gives the messages of which the disk has not taken it."""
        await self.stop()
        await self._spool.flush()
        return frozenset(self._late)

    def _close(self, message: Message, part: _Part, notice: tuple[NewMessage, bytes] | None) -> None:
        """Write it down; with the last fate, and no notice outstanding, the message is gone."""
        finished = not message.waiting and not message.notices
        self._settle(message.mid, part, finished, notice)
        if finished:
            self._tools.emit(MessageFinished(message.mid))

    def _delivered(self, message: Message, dcid: int, fates: Sequence[Fate], account: _Account) -> None:
        self._tools.emit(Delivered(dcid, message.mid, tuple(fate.rid for fate in fates)))
        for fate in fates:
            assert fate.reply is not None
            said = " ".join(fate.reply.lines)
            self._tools.emit(ResponseGiven(message.mid, fate.rid, said))
            one = message.waiting.pop(fate.rid)
            change = RecipientChange.done(fate.rid, said)
            asked = one.notify is not None and Notify.SUCCESS in one.notify
            if asked and not fate.notifies and message.sender is not None:
                account.tell(Kind.RELAYED, change, relayed(one, fate.reply))  # RFC 3461 §5.2.2
            else:
                account.quiet.append(change)

    def _failed(self, message: Message, dcid: int, trouble: Trouble, rids: Sequence[int], account: _Account) -> None:
        now = self._clock()
        expired = has_expired(now, message.received_at, self._settings.lifetime)
        facts = (dcid, message.mid, tuple(rids), trouble.status, trouble.code, trouble.lines, trouble.reason)
        if trouble.permanent or expired:
            self._tools.emit(Bounced(*facts))
            final = trouble if trouble.permanent else _too_long(trouble, now - message.received_at)
            self._bounce(message, final, rids, account)
        else:
            self._tools.emit(Delayed(*facts))
            self._put_off(message, trouble, rids, account)

    def _bounce(self, message: Message, trouble: Trouble, rids: Sequence[int], account: _Account) -> None:
        omitted: dict[str, list[int]] = {}
        for rid in rids:
            one = message.waiting.pop(rid)
            change = RecipientChange.bounced(rid, trouble.sentence)
            if reason := objection(message, one, self._settings.double_bounces):
                omitted.setdefault(reason, []).append(rid)
                account.quiet.append(change)
            else:
                account.tell(Kind.FAILED, change, failed(one, trouble))
        for reason, untold in omitted.items():
            self._tools.emit(NoticeOmitted(message.mid, tuple(untold), reason))

    def _put_off(self, message: Message, trouble: Trouble, rids: Sequence[int], account: _Account) -> None:
        """The next attempt; while every host is known to be down there is none, and none is counted."""
        now, settings = self._clock(), self._settings
        waiting = [message.waiting[rid] for rid in rids]
        due = trouble.not_before
        if trouble.tried or not due:
            chance = self._chance.random()
            attempts = waiting[0].attempts + 1
            due = max(due, next_attempt(now, attempts, settings.retry_first, settings.retry_max, chance))
        due = min(due, max(now, message.received_at + settings.lifetime))
        for one in waiting:
            one.attempts, one.due, one.said = one.attempts + trouble.tried, due, trouble.sentence
        until = datetime.datetime.fromtimestamp(due, datetime.UTC)
        self._tools.emit(MessagePending(message.mid, tuple(rids), until))
        account.quiet += [RecipientChange.deferred(one.rid, due, one.attempts, one.said) for one in waiting]
        if self._is_late(message, now) and (reported := late(message)):
            message.delay_told = True
            account.notices[Kind.DELAYED] = _Part([], reported, delay_told=True)

    def _is_late(self, message: Message, now: float) -> bool:
        """Whether its sender should hear now that it waits: once, and never who sent it from nobody."""
        after = self._settings.delay_warning
        return bool(
            after and message.sender is not None and not message.delay_told and now - message.received_at >= after
        )

    def _tell(self, message: Message, kind: Kind, part: _Part) -> None:
        task = asyncio.get_running_loop().create_task(self._write_notice(message, kind, part))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    async def _write_notice(self, message: Message, kind: Kind, part: _Part) -> None:
        """The notice enters the spool in the same transaction in which the recipients leave it."""
        try:
            notice = await self._writer.write(kind, message, part.reported)
        except Exception as error:  # no number for it, as a rule: the supervisor's disk is full
            self._late.add(message.mid)
            self._tools.emit(Note("Critical", f"a notice about MID {message.mid} has to be written again: {error}"))
            asyncio.get_running_loop().call_later(SETTLE_AGAIN, self._tell, message, kind, part)
            return
        self._coming.add(notice[0].mid)
        message.notices -= 1
        self._close(message, part, notice)

    def _settle(self, mid: int, part: _Part, finished: bool, notice: tuple[NewMessage, bytes] | None) -> None:
        done = partial(self._settled, mid, part, finished, notice)
        self._spool.settle(mid, part.changes, finished, notice=notice, delay_told=part.delay_told, done=done)

    def _settled(
        self,
        mid: int,
        part: _Part,
        finished: bool,
        notice: tuple[NewMessage, bytes] | None,
        fault: SpoolFault | None,
    ) -> None:
        self._late.discard(mid)
        if fault is not None:
            self._late.add(mid)
            self._tools.emit(SpoolTrouble(fault.sentence))
            loop = asyncio.get_running_loop()
            loop.call_later(SETTLE_AGAIN, self._settle, mid, part, finished, notice)
        elif notice is not None:
            self._tools.emit(MessageQueued(notice[0].mid))
            self._add(notice[0].queued())
            self._coming.discard(notice[0].mid)

    @property
    def coming(self) -> int:
        """Notices on their way into the queue, and fates that must be written again: with any it is not empty."""
        return len(self._notices) + len(self._coming) + len(self._late)

    @property
    def _settings(self) -> DeliverySettings:
        return self._tools.current.revision.configuration.delivery

    async def stop(self) -> None:
        """Wait for the notices being written."""
        if self._notices:
            await asyncio.gather(*self._notices, return_exceptions=True)


def _by_trouble(fates: Sequence[Fate]) -> dict[Trouble, list[int]]:
    groups: dict[Trouble, list[int]] = {}
    for fate in fates:
        if fate.trouble is not None:
            groups.setdefault(fate.trouble, []).append(fate.rid)
    return groups


def _too_long(trouble: Trouble, waited: float) -> Trouble:
    days = waited / 86400
    reason = f"The message could not be delivered for {days:.1f} days; the last attempt ended with: {trouble.reason}"
    status = "5.4.7" if not trouble.tls else "5.7.5"
    return Trouble(True, status, trouble.code, trouble.lines, reason, trouble.tls)
