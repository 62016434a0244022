"""The journal of one process, as its settings want it."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealgate.config.schema import Configuration
from sealgate.journal.journal import Journal

GATHER = 0.005
"""Seconds that facts are gathered before they are written together: a busy worker states some in every turn."""


def open_journal(home: Path, source: str, configuration: Mapping[str, Any]) -> Journal:
    """Where this process states its facts; they are written every few milliseconds."""
    settings = Configuration.model_validate(configuration)
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    return Journal(
        logs,
        source,
        clock=lambda: datetime.datetime.fromtimestamp(time.time(), datetime.UTC),
        schedule=lambda flush: loop.call_later(GATHER, flush),
        settings=settings.logs,
        error_codes=settings.tls.codes,
    )


def configure(journal: Journal, configuration: Mapping[str, Any]) -> None:
    """Go on as another configuration wants it."""
    settings = Configuration.model_validate(configuration)
    journal.configure(settings.logs, settings.tls.codes)
