"""The sink on loopback: what it says 250 to is a file, by DATA or in chunks, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sealgate.evaluation.maildir import Maildir
from sealgate.evaluation.sink import SinkTools, serve

ENVELOPE = b"MAIL FROM:<a@b.example> SMTPUTF8 RET=HDRS\r\nRCPT TO:<c@inside.example> NOTIFY=NEVER\r\n"


class Client:
    """Speaks to the sink, and knows its Maildir."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path) -> None:
        self.reader, self.writer, self.folder = reader, writer, folder

    async def say(self, data: bytes, replies: int) -> list[int]:
        """Send, and wait for so many replies: their codes."""
        self.writer.write(data)
        codes: list[int] = []
        while len(codes) < replies:
            line = await self.reader.readline()
            assert line
            if line[3:4] == b" ":
                codes.append(int(line[:3]))
        return codes

    def files(self, part: str) -> list[bytes]:
        """What lies in a part of the Maildir."""
        return [path.read_bytes() for path in sorted((self.folder / part).iterdir())]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    tools = SinkTools("sink.example", None, Maildir(tmp_path), lambda text: None, lambda: 0.0)
    server = await serve(tools, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    client = Client(reader, writer, tmp_path)
    assert await client.say(b"EHLO x\r\n", 2) == [220, 250]
    yield client
    writer.close()
    await writer.wait_closed()
    server.close()


async def test_a_message_by_data(client: Client) -> None:
    assert await client.say(ENVELOPE + b"DATA\r\na\r\n.\r\n", 4) == [250, 250, 354, 250]
    assert client.files("new") == [b"a\r\n"]


async def test_a_message_in_chunks(client: Client) -> None:
    assert await client.say(ENVELOPE + b"BDAT 4\r\na\n.\rBDAT 1\r\n\nBDAT 0 LAST\r\n", 5) == [250] * 5
    assert client.files("new") == [b"a\n.\r\n"]
    assert client.files("tmp") == []


@pytest.mark.parametrize("end", [b"RSET\r\n", b"EHLO x\r\n"])
async def test_chunks_without_an_end_are_no_message(client: Client, end: bytes) -> None:
    assert await client.say(ENVELOPE + b"BDAT 3\r\na\r\n", 3) == [250] * 3
    assert await client.say(end, 1) == [250]
    assert client.files("new") == client.files("tmp") == []


async def test_a_refused_chunk_brings_no_message(client: Client) -> None:
    assert await client.say(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", 2) == [503, 250]
    assert await client.say(ENVELOPE + b"BDAT 1\r\naBDAT 9999999999\r\n", 3) == [250] * 3
    client.writer.write(b"x" * 100_000)
    client.writer.close()
    await client.reader.read()
    assert client.files("new") == []
