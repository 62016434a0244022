"""What an operator sees of the queue of one worker: lists, counts, destinations, in values that JSON knows.

Every answer is bounded, whatever the queue holds: who wants more asks again behind what he has seen.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sealgate.delivery.message import Message, Waiting
from sealgate.delivery.schedule import Schedule
from sealgate.delivery.selection import Selection, state_of

MOST_MESSAGES = 500
"""Messages of one page."""

MOST_LISTED = 2000
"""Recipients of one page; the message that goes beyond is its last."""

MOST_RECIPIENTS = 20
"""Recipients listed of one message; the others are counted."""

MOST_DESTINATIONS = 5000
"""Destinations of one answer, those with the most recipients."""

LONGEST_WORDS = 300
"""Characters of what the last attempt said."""


async def page(schedule: Schedule, selection: Selection, after: int, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The first messages behind the MID `after` that are selected, and whether there may be more."""
    limit = min(limit, MOST_MESSAGES)
    found: list[dict[str, Any]] = []
    listed = 0
    async for messages in schedule.register.walk(after):
        for message in messages:
            if rids := selection.chosen(message):
                found.append(_shown(message, rids))
                listed += len(found[-1]["recipients"])
                if len(found) >= limit or listed >= MOST_LISTED:
                    return found, True
    return found, False


def _shown(message: Message, rids: list[int]) -> dict[str, Any]:
    return {
        "mid": message.mid,
        "sender": message.sender,
        "size": message.size,
        "received_at": message.received_at,
        "held": message.held,
        "recipients": [recipient(message, message.waiting[rid]) for rid in rids[:MOST_RECIPIENTS]],
        "more": max(0, len(rids) - MOST_RECIPIENTS),
    }


def recipient(message: Message, one: Waiting) -> dict[str, Any]:
    """A recipient that waits."""
    return {
        "rid": one.rid,
        "address": one.address,
        "state": state_of(message, one),
        "busy": one.busy,
        "attempts": one.attempts,
        "due": one.due,
        "said": _shortened(one.said),
    }


def _shortened(said: str) -> str:
    """A character that is not ASCII is up to twelve bytes of JSON, and an answer must fit in a frame."""
    return said[: LONGEST_WORDS if said.isascii() else LONGEST_WORDS // 4]


async def count(schedule: Schedule, selection: Selection) -> dict[str, int]:
    """How many messages, recipients and bytes are selected."""
    messages, recipients, size = 0, 0, 0
    async for some in schedule.register.walk():
        for message in some:
            if rids := selection.chosen(message):
                messages, recipients, size = messages + 1, recipients + len(rids), size + message.size
    return {"messages": messages, "recipients": recipients, "bytes": size}


@dataclass(slots=True)
class Outlook:
    """One destination as it stands: recipients by state, what comes next, and the words of the latest trouble."""

    domain: str
    messages: int = 0
    recipients: int = 0
    queued: int = 0
    deferred: int = 0
    held: int = 0
    connections: int = 0
    next_attempt: float | None = None
    said: str = ""
    attempts: int = field(default=0)

    def add(self, message: Message, one: Waiting) -> None:
        """One more recipient."""
        state = state_of(message, one)
        self.recipients += 1
        setattr(self, state, getattr(self, state) + 1)
        if one.said and one.attempts >= self.attempts:
            self.said, self.attempts = _shortened(one.said), one.attempts
        if state == "deferred" and (self.next_attempt is None or one.due < self.next_attempt):
            self.next_attempt = one.due

    def to_body(self) -> dict[str, Any]:
        """As it travels on a channel."""
        return {name: getattr(self, name) for name in self.__slots__}


async def destinations(schedule: Schedule, wanted: Callable[[str], bool]) -> list[dict[str, Any]]:
    """The destinations that something waits for or is connected to, those with the most recipients first."""
    found = {name: Outlook(name, connections=number) for name, number in schedule.connections.items() if wanted(name)}
    async for messages in schedule.register.walk():
        for message in messages:
            _enter(found, message, wanted)
    return await asyncio.to_thread(_largest, found.values())  # as many as there are domains: the loop goes on


def _largest(found: Iterable[Outlook]) -> list[dict[str, Any]]:
    largest = heapq.nlargest(MOST_DESTINATIONS, found, key=lambda one: (one.recipients, one.connections))
    return [one.to_body() for one in largest]


def _enter(found: dict[str, Outlook], message: Message, wanted: Callable[[str], bool]) -> None:
    met: set[str] = set()
    for one in message.waiting.values():
        domain = one.domain
        if not wanted(domain):
            continue
        outlook = found.get(domain)
        if outlook is None:
            outlook = found[domain] = Outlook(domain)
        outlook.add(message, one)
        if domain not in met:
            met.add(domain)
            outlook.messages += 1
