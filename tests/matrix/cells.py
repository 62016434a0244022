"""Many cells at once through one running gateway: a domain for each, a message for each, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sealgate.event.facts import Bounced, Delayed, Delivered, TlsSucceeded
from sealgate.journal.tail import records
from tests.matrix.hops import CLEAR, UNSAID, Place
from tests.matrix.table import DELIVERY_WORDS
from tests.running import Gateway, Settings, eventually
from tests.smtp_client import greeted

SENDER = "me@sender.example"


@dataclass(frozen=True, slots=True)
class Cell:
    """One next hop under one level, by the name it has in a failing test."""

    name: str
    place: Place
    level: str

    @property
    def domain(self) -> str:
        """Its own destination."""
        return f"{''.join(char if char.isalnum() else '-' for char in self.name.lower())}.matrix.example"


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of a message: over what it was delivered, a version or `clear`, or why it was not."""

    over: str | None = None
    verified: bool | None = None
    kept: str = ""
    reason: str = ""

    @property
    def in_versions(self) -> str:
        """As a grid of versions says it."""
        return self.over or self.reason

    def in_levels(self, level: str) -> str:
        """As a grid of levels says it; a certificate counts where the level verifies it."""
        if self.over is None:
            return f"{self.kept}: {self.reason}"
        if self.over == CLEAR:
            return CLEAR
        if not level.endswith("verify"):
            return "TLS"
        return "TLS, verified" if self.verified else "TLS, unverified"


def install(gate: Gateway, first: Settings, cells: Iterable[Cell], selection: str, trust_file: str) -> None:
    """Route the domain of each cell to its place, under its level, all with one selection of versions."""
    settings: dict[str, Any] = {**first}
    chosen = list(cells)
    settings["gateway"] = {**first["gateway"], "accepted_domains": [".matrix.example"]}
    settings["delivery"] = {"retry_first": 3600.0, "retry_max": 7200.0, "trust_file": trust_file}
    settings["routes"] = [{"domain": cell.domain, "hosts": [f"127.0.0.1:{cell.place.port}"]} for cell in chosen]
    settings["destinations"] = [{"domain": cell.domain, "tls": cell.level} for cell in chosen]
    settings["tls"] = {**first["tls"], "outbound_smtp": {"versions": versions_of(selection)}}
    gate.load(settings)


def versions_of(selection: str) -> list[str]:
    """`1.1-1.3` in full."""
    lowest, _, highest = selection.partition("-")
    return [number for number in ("1.0", "1.1", "1.2", "1.3") if lowest <= number <= (highest or lowest)]


def fates(gate: Gateway, cells: Iterable[Cell]) -> dict[str, Fate]:
    """Send each cell its message, and say what came of it, by the name of the cell."""
    sent = {submit(gate, f"you@{cell.domain}", _mark(cell)): cell for cell in cells}
    found: dict[int, Fate] = {}

    def settled() -> bool:
        found.update(fates_of(gate, set(sent) - set(found)))
        return len(found) == len(sent)

    eventually(settled, within=60, why=lambda: f"no fate: {[sent[mid].name for mid in set(sent) - set(found)]}")
    return {cell.name: _confirmed(cell, found[mid]) for mid, cell in sent.items()}


def _mark(cell: Cell) -> str:
    """What its message can be told by."""
    return f"Subject: cell {cell.domain}."


def submit(gate: Gateway, recipient: str, *lines: str) -> int:
    """Give the gateway a message, and have its MID."""
    with closing(greeted(gate.ports["public"])) as client:
        for command in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{recipient}>", "DATA"):
            answer = client.say(command)
            assert answer[:1] in "23", answer
        answer = client.say(*lines, "", "Hello.", ".")
        assert answer.startswith("250"), answer
        return int(answer.split("Message ")[1].split()[0])


def fates_of(gate: Gateway, mids: set[int]) -> dict[int, Fate]:
    """What came of these messages, as far as it is known."""
    time.sleep(0.1)  # the whole record is read each time
    found, agreed = {}, {}
    for record in records(gate.home / "logs"):
        match record.event:
            case TlsSucceeded() as event:
                agreed[event.connection] = event.outcome
            case Delivered() as event if event.mid in mids:
                outcome = agreed.get(event.dcid)
                found[event.mid] = Fate(outcome.version.number, outcome.verified) if outcome else Fate(CLEAR)
            case Delayed() as event if event.mid in mids:
                found[event.mid] = Fate(kept="waits", reason=_reason(event))
            case Bounced() as event if event.mid in mids:
                found[event.mid] = Fate(kept="bounces", reason=_reason(event))
    return found


def _reason(event: Delayed | Bounced) -> str:
    """The short name of the reason, or the reason itself if the table does not know it."""
    said = f"{event.reason}: {' '.join(event.lines)}"
    return next((key for key, words in DELIVERY_WORDS.items() if words in said), said)


def _confirmed(cell: Cell, fate: Fate) -> Fate:
    """The fate, once the next hop has been asked whether it agrees."""
    came = cell.place.arrived(_mark(cell))
    if fate.over is None:
        assert came is None, f"{cell.name}: {fate.reason}, but it came over {came}"
        return fate
    if came is None:  # Postfix and Exim deliver after their 250
        came = eventually(lambda: cell.place.arrived(_mark(cell)), why=lambda: f"{cell.name} is not there")
    assert came in (fate.over, UNSAID), f"{cell.name}: delivered over {fate.over}, but it came over {came}"
    return fate
