from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sealgate.process import channel as channels
from sealgate.process.channel import Answer, Body, Channel, ChannelClosed, ChannelError
from sealgate.process.frame import HEAD, LARGEST_FRAME, MOST_DESCRIPTORS


def echo(op: str, body: Body, fds: list[int]) -> Answer:
    return {"op": op, **body}


class End:
    """One end of a channel, and when it has closed."""

    def __init__(self, sock: socket.socket, handler: channels.Handler = echo, **options: Any) -> None:
        self.closed = asyncio.Event()
        self.times_closed = 0
        self.channel = Channel(sock, handler, self._closed, **options)

    def _closed(self) -> None:
        self.times_closed += 1
        self.closed.set()


@asynccontextmanager
async def pair(handler: channels.Handler = echo, **options: Any) -> AsyncIterator[tuple[End, End]]:
    """Two ends: the first asks, the second has the handler."""
    left, right = socket.socketpair()
    asking, serving = End(left), End(right, handler, **options)
    yield asking, serving
    for end in (asking, serving):
        end.channel.close()
        async with asyncio.timeout(5):
            await end.closed.wait()
        assert end.times_closed == 1


async def test_a_request_is_answered() -> None:
    async with pair() as (asking, _):
        assert await asking.channel.request("hi", {"n": 1}) == {"op": "hi", "n": 1}


async def test_both_ends_may_ask() -> None:
    async with pair() as (left, right):
        one, two = await asyncio.gather(left.channel.request("a"), right.channel.request("b"))
        assert (one, two) == ({"op": "a"}, {"op": "b"})


async def test_answers_find_their_requests_in_any_order() -> None:
    gates: dict[str, asyncio.Event] = {}

    async def later(op: str, body: Body, fds: list[int]) -> Body:
        gates[op] = asyncio.Event()
        await gates[op].wait()
        return {"op": op}

    async with pair(later) as (asking, _):
        requests = [asyncio.create_task(asking.channel.request(op)) for op in "abc"]
        while len(gates) < 3:
            await asyncio.sleep(0)
        for op, request in zip("cba", reversed(requests), strict=True):
            gates[op].set()
            assert await request == {"op": op}


async def test_what_one_turn_sends_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    send = channels._Parcel.send

    def count(parcel: channels._Parcel, sock: socket.socket) -> int:
        writes.append(len(parcel.data))
        return send(parcel, sock)

    monkeypatch.setattr(channels._Parcel, "send", count)
    heard: list[str] = []
    async with pair(lambda op, body, fds: heard.append(op)) as (asking, _):
        for number in range(100):
            asking.channel.notify(f"n{number}")
        while len(heard) < 100:
            await asyncio.sleep(0)
        assert heard == [f"n{number}" for number in range(100)]
        assert len(writes) == 1


async def test_a_refusal_carries_its_sentence() -> None:
    def refuse(op: str, body: Body, fds: list[int]) -> Answer:
        raise ChannelError("there is no more")

    async with pair(refuse) as (asking, _):
        with pytest.raises(ChannelError, match=r"^there is no more$"):
            await asking.channel.request("more")


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_fault_of_the_handler_is_told_and_logged(is_async: bool) -> None:
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))

    def fail(op: str, body: Body, fds: list[int]) -> Answer:
        raise ZeroDivisionError("oh")

    async def fail_later(op: str, body: Body, fds: list[int]) -> Body:
        raise ZeroDivisionError("oh")

    async with pair(fail_later if is_async else fail) as (asking, _):
        with pytest.raises(ChannelError, match="divide failed: ZeroDivisionError: oh"):
            await asking.channel.request("divide")
        with pytest.raises(ChannelError):  # and it goes on
            await asking.channel.request("again")
    assert [type(each["exception"]) for each in logged] == [ZeroDivisionError] * 2


async def test_a_request_without_an_answer_times_out_and_the_late_answer_is_dropped() -> None:
    gate = asyncio.Event()

    async def later(op: str, body: Body, fds: list[int]) -> Body:
        if op == "slow":
            await gate.wait()
        return {}

    async with pair(later) as (asking, _):
        with pytest.raises(TimeoutError):
            await asking.channel.request("slow", timeout=0.01)
        gate.set()
        assert await asking.channel.request("quick") == {}
        assert not asking.channel._waiting


