"""The recipient access table of the public listener: which domains and addresses mail is taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sealgate.config.asyncos.element import Element
from sealgate.config.asyncos.finding import Findings, Seen
from sealgate.config.problem import ConfigurationError
from sealgate.config.validation import validated_row

_ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Domains that are accepted whole, and rows for what differs."""

    domains: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def count(self) -> int:
        """How many recipients the table names."""
        return len(self.domains) + len(self.rows)


def read_recipients(listeners: list[Element], findings: Findings) -> Recipients | None:
    """The table of the first listener that has one; None if none has."""
    tables = [table for listener in listeners for table in listener.named("rat")]
    if not tables:
        return None
    for other in tables[1:]:
        if _signature(other) != _signature(tables[0]):
            findings.leave(other, "it differs from the table of the first listener, and here one table is for all")
    domains: list[str] = []
    rows: list[dict[str, Any]] = []
    seen = Seen(findings)
    for entry in tables[0].children:
        for row in _rows(entry, findings, seen):
            plain = row["action"] == "accept" and "@" not in row["recipient"]
            domains.append(row["recipient"]) if plain else rows.append(row)
    return Recipients(tuple(domains), tuple(rows))


def _signature(table: Element) -> list[tuple[str, ...]]:
    return [tuple(child.value.lower() for child in entry.children) for entry in table.children]


def _rows(entry: Element, findings: Findings, seen: Seen) -> list[dict[str, Any]]:
    access = entry.first("access")
    action = "" if access is None else access.value.lower()
    if action not in ("accept", "reject"):
        findings.problem(access or entry, f"{action or 'nothing'!r} is no access; it is ACCEPT or REJECT")
        return []
    addresses = list(entry.named("rat_address"))
    if not addresses:
        findings.problem(entry, "this row of the recipient access table names no recipient (<rat_address>)")
    reply = _reply(entry, action, findings)
    rows = (_row(address, action, reply, findings, seen) for address in addresses)
    return [row for row in rows if row is not None]


def _row(address: Element, action: str, reply: str | None, findings: Findings, seen: Seen) -> dict[str, Any] | None:
    name = address.value
    if seen.twice(name, address):
        return None
    if name.upper() == _ALL:
        if action == "accept":
            findings.leave(address, "mail for every domain there is was accepted: an open relay; name your domains")
        return None  # and what is not accepted is refused here as well
    if "[" in name:
        findings.leave(address, f"mail for {name} goes to an address literal, which is never accepted here")
        return None
    try:
        return validated_row("recipient_access", {"recipient": name, "action": action, "reply": reply})
    except ConfigurationError as error:
        findings.refused(address, name, error)
    return None


def _reply(entry: Element, action: str, findings: Findings) -> str | None:
    """The text behind 550 of a row that rejects; whatever else it asks for is left out."""
    reply: str | None = None
    for parameter in (each for group in entry.named("rat_params") for each in group.children):
        text = " ".join(parameter.value.split())
        if not text or text.lower() in ("0", "no", "false", "off"):
            continue
        if parameter.tag == "smtp_response_text" and action == "reject":
            try:
                validated_row("recipient_access", {"recipient": "any.invalid", "reply": text})
            except ConfigurationError:
                findings.leave(parameter, "a reply is one line of up to 200 printable ASCII characters; the gateway's "
                               "own sentence stands for it")  # fmt: skip
            else:
                reply = text
        elif not (parameter.tag == "smtp_response_code" and text in ("250", "550")):
            findings.leave(parameter, _PARAMETERS.get(parameter.tag, "Sealgate has no such setting for a recipient"))
    for child in entry.children:
        if child.tag not in ("rat_address", "access", "rat_params"):
            findings.leave(child, "Sealgate has no such setting for a recipient")
    return reply


_PARAMETERS = {
    "smtp_response_code": "a rejected recipient is answered with 550 here, always",
    "smtp_response_text": "an accepted recipient has one reply here, always",
    "bypass_ldap_accept": "recipients are not looked up in a directory here, so there is nothing to bypass",
    "bypass_receiving_control": "limits hold for every recipient here",
}
