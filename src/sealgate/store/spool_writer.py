"""The thread that writes the spool: what waits is committed together, with one sync for all of it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from sealgate.store import spool_sql
from sealgate.store.body import sync_folder
from sealgate.store.database import transaction
from sealgate.store.message import NewMessage, RecipientChange, SpoolFault

T = TypeVar("T")

Done = Callable[[SpoolFault | None], None]
"""Hears that it is durable, or why it is not."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one call wants written, all of it or nothing, and who is to hear of it."""

    new: Sequence[tuple[NewMessage, bytes | None]]
    changes: Sequence[tuple[int, RecipientChange]]
    finished: Sequence[int]
    done: Done | None
    delay_told: Sequence[int] = ()


Outcome = tuple[Work, SpoolFault | None]


class SpoolWriter:
    """Owns the writing connection. Work is done in the order in which it comes."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        bodies: Path,
        told: Callable[[Sequence[Outcome], Sequence[int]], None],
    ) -> None:
        """A database at `path`, and the folder of its large bodies.

        `told` gets, on the loop, the outcomes of a commit and the messages that left with it.
        """
        self._connection = connection
        self._what = f"cannot write {path}"
        self._bodies = bodies
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[Work | Callable[[], None] | None] = SimpleQueue()
        # A daemon: an end that nobody prepared is no worse than kill -9, and must not hang.
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def put(self, work: Work) -> None:
        """Have it written by the next commit."""
        self._waiting.put(work)

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """What `function` makes of the writing connection, between two commits; its exceptions are raised here."""
        future: asyncio.Future[T] = self._loop.create_future()

        def call() -> None:
            try:
                result = function(self._connection)
            except Exception as error:
                self._on_loop(future.set_exception, error)
            else:
                self._on_loop(future.set_result, result)

        self._waiting.put(call)
        return await future

    async def stop(self) -> None:
        """Do what waits, then close the connection."""
        self._waiting.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    # -- in the thread

    def _run(self) -> None:
        ending = False
        while not ending:
            works: list[Work] = []
            for each in self._take():
                if isinstance(each, Work):
                    works.append(each)
                    continue
                self._commit(works)
                works = []
                if each is None:
                    ending = True
                else:
                    each()
            self._commit(works)
        self._connection.close()

    def _take(self) -> Iterable[Work | Callable[[], None] | None]:
        """Everything that waits, at least one."""
        taken = [self._waiting.get()]
        try:
            while True:
                taken.append(self._waiting.get_nowait())
        except Empty:
            return taken

    def _commit(self, works: Sequence[Work]) -> None:
        """All in one transaction; if that fails, each in its own, so that one does not sink the others."""
        if not works:
            return
        try:
            gone = self._write(works)
        except Exception as error:  # whatever it is, those who wait must hear of it, and the thread go on
            if len(works) > 1 and not _is_locked(error):
                for each in works:
                    self._commit([each])
                return
            fault = SpoolFault.of(error, self._what)
            self._on_loop(self._told, [(each, fault) for each in works], [])
        else:
            self._on_loop(self._told, [(each, None) for each in works], gone)

    def _write(self, works: Sequence[Work]) -> list[int]:
        connection = self._connection
        new = [one for each in works for one in each.new]
        changes = [one for each in works for one in each.changes]
        finished = [one for each in works for one in each.finished]
        told = [one for each in works for one in each.delay_told]
        if any(body is None for _, body in new):
            sync_folder(self._bodies)  # the name of a file is durable only with its folder
        with transaction(connection):
            if new:
                spool_sql.insert(connection, new)
            if changes:
                spool_sql.change(connection, changes)
            if told:
                spool_sql.mark_delay_told(connection, told)
            return spool_sql.delete_finished(connection, finished) if finished else []

    def _on_loop(self, function: Callable[..., None], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


def _is_locked(error: Exception) -> bool:
    """Whether somebody else writes to our database: each attempt to do so too has to wait in vain."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
