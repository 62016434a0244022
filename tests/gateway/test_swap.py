"""Commits while many sessions are open: none is dropped, none refused, and new handshakes obey at once."""

from __future__ import annotations

import asyncio
import resource
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sealgate.cli.client import ask
from tests.peers.clients import openssl_client
from tests.peers.ports import HOST
from tests.running import Gateway, NextHop, gateway, next_hop
from tests.smtp_client import any_certificate

ALTERNATING = (["1.3"], ["1.2", "1.3"], ["1.2"], ["1.0", "1.1", "1.2"])


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextHop]:
    with next_hop(tmp_path_factory.mktemp("hop")) as running:
        yield running


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory, hop: NextHop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("swap"), next_hop=hop.port, workers=2) as running:
        most = {"connections": 5000, "connections_per_host": 5000, "handshakes": 5000, "handshakes_per_host": 5000}
        running.configure(lambda settings: settings["limits"].update(most))
        yield running


@dataclass
class Held:
    """An open session: every third in clear, every third in TLS, every third in TLS and in the middle of a message."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        answer = await self.reader.readline()
        while answer[3:4] == b"-":
            answer = await self.reader.readline()
        return answer.decode()

    async def begin(self, context: ssl.SSLContext) -> None:
        greeting = await self.reader.readline()
        assert greeting.startswith(b"220"), greeting
        assert (await self.say("EHLO held.example")).startswith("250")
        if self.number % 3 == 0:
            return
        assert (await self.say("STARTTLS")).startswith("220")
        await self.writer.start_tls(context)
        assert (await self.say("EHLO held.example")).startswith("250")
        if self.number % 3 == 2:
            await self.say("MAIL FROM:<held@load.example>")
            await self.say(f"RCPT TO:<held-{self.number}@inside.example>")
            assert (await self.say("DATA")).startswith("354")
            self.writer.write(b"Subject: held %d\r\n\r\nfirst half\r\n" % self.number)

    async def end(self) -> str:
        """Finish what is under way, or send a message; the answer to it."""
        if self.number % 3 == 2:
            return await self.say("second half\r\n.")
        await self.say("MAIL FROM:<held@load.example>")
        await self.say(f"RCPT TO:<held-{self.number}@inside.example>")
        await self.say("DATA")
        return await self.say(f"Subject: held {self.number}\r\n\r\nall of it\r\n.")


async def opened(port: int, number: int, context: ssl.SSLContext) -> Held:
    reader, writer = await asyncio.open_connection(HOST, port)
    held = Held(number, reader, writer)
    await held.begin(context)
    return held


async def hold(port: int, count: int) -> list[Held]:
    """So many of them, in batches: the kernel's queue of a listener is finite."""
    context = any_certificate()
    context.check_hostname = False
    sessions: list[Held] = []
    for start in range(0, count, 50):
        batch = range(start, min(start + 50, count))
        sessions += await asyncio.gather(*(opened(port, number, context) for number in batch))
    return sessions


def speaks(gate: Gateway, version: str) -> bool:
    done = openssl_client(gate.ports["public"], starttls=True, version=version, stdin="QUIT\r\n")
    return "Cipher is (NONE)" not in done.stdout and done.returncode == 0


def commit(gate: Gateway, versions: list[str], number: int) -> float:
    """One commit of TLS; how long the operator waited for it, verification included."""
    ask(gate.home, "edit", {"steps": [{"set": "tls.inbound_smtp.versions", "value": versions}]})
    begun = time.monotonic()
    answer = ask(gate.home, "commit", {"comment": f"alternating {number}"})
    assert answer.get("verification", {}).get("passed"), answer
    return time.monotonic() - begun


def test_commits_drop_and_refuse_nobody(gate: Gateway, hop: NextHop, soak: bool) -> None:
    count, commits = (1000, 50) if soak else (100, 5)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))

    async def story() -> list[float]:
        sessions = await hold(gate.ports["public"], count)
        try:
            times = []
            for number in range(commits):
                versions = ALTERNATING[number % len(ALTERNATING)]
                times.append(await asyncio.to_thread(commit, gate, versions, number))
                probe = versions[-1]
                assert await asyncio.to_thread(speaks, gate, probe)
                other = "1.1" if "1.1" not in versions else "1.3"
                assert not await asyncio.to_thread(speaks, gate, other)
            answers = await asyncio.gather(*(held.end() for held in sessions))
            assert [each[:3] for each in answers] == ["250"] * count
            return times
        finally:
            for held in sessions:
                held.writer.transport.abort()
            await asyncio.gather(*(held.writer.wait_closed() for held in sessions), return_exceptions=True)

    try:
        times = asyncio.run(story())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    hop.wait_for_messages(count)
    log = gate.log()
    assert "Too many" not in log
    print(
        f"{count} sessions, {commits} commits: {max(times):.2f} s at most, {sorted(times)[commits // 2]:.2f} s usually"
    )
