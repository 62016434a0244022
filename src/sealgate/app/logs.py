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


def open_journal(home: Path, source: str, configuration: Mapping[str, Any]) -> Journal:
    """Where this process states its facts; written once per turn of the running event loop."""
    settings = Configuration.model_validate(configuration)
    logs = home / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    return Journal(
        logs,
        source,
        clock=lambda: datetime.datetime.fromtimestamp(time.time(), datetime.UTC),
        schedule=loop.call_soon,
        settings=settings.logs,
        error_codes=settings.tls.codes,
    )


def configure(journal: Journal, configuration: Mapping[str, Any]) -> None:
    """Go on as another configuration wants it."""
    settings = Configuration.model_validate(configuration)
    journal.configure(settings.logs, settings.tls.codes)
