"""Destination controls: TLS and limits for mail to one domain, and for mail to all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sealgate.config.asyncos.element import Element, shortened
from sealgate.config.asyncos.finding import Findings, Seen
from sealgate.config.problem import ConfigurationError
from sealgate.config.validation import validated_row

TABLES = ("destination_controls", "destconfig", "dest_config", "destinations", "destination_config", "dest_controls")

_LEVELS = {
    **dict.fromkeys(("0", "off", "no", "none"), "no"),
    **dict.fromkeys(("1", "on", "preferred"), "preferred"),
    **dict.fromkeys(("2", "required"), "required"),
    **dict.fromkeys(("3", "on_verify", "preferred_verify"), "preferred-verify"),
    **dict.fromkeys(("4", "require_verify", "required_verify"), "required-verify"),
    **dict.fromkeys(("5", "6", "required_verify_hosted_domains", "require_verify_hosted_domains", "hosted_verify"),
                    "required-verify"),
}  # fmt: skip
_FAMILIES = {
    "prefer_v6": "ipv6-first",
    "prefer_v4": "ipv4-first",
    "require_v6": "ipv6",
    "required_v6": "ipv6",
    "require_v4": "ipv4",
    "required_v4": "ipv4",
}
_COUNTS = {
    "max_host_concurrency": ("connections", "connections_per_destination", 10_000),
    "max_messages_per_connection": ("messages_per_connection", "messages_per_connection", 100_000),
}
"""The setting of a destination, that of delivery, and the most that they take."""

_REASONS = {
    "recipient_minutes": "Sealgate has no limit of recipients by time for a destination",
    "recipient_limit": "Sealgate has no limit of recipients by time for a destination",
    "limit_apply": "limits hold for the whole gateway; there are no virtual gateways",
    "bounce_profile": "there is one set of retry times, under delivery",
    "bounce_validation": "envelope senders are not tagged here",
    "send_tls_req_alert": "alerts are not there yet; the mail log has each failure",
    "certificate": "certificates and their keys are not read from a file; name a profile in delivery.certificate",
    "ip_sort_pref": "the family of addresses is one setting for all destinations, delivery.family",
}


@dataclass(frozen=True, slots=True)
class Destinations:
    """Rows for single domains, and settings of delivery for the rest."""

    rows: tuple[dict[str, Any], ...]
    delivery: dict[str, Any]


def read_destinations(tables: list[Element], findings: Findings) -> Destinations:
    """All destination controls of a file."""
    seen = Seen(findings)
    rows: list[dict[str, Any]] = []
    delivery: dict[str, Any] = {}
    for element in (each for table in tables for each in table.children):
        if not element.children:
            findings.leave(element, _REASONS.get(element.tag, "Sealgate has no such setting for destinations"))
            continue
        found = next(element.about("domain"), None)
        name = found.value if found is not None else element.attributes.get("name", "")
        if not name and "default" in element.tag.lower():
            name = "DEFAULT"
        if not name:
            findings.problem(element, "this row of the destination controls names no domain (<domain>)")
        elif not seen.twice(name, element):
            everything = name.upper() in ("DEFAULT", "ALL")
            settings = _settings(element, found, everything, findings)
            if everything:
                delivery |= settings
            else:
                rows += _validated(element, {"domain": name, **settings}, findings)
    return Destinations(tuple(rows), delivery)


def _validated(element: Element, row: dict[str, Any], findings: Findings) -> list[dict[str, Any]]:
    try:
        good = validated_row("destinations", row)
    except ConfigurationError as error:
        findings.refused(element, row["domain"], error)
        return []
    return [good]


def _settings(row: Element, domain: Element | None, everything: bool, findings: Findings) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for child in row.children:
        text = child.value.lower()
        if child is domain or not text or text == "default":
            continue
        if child.tag == "tls" or child.tag.endswith("_tls"):
            settings |= _level(child, text, findings)
        elif child.tag in _COUNTS:
            setting, default, most = _COUNTS[child.tag]
            settings |= _count(child, text, default if everything else setting, most, findings)
        elif child.tag == "ip_sort_pref" and everything and text in _FAMILIES:
            settings["family"] = _FAMILIES[text]
        elif child.tag == "limit_type":
            if text not in ("0", "host"):
                findings.change(child, "limits were for each host; here the connections are those of the whole domain")
        elif not (child.tag == "limit_apply" and text in ("0", "system")):
            findings.leave(child, _REASONS.get(child.tag, "Sealgate has no such setting for destinations"))
    return settings


def _level(element: Element, text: str, findings: Findings) -> dict[str, Any]:
    level = _LEVELS.get(text.replace("-", "_").replace(" ", "_"))
    if level is None:
        findings.problem(element, f"{shortened(element.value)!r} is no TLS of a destination; it is one of off, on, "
                         "required, on_verify, require_verify")  # fmt: skip
        return {}
    if "hosted" in text or text in ("5", "6"):
        findings.change(element, "verification for hosted domains has become required-verify: the certificate must be "
                        "for the host that DNS or the route names, or for server_name")  # fmt: skip
    return {"tls": level}


def _count(element: Element, text: str, setting: str, most: int, findings: Findings) -> dict[str, Any]:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        findings.problem(element, f"{shortened(element.value)!r} is no limit; write a whole number from 1 on")
        return {}
    if int(text) > most:
        findings.change(element, f"{int(text)} is more than the {most} that can be set here, and has become that")
    return {setting: min(int(text), most)}
