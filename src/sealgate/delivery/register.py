"""The messages of one worker's queue in the order of their MIDs, to be walked through without holding up the loop."""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator

from sealgate.delivery.message import Message

PIECE = 2000
"""Messages and recipients that are looked at in one turn of the event loop: a few milliseconds."""


class Register:
    """Messages by MID. Those that leave while somebody walks are passed over; those that come behind are met."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._messages)

    def get(self, mid: int) -> Message | None:
        """The message, if it is in the queue."""
        return self._messages.get(mid)

    def add(self, message: Message) -> None:
        """A message has come; MIDs mostly grow."""
        place = bisect_left(self._order, message.mid)
        if place == len(self._order) or self._order[place] != message.mid:
            self._order.insert(place, message.mid)
        self._messages[message.mid] = message

    def remove(self, mid: int) -> None:
        """It has left; its place in the order is given up when there are many such."""
        if self._messages.pop(mid, None) is not None and len(self._order) > 2 * len(self._messages) + 1000:
            self._order = [each for each in self._order if each in self._messages]

    def after(self, mid: int, most: int) -> list[Message]:
        """The messages behind `mid`, until they and their recipients are `most`; empty at the end."""
        found: list[Message] = []
        weight = 0
        for index in range(bisect_right(self._order, mid), len(self._order)):
            message = self._messages.get(self._order[index])
            if message is not None:
                found.append(message)
                weight += 1 + len(message.waiting)
                if weight >= most:
                    break
        return found

    async def walk(self, start: int = 0, piece: int = PIECE) -> AsyncIterator[list[Message]]:
        """Everything behind the MID `start`, piece by piece, with a turn of the loop between two."""
        while found := self.after(start, piece):
            yield found
            start = found[-1].mid
            await asyncio.sleep(0)
