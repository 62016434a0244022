"""The ports of GUI HTTPS with an application of the test behind them, on loopback: faults, downloads, bodies."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sealgate.config.schema import CertificateProfile
from sealgate.config.schema.gui import CLASSIC
from sealgate.config.validation import validated
from sealgate.control.commit import payload_of
from sealgate.event.facts import Event, HttpsWithdrawn, RequestAnswered, RequestFailed
from sealgate.http.application import build_app
from sealgate.http.port import GuiTools
from sealgate.http.problem import Refusal
from sealgate.http.server import GuiServer
from sealgate.live.revision import Current, build
from sealgate.net.tls.credential import self_signed
from sealgate.net.tls.library import measure_library
from sealgate.process.endpoint import Endpoint, Listening, bind
from tests.peers.ports import HOST, free_port
from tests.smtp_client import any_certificate

LIBRARY = measure_library()
NOW = datetime.datetime.now(datetime.UTC)
PAIR = self_signed("gate.example", "ec", now=NOW)
PROFILE = CertificateProfile(name="main", certificate=PAIR[0], key=PAIR[1])
PIECES = 200
PIECE = b"x" * 16384


class Numbers:
    """Ids as the supervisor gives them."""

    def next(self, kind: str) -> int:
        return 1


class House:
    """One port, its events, and the gate that its download waits at."""

    def __init__(self) -> None:
        self.port = free_port()
        self.events: list[Event] = []
        self.gate = asyncio.Event()
        self.current = Current(build(self.payload(), LIBRARY, None))
        tools = GuiTools(
            current=self.current,
            library=LIBRARY,
            ids=Numbers(),  # type: ignore[arg-type]
            emit=self.events.append,
            now=lambda: NOW,
            trials=set(),
        )
        routes = [
            Route("/download", self._download),
            Route("/broken", self._broken),
            Route("/half", self._half),
            Route("/body", self._body, methods=["POST"]),
            Route("/refused", self._refused),
            Route("/fields", self._fields),
        ]
        self.server = GuiServer(tools, {CLASSIC: build_app(routes, lambda: self.current.revision.gui, tools.emit)})

    def payload(self, *versions: str, **gui: Any) -> dict[str, Any]:
        settings = {"enabled": True, "addresses": [HOST], "port": self.port, "certificates": ["main"], **gui}
        data = {
            "gateway": {"hostname": "gate.example"},
            "certificates": [PROFILE],
            "gui": settings,
            "tls": {"gui_https": {"versions": list(versions or ("1.2", "1.3"))}},
        }
        return payload_of(1, validated(data), LIBRARY)

    def swap(self, *versions: str, **gui: Any) -> None:
        before = self.current.revision
        self.current.revision = build(self.payload(*versions, **gui), LIBRARY, before)
        self.server.changed(before.gui)

    def said(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def _download(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(PIECES):
                if number == PIECES // 2:
                    await self.gate.wait()
                yield PIECE

        return StreamingResponse(pieces())

    async def _broken(self, request: Request) -> Response:
        raise ZeroDivisionError("with a secret in it")

    async def _half(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"half"
            raise ZeroDivisionError

        return StreamingResponse(pieces())

    async def _body(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def _refused(self, request: Request) -> Response:
        raise Refusal(412, "somebody was faster", theirs=[1, 2])

    async def _fields(self, request: Request) -> Response:
        kept = {
            "cache-control": "max-age=60",
            "x-frame-options": "ALLOWALL",
            "content-security-policy": "default-src *",
        }
        return PlainTextResponse("x", headers=kept)


@asynccontextmanager
async def running() -> AsyncIterator[House]:
    house = House()
    endpoint = Endpoint(CLASSIC, HOST, house.port, "control")
    with bind(endpoint) as sock:
        await house.server.listen([Listening(endpoint, sock)])
        yield house
        await house.server.stop()


@asynccontextmanager
async def connected(
    house: House, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    context = any_certificate()
    context.maximum_version = most
    reader, writer = await asyncio.open_connection(HOST, house.port, ssl=context, limit=1 << 20)
    try:
        yield reader, writer
    finally:
        writer.close()


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: gate.example", *fields, "", ""]).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
    body = await reader.readexactly(int(fields["content-length"])) if "content-length" in fields else b""
    return int(head[0].split()[1]), fields, body


async def until(what: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.005)


async def test_a_running_download_is_whole_although_its_version_is_withdrawn() -> None:
    async with (
        running() as house,
        connected(house, ssl.TLSVersion.TLSv1_2) as (reader, writer),
        connected(house) as (other, asking),
    ):
        writer.write(get("/download"))
        await reader.readuntil(b"\r\n\r\n")
        house.swap("1.3")
        house.gate.set()
        received = await reader.read()
        assert received.count(b"x") == PIECES * len(PIECE)
        assert received.endswith(b"0\r\n\r\n")
        asking.write(get("/refused"))
        assert (await answer(other))[0] == 412
        (told,) = house.said(HttpsWithdrawn)
        assert (told.count, told.stayed) == (1, 1)


async def test_a_slow_reader_of_a_download_is_not_cut_while_it_takes_something() -> None:
    async with running() as house, connected(house) as (reader, writer):
        house.swap(request_timeout=1)
        house.gate.set()
        writer.write(get("/download"))
        await reader.readuntil(b"\r\n\r\n")
        received = b""
        end = asyncio.get_running_loop().time() + 3
        while asyncio.get_running_loop().time() < end:
            received += await reader.read(65536)
            await asyncio.sleep(0.1)
        while part := await reader.read(1 << 20):
            received += part
            if received.endswith(b"0\r\n\r\n"):
                break
        assert received.count(b"x") == PIECES * len(PIECE)


async def test_who_takes_nothing_is_ended() -> None:
    async with running() as house:
        house.swap(request_timeout=0.3)
        house.gate.set()
        raw = socket.create_connection((HOST, house.port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = await asyncio.to_thread(any_certificate().wrap_socket, raw)
        with sock:
            sock.sendall(get("/download") * 3)
            await until(lambda: not house.server._connections)


async def test_a_fault_is_told_by_its_number_alone() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/broken"))
        status, fields, body = await answer(reader)
        assert status == 500
        assert fields["x-request-id"].encode() in body
        assert b"secret" not in body
        assert b"ZeroDivision" not in body
        assert fields["connection"] == "close"
        assert await reader.read() == b""
        (failed,) = house.said(RequestFailed)
        assert failed.request == fields["x-request-id"]
        assert failed.error.startswith("ZeroDivisionError in line ")
        assert "secret" not in failed.error
        (stated,) = house.said(RequestAnswered)
        assert (stated.path, stated.status) == ("/broken", 500)


async def test_half_an_answer_is_not_taken_for_the_whole() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/half"))
        with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
            await reader.readuntil(b"0\r\n\r\n")
        assert len(house.said(RequestFailed)) == 1


async def test_a_refusal_is_a_problem_with_what_was_to_be_said() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/refused"))
        status, fields, body = await answer(reader)
        assert (status, fields["content-type"]) == (412, "application/problem+json")
        assert b'"detail":"somebody was faster"' in body
        assert b'"theirs":[1,2]' in body
        writer.write(get("/refused", method="DELETE"))
        status, fields, body = await answer(reader)
        assert status == 405
        assert "GET" in fields["allow"]


async def test_a_route_says_how_long_it_may_be_kept_and_nothing_else() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/fields"))
        _, fields, _ = await answer(reader)
        assert fields["cache-control"] == "max-age=60"
        assert fields["x-frame-options"] == "DENY"
        assert fields["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_refused_with_a_sentence_that_arrives(chunked: bool) -> None:
    """The client is still sending then: closing at once would reset the answer away."""
    size = 8 << 20
    async with running() as house, connected(house) as (reader, writer):
        house.swap(max_body=65536)
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        writer.write(get("/body", length, method="POST"))
        part = b"y" * 65536
        for _ in range(size // len(part)):
            writer.write(b"10000\r\n" + part + b"\r\n" if chunked else part)
        status, fields, body = await answer(reader)
        assert status == 413
        assert b"65536 bytes" in body
        assert fields["connection"] == "close"


async def test_a_body_as_large_as_it_may_be_is_taken() -> None:
    async with running() as house, connected(house) as (reader, writer):
        house.swap(max_body=1 << 20)
        writer.write(get("/body", f"Content-Length: {1 << 20}", method="POST") + b"y" * (1 << 20))
        assert (await answer(reader))[2] == b"%d" % (1 << 20)


async def test_continue_is_said_to_who_waits_for_it() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/body", "Content-Length: 4", "Expect: 100-continue", method="POST"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"body")
        assert (await answer(reader))[2] == b"4"


async def test_many_pipelined_requests_are_answered_in_turn() -> None:
    async with running() as house, connected(house) as (reader, writer):
        writer.write(get("/refused") * 50)
        assert [(await answer(reader))[0] for _ in range(50)] == [412] * 50
