"""The thread that writes the spool: everything that waits is committed together, with one sync."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from sealgate.store.body import fault_of
from sealgate.store.message import SpoolFault

MOST_TOGETHER = 500
"""Pieces of work in one transaction at most."""

Done = Callable[[SpoolFault | None], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What to do inside a transaction, what to do once it is durable (in the thread), and whom to tell."""

    do: Callable[[sqlite3.Connection], None]
    done: Done | None
    after: Callable[[], None] | None = None


class SpoolWriter:
    """Owns the writing connection. Work is done in the order it comes."""

    def __init__(self, database: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._database = database
        self._loop = loop
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def put(self, work: Work) -> None:
        """Have it done soon."""
        self._waiting.put(work)

    def stop(self) -> None:
        """Do what waits, then end; blocks until then."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            batch = [self._waiting.get()]
            try:
                while len(batch) < MOST_TOGETHER:
                    batch.append(self._waiting.get_nowait())
            except Empty:
                pass
            ending = None in batch
            work = [each for each in batch if each is not None]
            if work:
                self._tell(self._commit(work))

    def _commit(self, batch: list[Work]) -> list[tuple[Done, SpoolFault | None]]:
        """All in one transaction; if that fails, each in its own, so that one does not sink the others."""
        fault = self._transact(batch)
        if fault is not None and len(batch) > 1:
            return [told for each in batch for told in self._commit([each])]
        if fault is None:
            for each in batch:
                if each.after is not None:
                    each.after()
        return [(each.done, fault) for each in batch if each.done is not None]

    def _transact(self, batch: list[Work]) -> SpoolFault | None:
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            for each in batch:
                each.do(database)
            database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            return fault_of(error, "the spool cannot be written")
        return None

    def _tell(self, told: list[tuple[Done, SpoolFault | None]]) -> None:
        if told and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_call_all, told)


def _call_all(told: list[tuple[Done, SpoolFault | None]]) -> None:
    for done, fault in told:
        done(fault)
