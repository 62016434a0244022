"""The spool of one worker: what has been answered with 250 is in here until every recipient has its fate.

SQLite with WAL and a sync for every commit; many messages share a commit. Only the worker that owns the spool
opens it, so no lock is ever waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from sealgate.store import spool_sql
from sealgate.store.body import BodyWriter, sync_folder
from sealgate.store.database import open_database
from sealgate.store.message import NewMessage, Queued, QueuedRecipient, RecipientChange, SpoolFault
from sealgate.store.spool_writer import Done, SpoolWriter, Work

CACHE = 16 * 1024 * 1024
"""Bytes of small bodies kept in memory until their first delivery."""

PIECE = 256 * 1024
"""Bytes of a large body read at a time."""


class Spool:
    """Keeps messages. Every method belongs to the event loop; threads do the waiting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bodies = folder / "bodies"
        self._loop = asyncio.get_running_loop()
        self._disk = ThreadPoolExecutor(4, thread_name_prefix="body")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="spool-read")
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached = 0
        self._count = 0

    async def start(self) -> list[Queued]:
        """Open, clear away what a crash left behind, and give every message that waits. `StoreError`."""
        writing, self._reading, queued = await self._loop.run_in_executor(self._reader, self._open)
        self._writer = SpoolWriter(writing, self._loop)
        return queued

    def _open(self) -> tuple[sqlite3.Connection, sqlite3.Connection, list[Queued]]:
        """In a thread: a long queue must not keep the worker from answering its supervisor."""
        self._bodies.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / "spool.db"
        database = open_database(path, spool_sql.MIGRATIONS, any_thread=True)
        reading = open_database(path, spool_sql.MIGRATIONS, any_thread=True)
        sync_folder(self._folder.parent)
        kept = spool_sql.body_files(database)
        for file in self._bodies.iterdir():
            if file.name not in kept:
                file.unlink()
        return database, reading, spool_sql.undelivered(database)

    # -- in

    def body(self) -> BodyWriter:
        """Where the next message's body goes."""
        self._count += 1
        return BodyWriter(self._bodies / f"{os.getpid()}-{self._loop.time():.6f}-{self._count}", self._disk)

    def accept(self, message: NewMessage, body: BodyWriter, done: Done) -> None:
        """Keep a message; `done` hears when it is durable, or why it is not."""
        body.finish(partial(self._insert, message, done))

    def _insert(
        self, message: NewMessage, done: Done, body: bytes | None, file: str | None, fault: SpoolFault | None
    ) -> None:
        if fault is not None:
            done(fault)
            return
        if body is not None:
            self._remember(message.mid, body)
        self._writer.put(Work(lambda database: spool_sql.insert(database, message, body, file), done))

    # -- out

    def settle(
        self,
        mid: int,
        changes: Sequence[RecipientChange],
        finished: bool,
        *,
        notice: tuple[NewMessage, bytes] | None = None,
        done: Done | None = None,
    ) -> None:
        """Record fates; `finished` forgets the message. A notice enters in the same transaction."""
        files: list[str] = []

        def do(database: sqlite3.Connection) -> None:
            if finished:
                file = spool_sql.remove(database, mid)
                files[:] = [file] if file else []
            else:
                spool_sql.change(database, mid, changes)
            if notice is not None:
                spool_sql.insert(database, notice[0], notice[1], None)

        def after() -> None:
            for file in files:
                (self._bodies / file).unlink(missing_ok=True)

        if finished:
            self._forget(mid)
        self._writer.put(Work(do, done, after))

    async def load(self, mid: int) -> AsyncIterator[bytes]:
        """The body in pieces; `OSError` if it cannot be read."""
        cached = self._cache.get(mid)
        if cached is not None:
            yield cached
            return
        row = await self._read(spool_sql.read_body, mid)
        if row is None:
            raise FileNotFoundError(f"message {mid} is not in the spool")
        body, file = row
        if file is None:
            yield body or b""
            return
        handle = await self._loop.run_in_executor(self._disk, partial((self._bodies / file).open, "rb"))
        try:
            while piece := await self._loop.run_in_executor(self._disk, handle.read, PIECE):
                yield piece
        finally:
            handle.close()

    async def _read(self, query: Any, *arguments: Any) -> Any:
        try:
            return await self._loop.run_in_executor(self._reader, query, self._reading, *arguments)
        except sqlite3.Error as error:
            raise OSError(f"the spool cannot be read: {error}") from error

    def _remember(self, mid: int, body: bytes) -> None:
        self._cache[mid] = body
        self._cached += len(body)
        while self._cached > CACHE:
            _, oldest = self._cache.popitem(last=False)
            self._cached -= len(oldest)

    def _forget(self, mid: int) -> None:
        body = self._cache.pop(mid, None)
        if body is not None:
            self._cached -= len(body)

    # -- for people

    async def queue(self, limit: int) -> list[dict[str, Any]]:
        """The oldest messages, with their recipients."""
        found: list[dict[str, Any]] = await self._read(spool_sql.listing, limit)
        return found

    async def show(self, mid: int) -> dict[str, Any] | None:
        """One message with its recipients, or None."""
        found: list[dict[str, Any]] = await self._read(spool_sql.listing, 1, mid)
        return found[0] if found else None

    # -- the rest of its life

    async def adopt(self, folder: Path) -> list[Queued]:
        """Take over the spool of a worker that is no more. A crash in the middle is mended by doing it again."""
        return await self._loop.run_in_executor(self._reader, self._adopt, folder)

    def _adopt(self, folder: Path) -> list[Queued]:
        before = {message.mid for message in spool_sql.undelivered(self._reading)}
        path = folder / "spool.db"
        if path.exists():
            open_database(path, spool_sql.MIGRATIONS).close()
            for file in (folder / "bodies").iterdir():
                with contextlib.suppress(FileExistsError):
                    os.link(file, self._bodies / file.name)
            sync_folder(self._bodies)  # the bodies are durable before the rows that name them
            spool_sql.copy_from(self._reading, str(path))
        shutil.rmtree(folder)
        return [message for message in spool_sql.undelivered(self._reading) if message.mid not in before]

    async def stop(self) -> None:
        """Write what waits, then close."""
        await self._loop.run_in_executor(None, self._writer.stop)
        self._disk.shutdown()
        self._reader.shutdown()
        self._reading.close()


__all__ = [
    "BodyWriter",
    "NewMessage",
    "Queued",
    "QueuedRecipient",
    "RecipientChange",
    "Spool",
    "SpoolFault",
]
