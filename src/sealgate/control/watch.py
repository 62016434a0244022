"""Watching certificate and authority files: what has changed is checked, and taken up without a commit."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import Configuration
from sealgate.control.commit import Committer
from sealgate.event.facts import CertificatesUnusable, Event, Note
from sealgate.process.channel import ChannelError
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions

LOOK = 5.0
"""Seconds between two looks at the files: a renewal is in force soon after, and a look costs next to nothing."""

Sight = tuple[tuple[str, int, int, int], ...]
"""Of each file its path, its time of change in nanoseconds, its size and its number."""


class CertificateWatch:
    """Looks at the files that the configuration in force names."""

    def __init__(self, revisions: Revisions, committer: Committer, emit: Callable[[Event], None]) -> None:
        self._revisions = revisions
        self._committer = committer
        self._emit = emit
        self._seen: Sight | None = None
        self._said: tuple[str, ...] = ()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Once. A pair that does not fit yet, since its second file is still to come, is looked at again."""
        try:
            current = self._revisions.current()
            sight = () if current is None else _sight(current.configuration)
            if sight == self._seen and not self._said:
                return
            if sight != self._seen:  # whoever has changed a file is told, though it may be what others are told already
                self._said = ()
            self._seen = sight
            problems = await self._committer.renew()
        except (ChannelError, ConfigurationError, StoreError, TimeoutError) as error:
            self._emit(Note("Critical", f"changed certificate files could not be put in force: {error}"))
            self._seen = None
            return
        if problems and problems != self._said:
            self._emit(CertificatesUnusable(problems))
        self._said = problems


def _sight(configuration: Configuration) -> Sight:
    profiles = configuration.certificates
    files = {
        configuration.delivery.trust_file,
        *(listener.client_trust_file for listener in configuration.listeners),
        *(each for profile in profiles for each in (profile.certificate_file, profile.key_file)),
    }
    return tuple(_stat(path) for path in sorted(each for each in files if each is not None))


def _stat(path: str) -> tuple[str, int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        return path, 0, 0, -(error.errno or 1)
    return path, found.st_mtime_ns, found.st_size, found.st_ino
