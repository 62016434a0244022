"""Which notices are due, and making them: what a sender is told, or who answers for mail that has none."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import partial

from sealgate.delivery.body import beginning_of, header_of
from sealgate.delivery.message import Message, Waiting
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.trouble import Trouble
from sealgate.event.facts import BounceGenerated, DelayNoticeGenerated, Event, RelayNoticeGenerated
from sealgate.mail.envelope import Notify, Recipient
from sealgate.mail.notification import About, Issuer, Kind, Reported, write_notice
from sealgate.mail.reply import Reply
from sealgate.store.spool import NewMessage

WHOLE_LIMIT = 1024 * 1024
"""Bytes of a message that is returned whole, for RET=FULL; of a larger one the header comes back."""

NO_SENDER = "it has no sender"
NOT_WANTED = "its sender wants none"

_EVENTS: dict[Kind, Callable[[int, int], Event]] = {
    Kind.FAILED: BounceGenerated,
    Kind.DELAYED: DelayNoticeGenerated,
    Kind.RELAYED: RelayNoticeGenerated,
}


def objection(message: Message, one: Waiting, double_bounces: str | None) -> str:
    """Why nobody is told of a failure; empty if somebody is.

    What has no sender is a notice, or wants to be treated as one: the mailbox for double bounces gets it, and what
    cannot even be delivered there ends. So a notice leads to one other at most.
    """
    if not one.recipient.wants(Notify.FAILURE):
        return NOT_WANTED
    if message.sender is not None:
        return ""
    if double_bounces is None or one.address.lower() == double_bounces.lower():
        return NO_SENDER
    return ""


def failed(one: Waiting, trouble: Trouble) -> Reported:
    """A recipient with its trouble, passing or final."""
    return Reported(
        one.address, trouble.status, trouble.code, trouble.sentence, one.orcpt, said=" ".join(trouble.lines)
    )


def late(message: Message) -> list[Reported]:
    """Every recipient that waits after an attempt and whose sender wants to hear of delays."""
    waiting = message.waiting.values()
    late = [one for one in waiting if one.said and one.recipient.wants(Notify.DELAY)]
    return [Reported(one.address, "4.4.7", "000", one.said, one.orcpt) for one in late]


def relayed(one: Waiting, reply: Reply) -> Reported:
    """A recipient that a server has taken which sends no notices."""
    said = " ".join(reply.lines)
    return Reported(one.address, reply.enhanced, str(reply.code), said, one.orcpt, said=said)


class NoticeWriter:
    """Makes notices under the configuration in force."""

    def __init__(self, tools: CarrierTools, next_mid: Callable[[], int], clock: Callable[[], float]) -> None:
        self._tools = tools
        self._next_mid = next_mid
        self._clock = clock

    async def write(self, kind: Kind, message: Message, reported: Sequence[Reported]) -> tuple[NewMessage, bytes]:
        """A new message with its text; it comes from nobody, so that nothing answers it (RFC 5321 §6.1)."""
        configuration = self._tools.current.revision.configuration
        recipient = message.sender or configuration.delivery.double_bounces or configuration.gateway.postmaster
        issuer = Issuer(configuration.gateway.hostname, configuration.gateway.postmaster)
        now, mid = self._clock(), self._next_mid()
        about = await self._about(kind, message, configuration.delivery.lifetime)
        notice = write_notice(kind, issuer, recipient, mid, _time(now), about, reported)
        self._tools.emit(_EVENTS[kind](mid, message.mid))
        origin = {"notice_for": message.mid}
        size = len(notice.text)
        return NewMessage(mid, None, (Recipient(recipient),), size, now, origin, notice.demands), notice.text

    async def _about(self, kind: Kind, message: Message, lifetime: float) -> About:
        body = partial(self._tools.body, message.mid)
        wanted = message.demands.ret == "FULL" or message.sender is None
        whole = kind is Kind.FAILED and wanted and message.size <= WHOLE_LIMIT
        try:
            text = await beginning_of(body, WHOLE_LIMIT) if whole else await header_of(body)
        except OSError:
            text, whole = b"", False  # the notice goes out without it rather than not at all
        until = _time(message.received_at + lifetime) if kind is Kind.DELAYED else None
        return About(message.mid, _time(message.received_at), message.demands, text, whole, until)


def _time(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
