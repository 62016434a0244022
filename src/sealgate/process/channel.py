"""The channel: requests, answers and descriptors between the supervisor and one child.

Both ends are alike. A message is one of
    [op, body, id]   a request, answered exactly once, in any order
    [op, body]       a notice, never answered
    [id, body]       the answer
    [id, sentence]   the refusal
What is sent in one turn of the event loop leaves in one write. An end that talks nonsense, does not read,
or asks more than it lets be answered is cut off, so that it can never harm the process at the other end.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sealgate.process.frame import MOST_DESCRIPTORS, FrameError, FrameReader, encode

Body = dict[str, Any]
Answer = Body | None | Awaitable[Body | None]
Handler = Callable[[str, Body, list[int]], Answer]

MOST_WAITING = 64 * 1024 * 1024  # bytes written here and not read by the other end
MOST_HANDLED = 4096  # requests of the other end that are being handled
_READ = 64 * 1024
_CLOSE_ON_EXEC, _CUT_SHORT = int(socket.MSG_CMSG_CLOEXEC), int(socket.MSG_CTRUNC)  # enums are slow
_DESCRIPTOR_SPACE = socket.CMSG_SPACE((MOST_DESCRIPTORS + 3) * array.array("i").itemsize)


class ChannelError(Exception):
    """The other end refused; the text is its sentence. A handler raises it to refuse."""


class ChannelClosed(ChannelError):
    """The channel has ended, so no answer will come; whether the request was carried out is unknown."""


class Channel:
    """One end of a connected AF_UNIX stream socket, on the running event loop; it owns the socket.

    `handler(op, body, fds)` serves the requests and notices of the other end. It may be sync or async; it
    returns the answer's body, or raises ChannelError with a sentence. It owns the descriptors it is given.
    `closed()` is called once, whatever ended the channel; `fault` then says why, and `cut` whether it is this
    end that has had enough of the other.
    `descriptors=False` makes it nonsense for the other end to send any.
    """

    def __init__(
        self, sock: socket.socket, handler: Handler, closed: Callable[[], None], *, descriptors: bool = True
    ) -> None:
        sock.setblocking(False)
        self.fault: str | None = None
        self.cut = False
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._handler = handler
        self._closed = closed
        self._space = _DESCRIPTOR_SPACE if descriptors else 0
        self._reader = FrameReader()
        self._arrived: deque[int] = deque()
        self._outgoing: deque[_Parcel] = deque()
        self._unsent = 0
        self._flushing = False  # a flush is scheduled
        self._blocked = False  # the socket is full
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Body]] = {}
        self._handling: set[asyncio.Future[Body | None]] = set()
        self._loop.add_reader(sock, self._readable)

    @property
    def open(self) -> bool:
        """Whether requests can still be made."""
        return self.fault is None

    async def request(
        self, op: str, body: Body | None = None, fds: Sequence[int] = (), timeout: float | None = 30.0
    ) -> Body:
        """Ask, and wait `timeout` seconds for the answer. Raises ChannelError, ChannelClosed, TimeoutError.

        The descriptors are duplicated at once: the caller keeps its own.
        """
        answer = self.call(op, body, fds)
        number = self._number
        answer.add_done_callback(lambda _: self._waiting.pop(number, None))
        async with asyncio.timeout(timeout):
            return await answer

    def call(self, op: str, body: Body | None = None, fds: Sequence[int] = ()) -> asyncio.Future[Body]:
        """Ask without waiting. The future gets the answer, ChannelError or ChannelClosed."""
        answer: asyncio.Future[Body] = self._loop.create_future()
        if self.fault is not None:
            answer.set_exception(ChannelClosed(self.fault))
            return answer
        self._number += 1
        try:
            self._send([op, body or {}, self._number], fds)
            self._waiting[self._number] = answer
        except (FrameError, OSError) as error:
            answer.set_exception(ChannelError(f"cannot ask {op!r}: {error}"))
        return answer

    def notify(self, op: str, body: Body | None = None) -> None:
        """Say something that is not answered. On a closed channel it goes nowhere. Raises ChannelError."""
        try:
            self._send([op, body or {}])
        except FrameError as error:
            raise ChannelError(f"cannot say {op!r}: {error}") from error

    def close(self, fault: str = "this end has closed the channel") -> None:
        """End the channel: what waits to be sent is tried once, what waits for an answer is told."""
        if self.fault is None:
            self._flush()
        self._end(fault)

    def _cut(self, fault: str) -> None:
        if self.fault is None:
            self.cut = True
            self._end(fault)

    def _end(self, fault: str) -> None:
        if self.fault is not None:
            return
        self.fault = fault
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        with contextlib.suppress(OSError):  # closing alone would not end a poll() of the same socket
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        close_all(self._arrived)
        for parcel in self._outgoing:
            close_all(parcel.fds)
        self._outgoing.clear()
        for answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(ChannelClosed(fault))
        self._loop.call_soon(self._closed)

    # Sending.

    def _send(self, message: Any, fds: Sequence[int] = ()) -> None:
        if self.fault is not None:
            return
        frame = encode(message, len(fds))
        if fds or not self._outgoing:
            self._outgoing.append(_Parcel(bytearray(frame), [os.dup(fd) for fd in fds]))
        else:
            self._outgoing[-1].data += frame
        self._unsent += len(frame)
        if self._unsent > MOST_WAITING:
            self._loop.call_soon(self._cut, "the other end does not read what it is sent")
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        while self._outgoing and self.fault is None:
            parcel = self._outgoing[0]
            try:
                self._unsent -= parcel.send(self._socket)
            except (BlockingIOError, InterruptedError):
                self._blocked = True
                self._loop.add_writer(self._socket, self._flush)
                return
            except OSError as error:
                self._end(f"the other end has gone: {error.strerror}")
                return
            if not parcel.data:
                self._outgoing.popleft()
        if self._blocked and self.fault is None:
            self._blocked = False
            self._loop.remove_writer(self._socket)
        self._flushing = False

    # Receiving.

    def _readable(self) -> None:
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(_READ, self._space, _CLOSE_ON_EXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(f"the other end has gone: {error.strerror}")
            return
        for _level, _kind, packed in ancillary:
            self._arrived.extend(array.array("i", packed[: len(packed) - len(packed) % 4]))
        if not data:
            self._end("the other end has closed the channel")
            return
        try:
            if flags & _CUT_SHORT:
                raise FrameError("descriptors that were not asked for")
            for message, descriptors in self._reader.feed(data):
                self._receive(message, self._take(descriptors))
        except FrameError as error:
            self._cut(f"the other end sent {error}")

    def _take(self, count: int) -> list[int]:
        if not count:
            return []
        if count > len(self._arrived):
            raise FrameError("a message whose descriptors are missing")
        return [self._arrived.popleft() for _ in range(count)]

    def _receive(self, message: Any, fds: list[int]) -> None:
        match message:
            case [str(op), dict(body)]:
                self._handle(op, body, fds, None)
            case [str(op), dict(body), int(number)]:
                self._handle(op, body, fds, number)
            case [int(number), dict() | str() as result]:
                close_all(fds)
                self._answered(number, result)
            case _:
                close_all(fds)
                raise FrameError("a message of no known form")

    def _answered(self, number: int, result: Body | str) -> None:
        answer = self._waiting.pop(number, None)
        if answer is None or answer.done():  # nobody waits any more
            return
        if isinstance(result, str):
            answer.set_exception(ChannelError(result))
        else:
            answer.set_result(result)

    # Handling what the other end asks.

    def _handle(self, op: str, body: Body, fds: list[int], number: int | None) -> None:
        if self.fault is not None:
            close_all(fds)
            return
        try:
            result = self._handler(op, body, fds)
        except Exception as error:
            self._refuse(op, number, error)
            return
        if result is None or isinstance(result, dict):
            self._answer(op, number, result)
            return
        if len(self._handling) >= MOST_HANDLED:
            self._loop.call_soon(self._cut, f"the other end asks more than {MOST_HANDLED} things at once")
        task = asyncio.ensure_future(result)
        self._handling.add(task)
        task.add_done_callback(lambda done: self._handled(op, number, done))

    def _handled(self, op: str, number: int | None, task: asyncio.Future[Body | None]) -> None:
        self._handling.discard(task)
        if task.cancelled():
            self._refuse(op, number, ChannelError(f"{op} was given up"))
        elif error := task.exception():
            self._refuse(op, number, error)
        else:
            self._answer(op, number, task.result())

    def _answer(self, op: str, number: int | None, body: Body | None) -> None:
        if number is None:
            return
        try:
            self._send([number, body or {}])
        except FrameError as error:
            self._send([number, f"cannot answer {op!r}: {error}"])

    def _refuse(self, op: str, number: int | None, error: BaseException) -> None:
        if not isinstance(error, ChannelError):  # a fault of ours: the other end and the log must know
            context = {"message": f"{op!r} of the other end failed", "exception": error}
            self._loop.call_exception_handler(context)
            error = ChannelError(f"{op} failed: {type(error).__name__}: {error}")
        if number is not None:
            self._send([number, str(error)])


class _Parcel:
    """Bytes that leave together, with the descriptors that ride on the first of them."""

    __slots__ = ("data", "fds")

    def __init__(self, data: bytearray, fds: list[int]) -> None:
        self.data = data
        self.fds = fds

    def send(self, sock: socket.socket) -> int:
        """Send what the socket takes; the number of bytes that have left."""
        if self.fds:
            sent = socket.send_fds(sock, [self.data], self.fds)
            close_all(self.fds)
        else:
            sent = sock.send(self.data)
        del self.data[:sent]
        return sent


def close_all(fds: list[int] | deque[int]) -> None:
    """Close these descriptors, and empty the list."""
    while fds:
        os.close(fds.pop())
