"""The values of a file on top of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sealgate.config.asyncos.finding import Findings
from sealgate.config.asyncos.reading import Reading, read
from sealgate.config.asyncos.tls import SERVICES, Stated, lay_tls
from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration
from sealgate.config.validation import validated
from sealgate.tls.library import Library

_SILENT_BANNER = "This file says nothing of TLS: every service keeps its present selection."


@dataclass(frozen=True, slots=True)
class Import:
    """The configuration that comes of a file, and what is to be said about it."""

    configuration: Configuration
    source: str
    read: tuple[str, ...]
    banner: tuple[str, ...]
    changed: tuple[Problem, ...]
    left_out: tuple[Problem, ...]

    def told(self) -> dict[str, Any]:
        """What is to be said, in values that JSON knows."""
        return {
            "source": self.source,
            "read": list(self.read),
            "banner": list(self.banner),
            "changed": [[each.path, each.sentence] for each in self.changed],
            "left_out": [[each.path, each.sentence] for each in self.left_out],
        }


def import_asyncos(text: str, present: Configuration, library: Library) -> Import:
    """A file on top of a configuration; `ConfigurationError` names every problem in it, and then nothing is taken."""
    return lay(read(text), present, library)


def lay(reading: Reading, present: Configuration, library: Library) -> Import:
    """A section that the file has replaces the present one, any other stays."""
    data = present.model_dump(mode="json")
    findings = Findings()
    banner = _lay_tls(data, reading.tls, present, library, findings)
    if reading.hostname is not None:
        data["gateway"]["hostname"] = reading.hostname
    if reading.recipients is not None:
        data["gateway"]["accepted_domains"] = list(reading.recipients.domains)
        data["recipient_access"] = list(reading.recipients.rows)
    if reading.routes is not None:
        data["routes"] = list(reading.routes)
    if reading.destinations is not None:
        data["destinations"] = list(reading.destinations.rows)
        data["delivery"] |= reading.destinations.delivery
    return Import(
        configuration=validated(data),
        source=reading.source,
        read=tuple(_read(reading)),
        banner=banner,
        changed=(*reading.changed, *findings.changed),
        left_out=reading.left_out,
    )


def _lay_tls(
    data: dict[str, Any], stated: Stated | None, present: Configuration, library: Library, findings: Findings
) -> tuple[str, ...]:
    if stated is None:
        return (_SILENT_BANNER,)
    laid = lay_tls(stated, {name: getattr(present.tls, name) for name in SERVICES}, library, findings)
    data["tls"] |= {name: service.model_dump(mode="json") for name, service in laid.services.items()}
    return laid.banner


def _read(reading: Reading) -> Iterator[str]:
    """What was there to be read, for people."""
    if reading.hostname is not None:
        yield f"the host name {reading.hostname}"
    if reading.tls is not None and (reading.tls.methods or reading.tls.ciphers):
        yield f"TLS of {_count(len({*reading.tls.methods, *reading.tls.ciphers}), 'service')}"
    if reading.routes is not None:
        yield _count(len(reading.routes), "SMTP route")
    if reading.recipients is not None:
        yield f"{_count(reading.recipients.count, 'row')} of recipient access"
    if reading.destinations is not None:
        yield _count(len(reading.destinations.rows), "destination")
        if reading.destinations.delivery:
            yield "the default destination"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
