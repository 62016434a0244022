"""A child for the supervisor's tests: it really serves its sockets, and misbehaves where it is told to.

The payload says how, in "deeds": {child: deed}. A deed concerns every process of that child, or, written
"once:…", only the first one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sealgate.process.channel import Body, ChannelClosed, ChannelError
from sealgate.process.child import Connection, connect
from sealgate.process.endpoint import Listening
from sealgate.process.ids import Ids
from sealgate.process.lease import Lease, Leases


class Program:
    """Answers each TCP connection with its name and revision, and does what the test asks it to."""

    def __init__(self, connection: Connection) -> None:
        self._channel = connection.channel
        self._start = connection.start
        self._revision = connection.start.payload["revision"]
        self._prepared: tuple[Body, Sequence[Listening]] | None = None
        self._serving: list[socket.socket] = []
        self._leases = Leases(connection.channel)
        self._held: list[Lease] = []
        self._ids = Ids(connection.channel)
        self._heard: list[str] = []

    async def begin(self) -> None:
        await self._ids.prepare()
        self._serve(self._start.listening)
        if deed(self._start.payload, f"ready:{self._start.child}") == "hang":
            asyncio.get_running_loop().call_later(0.1, time.sleep, 3600)

    def _serve(self, listening: Sequence[Listening]) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._serving:
            loop.remove_reader(sock)
        self._serving = [each.socket for each in listening]
        for sock in self._serving:
            loop.add_reader(sock, self._accept, sock)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = listening.accept()
            with connection:
                connection.sendall(f"{self._start.child} {self._revision}".encode())

    async def prepare(self, payload: Body, listening: Sequence[Listening]) -> None:
        match deed(payload, f"prepare:{self._start.child}"):
            case "refuse":
                raise ChannelError("I do not like it")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                await asyncio.sleep(3600)
            case "fault":
                raise ZeroDivisionError("a fault of the child")
        self._prepared = (payload, listening)

    async def swap(self) -> None:
        assert self._prepared is not None
        payload, listening = self._prepared
        if deed(payload, f"swap:{self._start.child}") == "hang":
            time.sleep(3600)
        self._revision = payload["revision"]
        self._serve(listening)

    async def abandon(self) -> None:
        self._prepared = None
        self._heard.append("abandon")

    async def retired(self, child: str) -> None:
        self._heard.append(f"retired {child}")

    async def stop(self) -> None:
        if deed(self._start.payload, f"stop:{self._start.child}") == "hang":
            await asyncio.sleep(3600)

    def reopen(self) -> None:
        self._heard.append("reopen")

    async def ask(self, op: str, body: Body, fds: list[int]) -> Body:
        match op:
            case "heard":
                return {"heard": self._heard}
            case "about":
                return {"revision": self._revision, "crew": list(self._start.crew), "pid": os.getpid()}
            case "environment":
                return {"openssl": os.environ.get("OPENSSL_CONF"), "notify": os.environ.get("NOTIFY_SOCKET")}
            case "acquire":
                lease = await self._leases.acquire([(key, limit) for key, limit in body["wants"]])
                if isinstance(lease, Lease):
                    self._held.append(lease)
                    return {"granted": True}
                return {"granted": False, "refused": lease.key}
            case "release":
                self._held.clear()
                return {}
            case "ids":
                return {"ids": [self._ids.next(body["kind"]) for _ in range(body["count"])]}
            case "descriptors":
                return {"read": [read_and_close(fd) for fd in fds]}
            case "order":  # what control would send, from whatever child this is
                return await self._channel.request(body["op"], body["body"], fds, timeout=60)
            case "nonsense":
                misbehave(body["kind"], self._channel)
                return {}
        raise ChannelError(f"what is {op}?")


def read_and_close(fd: int) -> str:
    with os.fdopen(fd, "rb") as file:
        return file.read().decode()


def misbehave(kind: str, channel: Any) -> None:
    """Every way in which a child could try to take the supervisor down."""
    sock: socket.socket = channel._socket
    match kind:
        case "garbage":
            sock.send(os.urandom(4096))
        case "huge head":
            sock.send(b"\xff\xff\xff\xff\x00")
        case "no json":
            sock.send(b"\x00\x00\x00\x03\x00{{{")
        case "deep json":
            text = b"[" * 100_000
            sock.setblocking(True)
            sock.sendall(len(text).to_bytes(4, "big") + b"\x00" + text)
        case "odd form":
            sock.send(b"\x00\x00\x00\x04\x00null")
        case "missing descriptor":
            sock.send(b'\x00\x00\x00\x09\x01["hi",{}]')
        case "unwanted descriptor":
            socket.send_fds(sock, [b'\x00\x00\x00\x09\x01["hi",{}]'], [0])
        case "bad lease":
            channel.notify("lease", {"take": [[["key", "many"]]], "give": []})
        case "bad ids":
            channel.notify("ids", {"kind": ["mid"], "count": -1})
            channel.notify("ids", {"kind": "mid", "count": 10**30})
        case "hello again":
            for _ in range(1000):
                channel.notify("hello")
                channel.notify("ready")
        case "close":
            sock.shutdown(socket.SHUT_RDWR)
        case "flood":
            flood(sock)
        case "silence":
            time.sleep(3600)
        case "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)


def flood(sock: socket.socket) -> None:
    """Ask without ever reading an answer."""
    request = b'["ids",{"kind":"mid","count":1},1]'
    frame = len(request).to_bytes(4, "big") + b"\x00" + request
    sock.setblocking(True)
    while True:
        sock.sendall(frame * 1000)


def deed(payload: Body, key: str) -> str | None:
    """What the payload tells this process to do wrong."""
    told: str | None = payload.get("deeds", {}).get(key)
    if told and told.startswith("once:"):
        mark = Path(payload["home"]) / f"{key}.done"
        if mark.exists():
            return None
        mark.touch()
        return told.removeprefix("once:")
    return told


async def serve(fd: int) -> None:
    connection = await connect(fd)
    payload, name = connection.start.payload, connection.start.child
    if deed(payload, f"start:{name}") == "die":
        os._exit(3)
    program = Program(connection)
    await program.begin()
    await connection.serve(program)
    if deed(payload, f"end:{name}") == "hang":
        time.sleep(3600)


def main() -> int:
    name, fd, early = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if early == [f"die:{name}"]:
        return 7
    try:
        if name.endswith("2"):  # both event loops of the real gateway are under test
            import uvloop

            uvloop.run(serve(fd))
        else:
            asyncio.run(serve(fd))
    except ChannelClosed:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
