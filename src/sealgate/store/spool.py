"""The spool of one worker: what has been answered with 250 is in here until each recipient has its final state.

A SQLite database and a folder of large bodies, which only the worker that owns them opens, so that nobody ever
waits for a lock. One thread writes, another reads and does not wait for the disk of the first.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from sealgate.store import spool_acts, spool_sql
from sealgate.store.body import Bodies, BodyWriter, sync_folder
from sealgate.store.cache import Cache
from sealgate.store.database import StoreError, open_database
from sealgate.store.message import NewMessage, Queued, QueuedRecipient, RecipientChange, SpoolFault
from sealgate.store.room import Room
from sealgate.store.spool_writer import Done, Outcome, SpoolWriter, Work

__all__ = [
    "BodyWriter",
    "NewMessage",
    "Queued",
    "QueuedRecipient",
    "RecipientChange",
    "Spool",
    "SpoolFault",
]

T = TypeVar("T")

DATABASE = "spool.db"
BODIES = "bodies"

READ = 256 * 1024
"""Bytes of a large body that are read at a time."""


class Spool:
    """Keeps messages. Every method belongs to the event loop; threads do the waiting."""

    def __init__(self, folder: Path, room: Room | None = None) -> None:
        """In `folder`, which is made; without `room` there is as much as the disk has."""
        self._folder = folder
        self._path = folder / DATABASE
        self._room = room or Room(folder)
        self._bodies = Bodies(folder / BODIES, self._room)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="spool-reader")
        self._cache = Cache()
        self._in_files: set[int] = set()
        self._finished: set[int] = set()
        self._owed = 0
        self._drained: asyncio.Event | None = None

    async def start(self) -> list[Queued]:
        """Open, clear away what a crash left behind, and give every message that waits. Raises `StoreError`."""
        self._loop = asyncio.get_running_loop()
        with _sentences(self._folder):
            queue = await self._loop.run_in_executor(self._reader, self._open)
        self._writer = SpoolWriter(self._writing, self._path, self._folder / BODIES, self._committed)
        self._room.start(len(queue), self._survey)
        return queue

    def _open(self) -> list[Queued]:
        _make_folders(self._folder / BODIES)
        self._writing = open_database(self._path, spool_sql.MIGRATIONS, any_thread=True)
        try:
            queue = self._recover(self._writing)
            self._reading = open_database(self._path, spool_sql.MIGRATIONS, any_thread=True)
        except BaseException:
            self._writing.close()
            raise
        return queue

    def _recover(self, connection: sqlite3.Connection) -> list[Queued]:
        spool_sql.tune(connection)
        spool_sql.check(connection, self._path)
        spool_sql.delete_all_finished(connection)
        spool_sql.shrink(connection)
        self._in_files = spool_sql.with_body_in_file(connection)
        self._bodies.sweep(self._in_files)
        return spool_sql.messages(connection)

    def _survey(self) -> None:
        """Every second: how much room the database has inside."""

        def told(found: asyncio.Future[int]) -> None:
            if not found.cancelled() and found.exception() is None:
                self._room.spare(found.result())

        self._loop.run_in_executor(self._reader, spool_sql.spare, self._reading).add_done_callback(told)

    @property
    def is_full(self) -> bool:
        """Whether new mail should wait, for room on the disk or for a shorter queue."""
        return self._room.is_full

    def takes(self, size: int | None) -> bool:
        """Whether a new message may begin; `size` in bytes if it was announced (RFC 1870 §6.1)."""
        return not self._room.is_full and (size is None or self._room.fits(size))

    # -- in

    def body(self) -> BodyWriter:
        """For the body of the next message."""
        return self._bodies.writer()

    def accept(self, message: NewMessage, body: BodyWriter, done: Done) -> None:
        """Keep a message; `done` hears on the loop when it is durable, or why it is not: then nothing of it is kept."""
        self._owed += 1
        objection = self._room.objection()
        self._room.count(1)
        if objection is not None:
            body.discard()
            self._loop.call_soon(self._committed, [(Work(((message, None),), (), (), done), objection)], ())
        elif body.is_large:
            body.keep(self._bodies.path(message.mid), partial(self._insert, message, done))
        else:
            data = body.whole()
            self._room.coming(len(data))
            self._writer.put(Work(((message, data),), (), (), done))

    def _insert(self, message: NewMessage, done: Done, fault: SpoolFault | None) -> None:
        work = Work(((message, None),), (), (), done)
        if fault is None:
            self._writer.put(work)
        else:
            self._committed([(work, fault)], ())

    def settle(
        self,
        mid: int,
        changes: Sequence[RecipientChange],
        finished: bool,
        *,
        notice: tuple[NewMessage, bytes] | None = None,
        delay_told: bool = False,
        done: Done | None = None,
    ) -> None:
        """Record what became of recipients, and keep the notice of it, in one transaction.

        `finished` says that no recipient waits any more. The message leaves when that is so in here too: a settle
        that comes late, or again after a fault, is not lost with it. `delay_told`: the notice tells that it is late.
        """
        if finished:
            self._finished.add(mid)
        self._owed += 1
        if notice is not None:
            self._room.count(1)
            self._room.coming(len(notice[1]))
        self._writer.put(
            Work(
                () if notice is None else (notice,),
                tuple((mid, change) for change in changes),
                (mid,) if mid in self._finished else (),
                done,
                (mid,) if delay_told else (),
            )
        )

    def _committed(self, outcomes: Sequence[Outcome], gone: Sequence[int]) -> None:
        """A transaction is durable, or has failed: remember what that means here, then tell those who wait."""
        self._room.count(-len(gone))
        for mid in gone:
            self._finished.discard(mid)
            self._cache.forget(mid)
            if mid in self._in_files:
                self._in_files.discard(mid)
                self._bodies.remove(mid)
        for work, fault in outcomes:
            for message, body in work.new:
                self._inserted(message.mid, body, fault)
        for work, fault in outcomes:
            self._owed -= 1
            if work.done is not None:
                self._tell(work.done, fault)
        if self._drained is not None and not self._owed:
            self._drained.set()

    def _inserted(self, mid: int, body: bytes | None, fault: SpoolFault | None) -> None:
        if fault is not None:
            self._room.count(-1)
            self._room.look()
        if body is not None:
            self._room.came(len(body))
        if body is not None:
            if fault is None:
                self._cache.remember(mid, body)
        elif fault is None:
            self._in_files.add(mid)
        elif mid not in self._in_files:
            self._bodies.remove(mid)

    def _tell(self, done: Done, fault: SpoolFault | None) -> None:
        try:
            done(fault)
        except Exception as error:  # one listener's mistake must not keep the truth from the others
            self._loop.call_exception_handler({"message": "after a commit of the spool", "exception": error})

    # -- out

    async def load(self, mid: int) -> AsyncIterator[bytes]:
        """The body, a large one in pieces. Raises `OSError` if it cannot be read."""
        body = self._cache.get(mid)
        if body is None and mid not in self._in_files:
            body = await self._read(spool_sql.body, mid)
            if body is None:
                raise OSError(f"message {mid} is not in the spool {self._path}")
        if body is not None:
            yield body
            return
        file = await self._loop.run_in_executor(self._reader, FileIO, self._bodies.path(mid))
        with file:
            while piece := await self._loop.run_in_executor(self._reader, file.read, READ):
                yield piece

    async def _read(self, query: Callable[..., T], *arguments: object) -> T:
        try:
            return await self._loop.run_in_executor(self._reader, query, self._reading, *arguments)
        except sqlite3.Error as error:
            raise OSError(f"cannot read the spool {self._path}: {error}") from error

    async def piece(self, mid: int, start: int, size: int) -> bytes:
        """At most `size` bytes of a body from `start`; empty behind its end. Raises `OSError` if it cannot be read."""
        if mid in self._in_files:
            return await self._loop.run_in_executor(self._reader, _read_at, self._bodies.path(mid), start, size)
        body = self._cache.get(mid) or await self._read(spool_sql.body, mid)
        if body is None:
            raise OSError(f"message {mid} is not in the queue any more")
        return body[start : start + size]

    async def show(self, mid: int, after: int, limit: int) -> dict[str, Any] | None:
        """One message with its recipients behind the RID `after`, in values that JSON knows; None if it is not here."""
        return await self._read(spool_acts.showing, mid, after, limit)

    # -- what operators want

    async def hold(self, mids: Sequence[int], held: bool) -> SpoolFault | None:
        """Put messages on hold, or end it; durable when this returns None."""
        return await self._change(partial(spool_acts.hold, mids=mids, held=held))

    async def hasten(self, recipients: Sequence[tuple[int, int]], due: float) -> SpoolFault | None:
        """Make deferred recipients (MID, RID) due no later than `due`; durable when this returns None."""
        return await self._change(partial(spool_acts.hasten, recipients=recipients, due=due))

    async def _change(self, function: Callable[[sqlite3.Connection], None]) -> SpoolFault | None:
        try:
            await self._writer.run(function)
        except sqlite3.Error as error:
            return SpoolFault.of(error, f"cannot write {self._path}")
        return None

    async def flush(self) -> None:
        """Wait until all that was asked for before has been tried, and those who wait for it have been told."""
        await self._writer.run(lambda connection: None)

    @asynccontextmanager
    async def bodies_kept(self) -> AsyncIterator[Path]:
        """The folder of this spool, from which no body is removed for the while: it can be copied."""
        self._bodies.keep_all()
        try:
            yield self._folder
        finally:
            self._bodies.let_go()

    # -- the rest of its life

    async def adopt(self, folder: Path) -> list[Queued]:
        """Take over the spool of a worker that is no more, and remove it; gives the messages that are new here.

        A crash in the middle is mended by doing it again. Raises `StoreError`; the other spool then stays.
        """
        queue: list[Queued] = []
        with _sentences(folder):
            if (folder / DATABASE).exists():
                await self._loop.run_in_executor(self._reader, self._prepare_adoption, folder)
                queue, in_files = await self._writer.run(partial(spool_sql.take_over, other=folder / DATABASE))
                self._in_files |= in_files
                self._room.count(len(queue))
            await self._loop.run_in_executor(self._reader, _remove_spool, folder)
        return queue

    def _prepare_adoption(self, folder: Path) -> None:
        """Bring the other database to our schema, and its large bodies here: bodies come before their rows."""
        path = folder / DATABASE
        with closing(open_database(path, spool_sql.MIGRATIONS)) as other:
            spool_sql.check(other, path)
            spool_sql.delete_all_finished(other)
        _make_folders(folder / BODIES)
        self._bodies.take_over(folder / BODIES)

    async def stop(self) -> None:
        """Write what has been asked for, tell everyone, close. Nothing may be asked afterwards."""
        if self._owed:
            self._drained = asyncio.Event()
            await self._drained.wait()
        self._room.stop()
        await self._writer.stop()
        await self._bodies.drain()
        await self._loop.run_in_executor(self._reader, self._reading.close)


@contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    """Turn what the disk and the database say into `StoreError`."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot use the spool {folder}: {error}") from error


def _read_at(path: Path, start: int, size: int) -> bytes:
    with FileIO(path) as file:
        file.seek(start)
        return file.read(size)


def _make_folders(folder: Path) -> None:
    """A folder and those above it, durably: mail in a folder whose name is lost is lost."""
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def _remove_spool(folder: Path) -> None:
    """The database first, and durably: without it nothing can be taken over a second time."""
    (folder / DATABASE).unlink(missing_ok=True)
    sync_folder(folder)
    shutil.rmtree(folder, ignore_errors=True)  # what stays does no harm
