"""`sealgate verify`: real handshakes with everything that runs, one version at a time."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from sealgate.cli.client import ask
from sealgate.cli.words import Words, add

_MARKS = {True: "yes", False: "no"}


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Its one command."""
    parser = add(
        words,
        "verify",
        run,
        "Try by handshakes which TLS every port speaks.",
        "Each port, each worker and each client is tried with every version alone: selected ones must work with the"
        " certificate that is configured, all others must be refused for their version. The exit status is 1 if"
        " anything is otherwise.",
    )
    parser.add_argument("--json", action="store_true", help="every trial, for programs")


def run(options: argparse.Namespace) -> int:
    """Ask, and print a table."""
    answer = ask(options.door, "verify")
    if options.json:
        print(json.dumps(answer, indent=2))
        return 0 if answer["passed"] else 1
    versions = ("1.0", "1.1", "1.2", "1.3")
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for trial in answer["all"]:
        rows.setdefault((trial["service"], trial["place"]), {})[trial["version"]] = _word(trial)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else [0, 0]
    heads = "  ".join(f"TLS {version:<4}" for version in versions)
    print(f"{'service':<{widths[0]}}  {'where':<{widths[1]}}  {heads}")
    for (service, place), cells in rows.items():
        line = "  ".join(f"{cells.get(version, ''):<8}" for version in versions)
        print(f"{service:<{widths[0]}}  {place:<{widths[1]}}  {line}".rstrip())
    for failure in answer["failures"]:
        print(f"FAILED: {failure}")
    print(f"{answer['trials']} handshakes: {'all' if answer['passed'] else 'not all'} as configured.")
    return 0 if answer["passed"] else 1


def _word(trial: Mapping[str, Any]) -> str:
    if not trial["passed"]:
        return "FAILED"
    return _MARKS[trial["expected"]]
