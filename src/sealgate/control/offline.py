"""Changing the stored configuration of a gateway that does not run: by the same rules, and on record as well."""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealgate.config.check import check
from sealgate.config.check_operators import last_administrator_gone
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import Configuration
from sealgate.process.lock import lock_home, lock_home_now
from sealgate.store.audit import Act, Audit
from sealgate.store.revisions import Revision, Revisions
from sealgate.tls.library import Library

FACE = "cli"
WHO = "offline"
"""Whoever may write the files of the home: there is nobody to ask who that is."""


def store(
    home: Path, configuration: Configuration, act: str, comment: str, library: Library, *, first: bool = False
) -> Revision:
    """The next revision, for the next start. `ConfigurationError` leaves all as it was.

    A `first` configuration is one of its own, whatever was there before.
    """
    revisions = Revisions(home / "revisions.db")
    problems = check(configuration, library)
    current = revisions.current()
    if current is not None and not first:
        problems += tuple(last_administrator_gone(current.configuration, configuration))
    if problems:
        raise ConfigurationError(problems)
    who = act if first else WHO
    now = datetime.datetime.now(datetime.UTC)
    revision = revisions.add(configuration, who=who, comment=comment, at=now, face=FACE)
    note(home, act, who, revision=revision.number, comment=comment)
    return revision


@contextmanager
def at_rest(home: Path, patience: float = 0.0) -> Iterator[None]:
    """While no gateway runs on this home; `HomeInUse` if one has not ended within `patience` seconds.

    What is stored behind the back of one that runs would come into force when its control process happens to start.
    """
    lock = asyncio.run(lock_home(home, patience)) if patience else lock_home_now(home)
    try:
        yield
    finally:
        os.close(lock)


def note(home: Path, act: str, who: str = WHO, face: str = FACE, **detail: int | str) -> None:
    """Into the audit record of a home."""
    Audit(home / "revisions.db").add(Act(datetime.datetime.now(datetime.UTC), who, face, act, detail))
