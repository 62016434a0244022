"""The session's connection to control. It is made anew when control was restarted, and the operator is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sealgate.cli.client import NotRunning, Refused, connect
from sealgate.cli.dialogue.talk import ASKING, Answer
from sealgate.cli.door import Door
from sealgate.process.channel import Channel, ChannelClosed, ChannelError

PATIENCE = 120.0
"""Seconds for one answer."""

SLOW = "queue-act"
"""What may take as long as it takes: a whole queue is gone through, and every step kept."""

LOST = (
    "the connection was lost meanwhile, so it is not known whether this was carried out: see showchanges, "
    "commitdetail and status"
)

AGAIN = 0.1
RETURN = 30.0
"""Seconds in which control has to be back after a restart."""


class Connection:
    """Requests to the gateway of one home, over one channel as long as it lasts."""

    def __init__(self, door: Door, tell: Callable[[str], None]) -> None:
        self._door = door
        self._tell = tell
        self._channel: Channel | None = None

    async def open(self) -> None:
        """Connect; `NotRunning` or `Refused` if that is not possible."""
        self._channel = await connect(self._door)

    def close(self) -> None:
        """The end of the session."""
        if self._channel is not None:
            self._channel.close()

    async def request(self, op: str, body: Answer) -> Answer:
        """One answer; `Refused` carries a sentence. What changes nothing is asked again over a new connection."""
        await self._revive()
        try:
            return await self._ask(op, body)
        except ChannelClosed as error:
            await self._return()
            if op not in ASKING:
                raise Refused(LOST) from error
        try:
            return await self._ask(op, body)
        except ChannelClosed as error:
            raise Refused(LOST) from error

    async def _ask(self, op: str, body: Answer) -> Answer:
        assert self._channel is not None
        try:
            return await self._channel.request(op, body, timeout=None if op == SLOW else PATIENCE)
        except ChannelClosed:
            raise
        except ChannelError as error:
            raise Refused(str(error)) from error
        except TimeoutError as error:
            raise Refused(f"the gateway did not answer within {PATIENCE:g} seconds") from error

    async def _revive(self) -> None:
        """Replace a channel that ended while nobody looked."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the end of a socket is seen in one turn of the loop
        if self._channel is None or not self._channel.open:
            await self._return()

    async def _return(self) -> None:
        """Wait until control is back."""
        loop = asyncio.get_running_loop()
        end = loop.time() + RETURN
        while True:
            try:
                self._channel = await connect(self._door)
            except NotRunning as error:
                if loop.time() > end:
                    raise Refused(str(error)) from error
                await asyncio.sleep(AGAIN)
            else:
                self._tell("The connection to the gateway was lost, and is there again.\n")
                return
