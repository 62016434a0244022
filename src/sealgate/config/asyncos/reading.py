"""From the text of a file to its values, or to every problem in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sealgate.config.asyncos import destinations, routes
from sealgate.config.asyncos.destinations import Destinations, read_destinations
from sealgate.config.asyncos.element import Document, Element, parse_document
from sealgate.config.asyncos.finding import Findings
from sealgate.config.asyncos.leftover import leave_listener, leave_section
from sealgate.config.asyncos.recipients import Recipients, read_recipients
from sealgate.config.asyncos.routes import read_routes
from sealgate.config.asyncos.tls import Stated, check_runs, read_tls
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.validation import validated_group

_READ = ("hostname", "ssl", "listeners", *routes.TABLES, *destinations.TABLES)


@dataclass(frozen=True, slots=True)
class Reading:
    """The values of a file; None is a section that it does not have."""

    source: str
    hostname: str | None
    tls: Stated | None
    routes: tuple[dict[str, Any], ...] | None
    recipients: Recipients | None
    destinations: Destinations | None
    changed: tuple[Problem, ...]
    left_out: tuple[Problem, ...]

    @property
    def domains(self) -> tuple[str, ...]:
        """The accepted domains of the file."""
        return () if self.recipients is None else self.recipients.domains


def read(text: str) -> Reading:
    """Read a file; `ConfigurationError` names every problem in it, each with its place, and then nothing is taken."""
    document = parse_document(text)
    root = document.root
    if not any(root.named(*_READ)):
        raise ConfigurationError([Problem("", "nothing in this file can be read here; read are hostname, ssl, the "
                                          "recipient access tables in listeners, smtp_routes and "
                                          "destination_controls")])  # fmt: skip
    findings = Findings()
    reading = _reading(document, findings)
    if findings.problems:
        raise ConfigurationError(findings.problems)
    return reading


def _reading(document: Document, findings: Findings) -> Reading:
    root = document.root
    listeners = [each for group in root.named("listeners") for each in group.named("listener")]
    route_tables = list(root.named(*routes.TABLES))
    destination_tables = list(root.named(*destinations.TABLES))
    hostname = _hostname(list(root.named("hostname")), findings)
    tls = _tls(root, findings)
    route_rows = read_routes(route_tables, findings) if route_tables else None
    recipients = read_recipients(listeners, findings)
    controls = read_destinations(destination_tables, findings) if destination_tables else None
    for listener in listeners:
        leave_listener(listener, findings)
    for element in root.children:
        if element.tag not in _READ:
            leave_section(element, findings)
    changed, left_out = tuple(findings.changed), tuple(findings.left_out)
    return Reading(document.source, hostname, tls, route_rows, recipients, controls, changed, left_out)


def _hostname(elements: list[Element], findings: Findings) -> str | None:
    for again in elements[1:]:
        findings.problem(again, f"this stands here a second time, after line {elements[0].line}; keep one of them")
    if not elements:
        return None
    try:
        return str(validated_group("gateway", {"hostname": elements[0].value})["hostname"])
    except ConfigurationError as error:
        findings.problem(elements[0], error.problems[0].sentence)
    return None


def _tls(root: Element, findings: Findings) -> Stated | None:
    """What is said of TLS; None for a section on its own that says nothing of it. A whole file that is silent is from
    before there was anything to say."""
    groups = list(root.named("ssl"))
    stated = read_tls(groups, findings)
    check_runs(stated, findings)
    whole = any(root.named("hostname", "listeners"))
    return stated if whole or stated.methods or stated.ciphers or stated.other_tls10 is not None else None