async def test_the_end_of_the_other_side_is_told_to_all_who_wait() -> None:
    async def never(op: str, body: Body, fds: list[int]) -> Body:
        await asyncio.get_running_loop().create_future()
        return {}

    async with pair(never) as (asking, serving):
        waiting = [asyncio.create_task(asking.channel.request("x")) for _ in range(3)]
        while len(serving.channel._handling) < 3:
            await asyncio.sleep(0)
        serving.channel.close()
        for each in waiting:
            with pytest.raises(ChannelClosed, match="the other end has closed the channel"):
                await each
        with pytest.raises(ChannelClosed):
            await asking.channel.request("too late")
        asking.channel.notify("too late")  # goes nowhere, harms nobody
        assert not asking.channel.open
        for task in serving.channel._handling:
            task.cancel()


async def test_what_was_sent_before_closing_arrives() -> None:
    heard: list[str] = []
    async with pair(lambda op, body, fds: heard.append(op)) as (asking, serving):
        asking.channel.notify("last words")
        asking.channel.close()
        await serving.closed.wait()
    assert heard == ["last words"]


async def test_messages_of_many_megabytes_pass() -> None:
    text = "x" * (LARGEST_FRAME - 100)
    async with pair() as (asking, _):
        assert (await asking.channel.request("big", {"text": text}))["text"] == text


def _endless() -> Body:
    body: Body = {}
    body["itself"] = body
    return body


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"text": "x" * LARGEST_FRAME}, "more than the"),
        ({"text": b"bytes"}, "no JSON"),
        ({"number": float("nan")}, "no JSON"),
        (_endless(), "no JSON"),
    ],
)
async def test_what_cannot_be_sent_is_refused_here(body: Body, sentence: str) -> None:
    async with pair(lambda op, _, fds: body if op == "give" else {}) as (asking, _):
        with pytest.raises(ChannelError, match=sentence):
            await asking.channel.request("take", body)
        with pytest.raises(ChannelError, match=sentence):
            asking.channel.notify("take", body)
        with pytest.raises(ChannelError, match=sentence):
            await asking.channel.request("give")
        assert await asking.channel.request("take") == {}


async def test_descriptors_travel_with_their_message() -> None:
    def read(op: str, body: Body, fds: list[int]) -> Body:
        return {"read": [_read(fd) for fd in fds]}

    async with pair(read) as (asking, _):
        answers = []
        for group in (["a"], [], ["b", "c"], ["d"] * MOST_DESCRIPTORS):
            fds = [_holding(text) for text in group]
            answers.append((group, asking.channel.call("read", {}, fds)))
            for fd in fds:
                os.close(fd)  # the caller's own: the message has duplicates
        for group, answer in answers:
            assert await answer == {"read": group}


async def test_descriptors_that_arrive_are_not_inherited_by_programs() -> None:
    async with pair(lambda op, body, fds: {"inheritable": [_take(fd) for fd in fds]}) as (asking, _):
        fd = _holding("x")
        assert await asking.channel.request("look", {}, [fd]) == {"inheritable": [False]}
        os.close(fd)


async def test_no_descriptor_is_left_open() -> None:
    def refuse(op: str, body: Body, fds: list[int]) -> Answer:
        channels.close_all(fds)
        raise ChannelError("no")

    before = len(os.listdir("/proc/self/fd"))
    async with pair(refuse) as (asking, serving):
        fd = _holding("x")
        for _ in range(10):
            with pytest.raises(ChannelError):
                await asking.channel.request("take", {}, [fd])
        asking.channel.call("take", {}, [fd]).add_done_callback(lambda answer: answer.exception())
        serving.channel.close()
        os.close(fd)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_too_many_descriptors_are_refused() -> None:
    async with pair() as (asking, _):
        with pytest.raises(ChannelError, match="251 descriptors in one message"):
            await asking.channel.request("take", {}, [0] * (MOST_DESCRIPTORS + 1))


async def test_descriptors_where_none_are_wanted_end_the_channel() -> None:
    async with pair(descriptors=False) as (asking, serving):
        with pytest.raises(ChannelClosed):
            await asking.channel.request("take", {}, [0])
        assert serving.channel.fault == "the other end sent descriptors that were not asked for"


