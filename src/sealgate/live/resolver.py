"""The resolver that the revision in force asks for; a new one when its name servers change."""

from __future__ import annotations

from sealgate.config.schema import DnsSettings
from sealgate.live.revision import Current
from sealgate.net.dns import MailResolver


class LiveResolver:
    """One resolver, with what it remembers, for all who ask DNS in a worker."""

    def __init__(self, current: Current) -> None:
        self._current = current
        self._made_for: DnsSettings | None = None
        self._resolver: MailResolver | None = None

    @property
    def settings(self) -> DnsSettings:
        """Those in force."""
        return self._current.revision.configuration.dns

    def get(self) -> MailResolver:
        """The resolver of the settings in force."""
        settings = self.settings
        if self._resolver is None or settings != self._made_for:
            self._resolver = MailResolver(settings.servers, settings.timeout)
            self._made_for = settings
        return self._resolver
