"""`sealgate hosts` and `sealgate host`: the destinations that mail waits for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from sealgate.cli.client import ask
from sealgate.cli.suspend import suspended_lines
from sealgate.cli.text import local, warn_of_silent
from sealgate.cli.words import Words, add
from sealgate.mail.address import Address
from sealgate.mail.text import printable
from sealgate.store.suspensions import Suspension, Suspensions

_COUNTS = ("messages", "recipients", "deferred", "held", "connections")


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare both words."""
    more = "Those with the most recipients come first; what the latest attempt said stands below."
    hosts = add(words, "hosts", show_hosts, "List the destinations that mail waits for.", more)
    hosts.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: %(default)s)")
    hosts.add_argument("--json", action="store_true", help="for scripts: one JSON object a line")
    host = add(words, "host", show_host, "Show one destination: what waits for it, and why.")
    host.add_argument("domain", metavar="DOMAIN", help="the domain of recipients")


def show_hosts(options: argparse.Namespace) -> int:
    """A table, the busiest first."""
    answer = ask(options.door, "hosts", {"limit": max(1, options.limit)})
    suspensions = _suspensions(options)
    if options.json:
        for host in answer["hosts"]:
            print(json.dumps({**host, "suspended": suspensions.destination(host["domain"])}))
        return warn_of_silent(answer["silent"], "what waits there is not counted")
    if not answer["hosts"]:
        print("No mail waits for any destination.")
    else:
        print(f"{'messages':>10}{'recipients':>12}{'deferred':>10}{'held':>8}{'connections':>13}  destination")
    for host in answer["hosts"]:
        counts = "".join(f"{host[name]:>{len(name) + 2 if name != 'held' else 8}}" for name in _COUNTS)
        mark = "  suspended" if suspensions.destination(host["domain"]) else ""
        print(f"{counts}  {printable(host['domain'])}{mark}{_next(host)}")
        if host["said"]:
            print(f"{'':>12}{printable(host['said'])}")
    if answer["more"]:
        print("There are more; --limit shows more of them.")
    return warn_of_silent(answer["silent"], "what waits there is not counted")


def show_host(options: argparse.Namespace) -> int:
    """One destination in full."""
    domain = Address("", options.domain.removesuffix(".")).domain_key
    answer = ask(options.door, "hosts", {"limit": 1, "domains": [domain]})
    status = ask(options.door, "status")
    (host,) = answer["hosts"] or [{**dict.fromkeys((*_COUNTS, "queued"), 0), "next_attempt": None, "said": ""}]
    print(f"Destination:  {printable(domain)}")
    for name in ("messages", "recipients", "queued", "deferred", "held", "connections"):
        print(f"{name.capitalize() + ':':<14}{host[name]}")
    if host["next_attempt"] is not None:
        print(f"Next attempt: {local(host['next_attempt'])}")
    if host["said"]:
        print(f"Last words:   {printable(host['said'])}")
    for one in status["suspended"]:
        if Suspensions([_suspension(one)]).destination(domain):
            print(f"Suspended:    {suspended_lines([one])[0]}")
    return warn_of_silent(answer["silent"], "what waits there is not counted")


def _next(host: Mapping[str, Any]) -> str:
    return "" if host["next_attempt"] is None else f"  next attempt {local(host['next_attempt'])}"


def _suspensions(options: argparse.Namespace) -> Suspensions:
    return Suspensions(_suspension(one) for one in ask(options.door, "status")["suspended"])


def _suspension(one: Mapping[str, Any]) -> Suspension:
    return Suspension(one["kind"], one["name"], one["who"], one["at"])
