"""What is half private in uvicorn and used here: an upgrade that changes it is found by this file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from sealgate.http.protocol import LARGEST_HEAD, Http, HttpRoom, Phase


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.over = False
        self.paused = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.over = True

    abort = close

    def is_closing(self) -> bool:
        return self.over

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 5000), "sockname": ("192.0.2.2", 443)}.get(name, default)


class House:
    """One connection to an application that answers when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.seen: list[Scope] = []
        self.bodies: list[bytes] = []
        self.wire = Wire()
        self.http = Http(HttpRoom(self._app), {"connection": "this one"}, idle_timeout=60)
        self.http.connection_made(self.wire)

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        self.bodies.append(await Request(scope, receive).body())
        await self.let.wait()
        await PlainTextResponse("hello")(scope, receive, send)

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not what():
                await asyncio.sleep(0.001)


GET = b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_phases_and_what_a_request_finds() -> None:
    house = House()
    http = house.http
    assert http.phase is Phase.WAITING
    http.data_received(b"POST / HTTP/1.1\r\nHost: x\r\n")
    assert http.phase is Phase.RECEIVING
    http.data_received(b"Content-Length: 4\r\n\r\nbo")
    assert http.phase is Phase.RECEIVING
    http.data_received(b"dy")
    assert http.phase is Phase.ANSWERING
    house.let.set()
    await house.until(lambda: b"hello" in house.wire.written)
    assert http.phase is Phase.WAITING
    assert house.bodies == [b"body"]
    (scope,) = house.seen
    assert scope["scheme"] == "https"
    assert scope["client"] == ("192.0.2.1", 5000)
    assert scope["state"] == {"connection": "this one"}
    assert not house.wire.over


async def test_finish_ends_an_idle_connection_at_once_and_a_busy_one_after_its_answer() -> None:
    idle, busy, half = House(), House(), House()
    idle.http.finish()
    assert idle.wire.over
    busy.http.data_received(GET)
    busy.http.finish()
    half.http.data_received(GET[:10])
    half.http.finish()
    assert busy.http.ending
    assert not busy.wire.over
    assert not half.wire.over
    half.http.data_received(GET[10:])
    for house in (busy, half):
        house.let.set()
        await house.until(lambda house=house: house.wire.over)
        assert house.wire.written.endswith(b"hello")


async def test_an_idle_connection_ends_by_itself() -> None:
    house = House()
    house.http.timeout_keep_alive = 0.05  # type: ignore[assignment]
    house.let.set()
    house.http.data_received(GET)
    await house.until(lambda: house.wire.over)
    assert b"hello" in house.wire.written


async def test_a_body_that_nobody_reads_is_not_read_on() -> None:
    house = House()
    house.http.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000)
    assert house.wire.paused
    assert house.http.is_held_back


@pytest.mark.parametrize(
    "nonsense", [b"\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"x" * (LARGEST_HEAD + 10)]
)
async def test_nonsense_is_refused_in_silence(nonsense: bytes, caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.http.data_received(nonsense)
    assert house.wire.written.startswith(b"HTTP/1.1 400 ")
    assert house.wire.over
    assert caplog.text == ""


async def test_nonsense_while_an_answer_is_given_ends_the_connection() -> None:
    house = House()
    house.http.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    await house.http.cycle.send({"type": "http.response.start", "status": 200, "headers": []})
    house.http.data_received(b"no number\r\n")
    assert house.wire.over
