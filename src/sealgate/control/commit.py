"""Putting a configuration into force: check, prepare everywhere, persist, swap everywhere."""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Callable
from typing import Any

from sealgate.config.check import check
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.event.facts import Event, RevisionApplied, RevisionRefused
from sealgate.live.material import read_material, read_trust
from sealgate.live.revision import build, faults_of
from sealgate.process.channel import Channel, ChannelError
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revision, Revisions
from sealgate.tls.library import Library

PREPARE_PATIENCE = 60.0
SWAP_PATIENCE = 15.0


def payload_of(number: int, configuration: Configuration, library: Library) -> dict[str, Any]:
    """What every process runs on: the settings, the bytes of the keys, and which listeners cannot be served."""
    payload: dict[str, Any] = {
        "revision": number,
        "workers": configuration.gateway.worker_count(os.cpu_count() or 1),
        "configuration": configuration.model_dump(mode="json"),
        "material": read_material(configuration),
        "trust": read_trust(configuration),
    }
    live = build(payload, library, None)
    payload["faults"] = {name: one.fault for name, one in live.listeners.items() if one.fault}
    payload["all_faults"] = list(faults_of(live))
    return payload


class Committer:
    """The one way in which the running configuration changes."""

    def __init__(
        self,
        supervisor: Channel,
        revisions: Revisions,
        library: Library,
        emit: Callable[[Event], None],
        now: Callable[[], datetime.datetime],
        applied: Callable[[Configuration], None],
    ) -> None:
        self._supervisor = supervisor
        self._revisions = revisions
        self._library = library
        self._emit = emit
        self._now = now
        self._applied = applied
        self._lock = asyncio.Lock()

    async def commit(self, configuration: Configuration, who: str, face: str, comment: str) -> Revision:
        """Make it the running configuration; `ConfigurationError` leaves everything as it was."""
        async with self._lock:
            try:
                return await self._commit(configuration, who, face, comment)
            except ConfigurationError as error:
                self.refused(who, error)
                raise

    async def _commit(self, configuration: Configuration, who: str, face: str, comment: str) -> Revision:
        problems = check(configuration, self._library)
        if problems:
            raise ConfigurationError(problems)
        current = self._revisions.current()
        number = 1 if current is None else current.number + 1
        payload = payload_of(number, configuration, self._library)
        if payload["all_faults"]:
            raise ConfigurationError(tuple(Problem("", sentence) for sentence in payload["all_faults"]))
        try:
            await self._supervisor.request("prepare", {"payload": payload}, timeout=PREPARE_PATIENCE)
        except (ChannelError, TimeoutError) as error:
            raise ConfigurationError((Problem("", f"not every process could prepare it: {error}"),)) from error
        try:
            revision = self._revisions.add(configuration, who=who, comment=comment, at=self._now(), face=face)
        except StoreError as error:
            await self._supervisor.request("abandon", {})
            raise ConfigurationError((Problem("", str(error)),)) from error
        await self._supervisor.request("swap", {"revision": revision.number}, timeout=SWAP_PATIENCE)
        self._applied(configuration)
        self._emit(RevisionApplied(revision.number, who, comment))
        return revision

    def refused(self, who: str, error: ConfigurationError) -> None:
        """State that a configuration was refused."""
        self._emit(RevisionRefused(who, tuple(str(problem) for problem in error.problems)))

    async def catch_up(self) -> None:
        """Drive a revision that was stored but not swapped in, because control died in between."""
        current = self._revisions.current()
        running = await self._supervisor.request("running", {})
        if current is None or running["revision"] == current.number:
            return
        payload = payload_of(current.number, current.configuration, self._library)
        await self._supervisor.request("prepare", {"payload": payload}, timeout=PREPARE_PATIENCE)
        await self._supervisor.request("swap", {"revision": current.number}, timeout=SWAP_PATIENCE)
        self._emit(RevisionApplied(current.number, current.who, current.comment))
