"""Who uses a certificate profile."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.schema import Configuration
from sealgate.config.schema.gui import CLASSIC


def users_of(configuration: Configuration, profile: str) -> Iterator[str]:
    """Every service that shows it, as "listener public"; while there is one, it cannot be deleted."""
    for listener in configuration.listeners:
        if profile in listener.certificates:
            yield f"listener {listener.name}"
    if profile in configuration.gui.certificates:
        yield CLASSIC
    if configuration.delivery.certificate == profile:
        yield "delivery"
