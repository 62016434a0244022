"""A child's side of its life: it takes over its configuration and sockets, serves, and ends in time.

connect(fd) brings its name, its configuration and its sockets; while it makes itself ready of them, what the
supervisor asks waits; then Connection.serve(child) answers, until the supervisor has said stop or is gone.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sealgate.process.channel import Body, Channel, ChannelClosed, ChannelError
from sealgate.process.endpoint import Endpoint, Listening

LAST_SECONDS = 5.0  # what a child is given to end by itself once the supervisor is gone


class Child(Protocol):
    """What the supervisor asks of a child. A ChannelError's sentence reaches the operator."""

    async def prepare(self, payload: Body, listening: Sequence[Listening]) -> None:
        """Make everything for this configuration, change nothing. Sockets kept are the same objects."""

    async def swap(self) -> None:
        """Put the prepared one in force. Sockets it does not name are closed when this returns."""

    async def abandon(self) -> None:
        """Forget what was prepared, if anything was. Its new sockets are closed when this returns."""

    async def retired(self, child: str) -> None:
        """That worker has ended for good: what it owned is to be taken over. Only worker-1 is told."""

    async def stop(self) -> None:
        """Take nothing new, finish what is open; the supervisor kills whoever takes too long."""

    def reopen(self) -> None:
        """Open the log files anew."""

    async def ask(self, op: str, body: Body, fds: list[int]) -> Body:
        """Any other request, coming from control; the descriptors are this object's to close."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a child begins with."""

    child: str  # its name: "control", "worker-1", …
    payload: Body
    listening: tuple[Listening, ...]
    crew: tuple[str, ...]  # the children there are, those included that are still ending


class Connection:
    """The child's end of the channel. `connect` makes it."""

    channel: Channel
    start: Start

    def __init__(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        self._started: asyncio.Future[Start] = loop.create_future()
        self._child: asyncio.Future[Child] = loop.create_future()
        self._over = asyncio.Event()
        self._stopped = False
        self._current: tuple[Listening, ...] = ()
        self._prepared: tuple[Listening, ...] | None = None
        self.channel = Channel(socket.socket(fileno=fd), self._handle, self._closed)

    async def serve(self, child: Child) -> None:
        """Say ready and serve; returns after stop, raises ChannelClosed when the supervisor is gone."""
        self._child.set_result(child)
        self.channel.notify("ready")
        await self._over.wait()
        if not self._stopped:
            raise ChannelClosed(f"the supervisor is gone: {self.channel.fault}")
        self.channel.close()

    async def hello(self) -> None:
        """Tell the supervisor that this process has come up, and wait for what to begin with."""
        self.channel.notify("hello")
        self.start = await self._started

    def _closed(self) -> None:
        self._over.set()
        if not self._started.done():
            self._started.set_exception(ChannelClosed(f"the supervisor is gone: {self.channel.fault}"))

    def _handle(self, op: str, body: Body, fds: list[int]) -> asyncio.Future[Body | None] | None:
        if op == "ping":
            self.channel.notify("pong")
            return None
        if op == "start":
            self._current = self._listening(body, fds)
            start = Start(body["child"], body["payload"], self._current, tuple(body["crew"]))
            self._started.set_result(start)
            return None
        return asyncio.ensure_future(self._dispatch(op, body, fds))

    async def _dispatch(self, op: str, body: Body, fds: list[int]) -> Body | None:
        child = await asyncio.shield(self._child)
        match op:
            case "prepare":
                self._prepared = self._listening(body, fds)
                await child.prepare(body["payload"], self._prepared)
            case "swap":
                await self._swap(child)
            case "abandon":
                await self._abandon(child)
            case "retired":
                await child.retired(body["child"])
            case "stop":
                await self._stop(child)
            case "reopen":
                child.reopen()
            case "ask":
                return await child.ask(body["op"], body["body"], fds)
            case _:
                raise ChannelError(f"a child does not know {op!r}")
        return None

    async def _swap(self, child: Child) -> None:
        if self._prepared is None:
            raise ChannelError("nothing has been prepared")
        await child.swap()
        before, self._current, self._prepared = self._current, self._prepared, None
        _close_but(before, self._current)

    async def _abandon(self, child: Child) -> None:
        await child.abandon()
        _close_but(self._prepared or (), self._current)
        self._prepared = None

    async def _stop(self, child: Child) -> None:
        try:
            await child.stop()
        finally:
            self._stopped = True
            # In the next turn, so that the answer is on its way first.
            asyncio.get_running_loop().call_soon(self._over.set)

    def _listening(self, body: Body, fds: list[int]) -> tuple[Listening, ...]:
        """The sockets of a configuration; one that this child has already stays the object it is."""
        known = {listening.endpoint.place: listening.socket for listening in self._current}
        return tuple(
            Listening(endpoint, _adopt(fd, known.get(endpoint.place)))
            for endpoint, fd in zip((Endpoint(**each) for each in body["listeners"]), fds, strict=True)
        )


def _adopt(fd: int, known: socket.socket | None) -> socket.socket:
    if known is None:
        sock = socket.socket(fileno=fd)
        sock.setblocking(False)
        return sock
    os.close(fd)
    return known


def _close_but(sockets: Sequence[Listening], kept: Sequence[Listening]) -> None:
    still = {listening.endpoint.place for listening in kept}
    for listening in sockets:
        if listening.endpoint.place not in still:
            listening.socket.close()


async def connect(fd: int) -> Connection:
    """Take the channel on descriptor `fd` and learn what to begin with. Raises ChannelClosed.

    From here on only the supervisor ends this process: the signals that a terminal or a service manager
    sends to the whole group are its affair, and its own end is, without fail, this process's end.
    """
    endings = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    for each in endings:
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, endings)  # blocked by the supervisor until now
    threading.Thread(target=_end_with_the_supervisor, args=(fd,), daemon=True).start()
    connection = Connection(fd)
    await connection.hello()
    return connection


def _end_with_the_supervisor(fd: int) -> None:
    """In a thread, so that an event loop that hangs cannot keep the process alive, and its spool locked."""
    poll = select.poll()
    poll.register(fd, 0)  # POLLHUP is always reported
    poll.poll()
    time.sleep(LAST_SECONDS)
    os._exit(1)
