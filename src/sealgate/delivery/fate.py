"""What becomes of recipients: recorded in the spool, said in events, told to the sender in a notice."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Callable, Sequence
from functools import partial

from sealgate.delivery.message import Message, Waiting
from sealgate.delivery.retry import has_expired, next_attempt
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.transaction import Fate
from sealgate.delivery.trouble import Trouble
from sealgate.event.facts import (
    Bounced,
    BounceGenerated,
    Delayed,
    Delivered,
    MessageFinished,
    MessagePending,
    MessageQueued,
    Note,
    ResponseGiven,
    SpoolTrouble,
)
from sealgate.mail.envelope import Recipient
from sealgate.mail.notification import FailedRecipient, failure_notice
from sealgate.store.spool import NewMessage, Queued, RecipientChange, Spool, SpoolFault

SETTLE_AGAIN = 5.0
"""Seconds until a fate that could not be written is written again; until then a restart would repeat it."""

HEADERS_IN_NOTICE = 65536
"""Bytes of the original message that are searched for its header, which a notice returns (RFC 3462)."""


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
        self._next_mid = next_mid
        self._clock = clock
        self._chance = chance
        self._add = add
        self._notices: set[asyncio.Task[None]] = set()

    def enter(self, message: Message, dcid: int, fates: Sequence[Fate]) -> None:
        """Record what happened to these recipients; those with a final fate leave `message.waiting`."""
        changes: list[RecipientChange] = []
        done = [fate for fate in fates if fate.reply is not None]
        if done:
            changes += self._delivered(message, dcid, done)
        returned: list[tuple[Waiting, Trouble]] = []
        for trouble, rids in _by_trouble(fates).items():
            changes += self._failed(message, dcid, trouble, rids, returned)
        if returned and message.sender is not None:
            message.notices += 1
            self._return(message, returned, changes)
            return
        if returned:
            text = f"MID {message.mid} could not be delivered and has no sender to tell"
            self._tools.emit(Note("Warning", text))
        self._close(message, changes, None)

    def _close(self, message: Message, changes: list[RecipientChange], notice: tuple[NewMessage, bytes] | None) -> None:
        """Write it down; with the last fate, and no notice outstanding, the message is gone."""
        finished = not message.waiting and not message.notices
        self._settle(message.mid, changes, finished, notice)
        if finished:
            self._tools.emit(MessageFinished(message.mid))

    def _delivered(self, message: Message, dcid: int, fates: Sequence[Fate]) -> list[RecipientChange]:
        rids = tuple(fate.rid for fate in fates)
        self._tools.emit(Delivered(dcid, message.mid, rids))
        for fate in fates:
            assert fate.reply is not None
            self._tools.emit(ResponseGiven(message.mid, fate.rid, _said(fate)))
            del message.waiting[fate.rid]
        return [RecipientChange.done(fate.rid, _said(fate)) for fate in fates]

    def _failed(
        self,
        message: Message,
        dcid: int,
        trouble: Trouble,
        rids: Sequence[int],
        returned: list[tuple[Waiting, Trouble]],
    ) -> list[RecipientChange]:
        now = self._clock()
        settings = self._tools.current.revision.configuration.delivery
        expired = has_expired(now, message.received_at, settings.lifetime)
        facts = (dcid, message.mid, tuple(rids), trouble.status, trouble.code, trouble.lines, trouble.reason)
        if trouble.permanent or expired:
            self._tools.emit(Bounced(*facts))
            final = trouble if trouble.permanent else _too_long(trouble, now - message.received_at)
            returned += [(message.waiting.pop(rid), final) for rid in rids]
            return [RecipientChange.bounced(rid, final.sentence) for rid in rids]
        self._tools.emit(Delayed(*facts))
        waiting = [message.waiting[rid] for rid in rids]
        due = next_attempt(
            now, waiting[0].attempts + 1, settings.retry_first, settings.retry_max, self._chance.random()
        )
        due = min(due, max(now, message.received_at + settings.lifetime))
        for one in waiting:
            one.attempts, one.due, one.said = one.attempts + 1, due, trouble.sentence
        until = datetime.datetime.fromtimestamp(due, datetime.UTC)
        self._tools.emit(MessagePending(message.mid, tuple(rids), until))
        return [RecipientChange.deferred(one.rid, due, one.attempts, one.said) for one in waiting]

    def _return(
        self,
        message: Message,
        returned: list[tuple[Waiting, Trouble]],
        changes: list[RecipientChange],
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._write_notice(message, returned, changes))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    async def _write_notice(
        self,
        message: Message,
        returned: list[tuple[Waiting, Trouble]],
        changes: list[RecipientChange],
    ) -> None:
        """The notice enters the spool in the same transaction in which the recipient leaves it."""
        assert message.sender is not None
        now = self._clock()
        gateway = self._tools.current.revision.configuration.gateway
        mid = self._next_mid()
        text = failure_notice(
            reporting_mta=gateway.hostname,
            postmaster=gateway.postmaster,
            recipient=message.sender,
            mid=mid,
            original_mid=message.mid,
            received_at=datetime.datetime.fromtimestamp(message.received_at, datetime.UTC),
            now=datetime.datetime.fromtimestamp(now, datetime.UTC),
            failures=[
                FailedRecipient(one.address, trouble.status, trouble.code, trouble.sentence)
                for one, trouble in returned
            ],
            original_head=await self._head(message.mid),
        )
        notice = NewMessage(
            mid=mid,
            sender=None,
            recipients=(Recipient(message.sender),),
            size=len(text),
            received_at=now,
            origin={"notice_for": message.mid},
        )
        self._tools.emit(BounceGenerated(mid, message.mid))
        message.notices -= 1
        self._close(message, changes, (notice, text))

    async def _head(self, mid: int) -> bytes:
        head = b""
        try:
            async for chunk in self._tools.body(mid):
                head += chunk
                if len(head) >= HEADERS_IN_NOTICE or b"\r\n\r\n" in head:
                    break
        except OSError:
            return b""  # the notice goes out without the header rather than not at all
        return head.partition(b"\r\n\r\n")[0] + b"\r\n"

    def _settle(
        self,
        mid: int,
        changes: list[RecipientChange],
        finished: bool,
        notice: tuple[NewMessage, bytes] | None,
    ) -> None:
        done = partial(self._settled, mid, changes, finished, notice)
        self._spool.settle(mid, changes, finished, notice=notice, done=done)

    def _settled(
        self,
        mid: int,
        changes: list[RecipientChange],
        finished: bool,
        notice: tuple[NewMessage, bytes] | None,
        fault: SpoolFault | None,
    ) -> None:
        if fault is not None:
            self._tools.emit(SpoolTrouble(fault.sentence))
            loop = asyncio.get_running_loop()
            loop.call_later(SETTLE_AGAIN, self._settle, mid, changes, finished, notice)
        elif notice is not None:
            self._tools.emit(MessageQueued(notice[0].mid))
            self._add(notice[0].queued())

    async def stop(self) -> None:
        """Wait for the notices being written."""
        if self._notices:
            await asyncio.gather(*self._notices, return_exceptions=True)


def _said(fate: Fate) -> str:
    assert fate.reply is not None
    return " ".join(fate.reply.lines)


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
