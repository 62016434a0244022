"""A supervisor with real children, for the tests of what it does with them."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sealgate.event.facts import ChildDied, Event, GatewayStarted, Note
from sealgate.process.channel import Body, Channel
from sealgate.process.endpoint import Endpoint
from sealgate.process.member import Timing
from sealgate.process.supervisor import Supervisor

PROGRAM = Path(__file__).with_name("child_program.py")
SOURCES = Path(__file__).parents[2] / "src"
PATIENCE = 30.0
BRISK = Timing(
    beat=0.1, silence=150, prepare=2.0, swap=2.0, stop_workers=3.0, stop_control=3.0, parting=0.5,
    restart=(0.0, 0.1, 0.2),
)  # fmt: skip

E = TypeVar("E", bound=Event)


def endpoints_of(payload: Body) -> list[Endpoint]:
    return [Endpoint(*each) for each in payload["endpoints"]]


def program(*early: str) -> Callable[[str, int], list[str]]:
    return lambda child, fd: [sys.executable, str(PROGRAM), child, str(fd), *early]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{SOURCES}:{os.environ.get('PYTHONPATH', '')}", **more}


def free_port(address: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


class House:
    """A running supervisor, its events, and ways to speak to its children."""

    def __init__(self, home: Path, timing: Timing = BRISK, workers: int = 2, **payload: Any) -> None:
        self.home = home
        self.port = free_port()
        self.events: list[Event] = []
        self._more = asyncio.Event()
        self.payload: Body = {
            "home": str(home),
            "revision": 1,
            "workers": workers,
            "endpoints": [("public", "127.0.0.1", self.port)],
            **payload,
        }
        self.timing = timing

    def changed(self, revision: int = 2, **changes: Any) -> Body:
        """Another payload, made of the first."""
        return {**self.payload, "revision": revision, **changes}

    def hire(self, *early: str, **environ: str) -> Supervisor:
        """The supervisor, not yet running; `early` goes to the command line of every child."""
        self.supervisor = Supervisor(
            self.home,
            self.payload,
            endpoints_of,
            program(*early),
            self._emit,
            version="0",
            environment=environment(**environ),
            timing=self.timing,
        )
        return self.supervisor

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self._more.set()

    def all(self, kind: type[E]) -> list[E]:
        return [each for each in self.events if isinstance(each, kind)]

    async def event(self, kind: type[E], matches: Callable[[E], bool] = lambda _: True) -> E:
        """The first such event, waited for."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [each for each in self.all(kind) if matches(each)]
                if found:
                    return found[0]
                self._more.clear()
                await self._more.wait()

    async def death(self, child: str) -> ChildDied:
        return await self.event(ChildDied, lambda event: event.child == child)

    async def note(self, part: str) -> Note:
        return await self.event(Note, lambda event: part in event.text)

    def channel(self, child: str) -> Channel:
        channel = self.supervisor._members[child].present
        assert channel is not None, f"{child} is not there"
        return channel

    def pid(self, child: str) -> int:
        pid = self.supervisor._members[child].pid
        assert pid is not None
        return pid

    async def serving(self, *children: str) -> None:
        """Wait until these, and no others, serve."""

        def now() -> set[str]:
            return {name for name, each in self.supervisor._members.items() if each.serving}

        await self.until(lambda: now() == set(children))

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                await asyncio.sleep(0.01)

    async def ask(self, child: str, op: str, fds: Sequence[int] = (), /, **body: Any) -> Body:
        """Ask a child's program something, as control would."""
        return await self.channel(child).request("ask", {"op": op, "body": body}, fds, PATIENCE)

    async def order(self, op: str, fds: Sequence[int] = (), /, **body: Any) -> Body:
        """Have control order something of the supervisor."""
        return await self.ask("control", "order", fds, op=op, body=body)

    async def connect(self, port: int | None = None, address: str = "127.0.0.1") -> str:
        """What the gateway says to a client: who took the connection, and on which revision."""
        reader, writer = await asyncio.open_connection(address, port or self.port)
        try:
            return (await reader.read()).decode()
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def running(house: House, *early: str, **environ: str) -> AsyncIterator[House]:
    """The house while its gateway runs; at the end it must stop in order."""
    supervisor = house.hire(*early, **environ)
    run = asyncio.create_task(supervisor.run())
    started = asyncio.create_task(house.event(GatewayStarted))
    await asyncio.wait({run, started}, return_when=asyncio.FIRST_COMPLETED)
    if run.done():
        started.cancel()
        run.result()
    await started
    try:
        yield house
    finally:
        supervisor.stop()
        async with asyncio.timeout(PATIENCE):
            assert await run == 0