def _framed(text: bytes, descriptors: int = 0) -> bytes:
    return HEAD.pack(len(text), descriptors) + text


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (b"\xff\xff\xff\xff\x00", "a head that announces 4294967295 bytes and 0 descriptors"),
        (b"\x00\x00\x00\x02\xff", "a head that announces 2 bytes and 255 descriptors"),
        (_framed(b"hello"), "no JSON"),
        (_framed(b"\xff\xfe"), "no JSON"),
        (_framed(b"[" * 100_000), "no JSON"),
        (_framed(b"9" * 10_000), "no JSON"),
        (_framed(b""), "no JSON"),
        (_framed(b"null"), "no known form"),
        (_framed(b"[]"), "no known form"),
        (_framed(b'["op"]'), "no known form"),
        (_framed(b'["op",{},"id"]'), "no known form"),
        (_framed(b'["op",[]]'), "no known form"),
        (_framed(b'["op",{}]', 1), "a message whose descriptors are missing"),
        (b"\x00\x00", "the other end has closed the channel"),
    ],
)
async def test_nonsense_ends_the_channel_with_a_sentence(sent: bytes, fault: str) -> None:
    ours, theirs = socket.socketpair()
    end = End(theirs)
    waiting = end.channel.call("anybody?")
    ours.sendall(sent)
    ours.shutdown(socket.SHUT_WR)
    async with asyncio.timeout(5):
        await end.closed.wait()
    ours.close()
    assert fault in (end.channel.fault or "")
    with pytest.raises(ChannelClosed):
        await waiting


async def test_good_messages_before_nonsense_count() -> None:
    heard: list[str] = []
    ours, theirs = socket.socketpair()
    end = End(theirs, lambda op, body, fds: heard.append(op))
    ours.sendall(_framed(b'["one",{}]') + _framed(b'["two",{}]') + _framed(b"three"))
    await end.closed.wait()
    ours.close()
    assert heard == ["one", "two"]


async def test_answers_nobody_asked_for_are_passed_over() -> None:
    ours, theirs = socket.socketpair()
    end = End(theirs)
    ours.sendall(_framed(b"[17,{}]") + _framed(b'[18,"no"]') + _framed(b'["hi",{},1]'))
    assert await asyncio.get_running_loop().run_in_executor(None, ours.recv, 100) == _framed(b'[1,{"op":"hi"}]')
    end.channel.close()
    await end.closed.wait()
    ours.close()


async def test_an_end_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MOST_WAITING", 1_000_000)
    ours, theirs = socket.socketpair()
    end = End(theirs)
    waiting = [end.channel.call("take", {"text": "x" * 100_000}) for _ in range(20)]
    async with asyncio.timeout(5):
        await end.closed.wait()
    ours.close()
    assert end.channel.fault == "the other end does not read what it is sent"
    for each in waiting:
        assert isinstance(each.exception(), ChannelClosed)


async def test_an_end_that_asks_without_measure_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MOST_HANDLED", 10)
    held: list[asyncio.Future[Body | None]] = []

    def never(op: str, body: Body, fds: list[int]) -> Awaitable[Body | None]:
        held.append(asyncio.get_running_loop().create_future())
        return held[-1]

    async with pair(never) as (asking, serving):
        for _ in range(20):
            asking.channel.call("x").add_done_callback(lambda answer: answer.exception())
        async with asyncio.timeout(5):
            await serving.closed.wait()
        assert serving.channel.fault == "the other end asks more than 10 things at once"
        for each in held:
            each.cancel()


async def test_any_chunking_gives_the_same_messages() -> None:
    stream = b"".join(_framed(f'["m{n}",{{"n":{n}}}]'.encode()) for n in range(5))
    for size in (1, 2, 3, 5, 7, 11, len(stream)):
        heard: list[tuple[str, Body]] = []
        ours, theirs = socket.socketpair()
        end = End(theirs, _remember(heard))
        for at in range(0, len(stream), size):
            ours.sendall(stream[at : at + size])
            end.channel._readable()
        assert heard == [(f"m{n}", {"n": n}) for n in range(5)]
        end.channel.close()
        await end.closed.wait()
        ours.close()


def _remember(heard: list[tuple[str, Body]]) -> Callable[[str, Body, list[int]], None]:
    return lambda op, body, fds: heard.append((op, body))


def _holding(text: str) -> int:
    """A descriptor from which `text` can be read."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def _read(fd: int) -> str:
    with os.fdopen(fd, "rb") as file:
        return file.read().decode()


def _take(fd: int) -> bool:
    inheritable = os.get_inheritable(fd)
    os.close(fd)
    return inheritable
