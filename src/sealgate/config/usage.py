"""Who uses a certificate profile."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.schema import Configuration


def users_of(configuration: Configuration, profile: str) -> Iterator[str]:
    """Every service that shows it, as "listener public"; while there is one, it cannot be deleted."""
    for listener in configuration.listeners:
        if profile in listener.certificates:
            yield f"listener {listener.name}"
    if configuration.delivery.certificate == profile:
        yield "delivery"
