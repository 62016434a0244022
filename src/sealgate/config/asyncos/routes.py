"""SMTP routes: a domain, and the hosts that take its mail by priority."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sealgate.config.asyncos.element import Element
from sealgate.config.asyncos.finding import Findings, Seen
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema.delivery import MX
from sealgate.config.validation import validated_row

TABLES = ("smtp_routes", "smtproutes")

_DOMAIN = ("domain", "source")
_HOSTS = ("dest", "host")
_PRIORITY = re.compile(r"(?i)/pri=(\d{1,5})$")
_DROPPED = "/dev/null"


def read_routes(tables: list[Element], findings: Findings) -> tuple[dict[str, Any], ...]:
    """The rows of the routes, in the order of the file."""
    seen = Seen(findings)
    rows = (_row(element, findings, seen) for table in tables for element in table.children)
    return tuple(row for row in rows if row is not None)


def _row(element: Element, findings: Findings, seen: Seen) -> dict[str, Any] | None:
    domain = next(element.about(*_DOMAIN), None)
    if domain is None or domain.children:
        findings.problem(element, "this row of the SMTP routes names no domain; it has an element such as <domain>")
        return None
    name = "*" if domain.value.upper() == "ALL" else domain.value
    hosts = _by_priority(element, findings)
    for child in element.children:
        if child is not domain and not _is_about(child, _HOSTS):
            findings.leave(child, f"Sealgate has no such setting in a route; the route of {name} is read without it")
    if _DROPPED in hosts:
        findings.leave(element, f"mail for {name} was thrown away ({_DROPPED}); Sealgate never does that: reject the "
                       "recipients, or give the route a host")  # fmt: skip
        return None
    try:
        row = validated_row("routes", {"domain": name, "hosts": hosts})
    except ConfigurationError as error:
        findings.refused(element, name, error)
        return None
    return None if seen.twice(row["domain"], element) else row


def _by_priority(element: Element, findings: Findings) -> list[str]:
    found = [host for child in element.children if _is_about(child, _HOSTS) for host in _hosts(child)]
    ranks = [rank for rank, _ in found]
    if len(set(ranks)) < len(ranks):
        findings.change(element, "hosts of one priority were used in turn; here each is tried in the order of the file")
    return [host for _, host in sorted(found, key=lambda each: each[0])]


def _is_about(element: Element, parts: tuple[str, ...]) -> bool:
    return any(part in element.tag.lower() for part in parts)


def _hosts(element: Element) -> Iterator[tuple[int, str]]:
    """(priority, host) of each host of an element: text, or host, port and priority as elements."""
    if not element.children:
        for part in filter(None, re.split(r"[\s,]+", element.value)):
            yield _host(part)
        return
    if any(child.children for child in element.children) or _is_list(element):
        for child in element.children:
            yield from _hosts(child)
        return
    names, port, priority = "", "", ""
    for child in element.children:
        if "port" in child.tag:
            port = child.value
        elif "pri" in child.tag:
            priority = child.value
        else:
            names = names or child.value
    bracketed = f"[{names}]" if ":" in names and port and not names.startswith("[") else names
    yield _host(bracketed + (f":{port}" if port else "") + (f"/pri={priority}" if priority else ""))


def _is_list(element: Element) -> bool:
    return len(element.children) > 1 and all(_is_about(child, _HOSTS) for child in element.children)


def _host(text: str) -> tuple[int, str]:
    match = _PRIORITY.search(text)
    host = text[: match.start()] if match else text
    return int(match[1]) if match else 0, MX if host.upper() == "USEDNS" else host
