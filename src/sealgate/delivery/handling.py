"""How mail to each domain is handled under the revision in force, looked up once per revision and domain."""

from __future__ import annotations

from sealgate.config.lookup import Handling, handling_of
from sealgate.config.schema import Configuration
from sealgate.live.revision import Current

MOST_DOMAINS = 10_000
"""Domains that are remembered; with more, all are looked up anew."""


class Handlings:
    """The answers of `handling_of`, remembered: it is asked several times for every message."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._configuration: Configuration | None = None
        self._known: dict[str, Handling] = {}

    def of(self, domain: str) -> Handling:
        """How mail to this domain is handled now; the same value as long as nothing changes."""
        configuration = self._current.revision.configuration
        if configuration is not self._configuration or len(self._known) >= MOST_DOMAINS:
            self._configuration, self._known = configuration, {}
        if (found := self._known.get(domain)) is None:
            found = self._known[domain] = handling_of(configuration, domain)
        return found
