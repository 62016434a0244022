"""One-shot forms of the commit family, for scripts: `sealgate commit`, `confirm`, `showchanges` and the others."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from sealgate.cli.client import ask
from sealgate.cli.commands import stored
from sealgate.cli.dialogue.committing import committed_lines, failure_line, number_of_minutes, refused_lines
from sealgate.cli.dialogue.history import act_lines, revision_lines
from sealgate.cli.dialogue.pending import pending_lines
from sealgate.cli.words import Words, add
from sealgate.config.problem import ConfigurationError
from sealgate.control import offline
from sealgate.control.passphrases import with_operators_of
from sealgate.net.tls.library import measure_library
from sealgate.process.lock import HomeInUse
from sealgate.store.revisions import Revisions


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare them."""
    one = add(words, "commit", commit, "Put your uncommitted changes into force.")
    one.add_argument("comment", nargs="?", default="", metavar="COMMENT", help="kept with the revision")
    one.add_argument(
        "--confirm",
        type=number_of_minutes,
        metavar="MINUTES",
        help="take it back by itself unless it is confirmed by then",
    )
    add(words, "confirm", confirm, "Keep a commit that waits to be confirmed.")
    add(words, "showchanges", show_changes, "Show your changes since the last commit.")
    add(words, "clearchanges", clear_changes, "Drop your changes since the last commit.")
    one = add(words, "revisions", revisions, "List the configurations that were in force, newest first.")
    _limit(one, 20)
    one = add(
        words,
        "rollback",
        rollback,
        "Put an earlier configuration into force again.",
        "With --offline it does so on a gateway that is stopped, as the way back when none leads into it.",
    )
    one.add_argument("revision", type=int, metavar="REVISION", help="its number in `sealgate revisions`")
    one.add_argument("--offline", action="store_true", help="on a gateway that is stopped")
    one = add(words, "audit", audit, "Show what operators have done, newest first.")
    _limit(one, 50)
    one.add_argument("--json", action="store_true", help="one act a line, complete, for programs")


def _limit(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument("--limit", type=int, default=default, metavar="N", help="how many (default: %(default)s)")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def commit(options: argparse.Namespace) -> int:
    """The candidate of whoever runs this."""
    return _put_in_force(options, options.comment, options.confirm)


def _put_in_force(options: argparse.Namespace, comment: str, minutes: float | None) -> int:
    answer = ask(options.door, "commit", {"comment": comment, "minutes": minutes})
    if "revision" in answer:
        _print(committed_lines(answer))
        if (line := failure_line(answer)) is None:
            return 0
        print(line, file=sys.stderr)
        return 1
    for line in refused_lines(answer):
        print(line, file=sys.stderr)
    return 1


def confirm(options: argparse.Namespace) -> int:
    """It stays."""
    print(f"Revision {ask(options.door, 'confirm')['revision']} is confirmed.")
    return 0


def show_changes(options: argparse.Namespace) -> int:
    """The differences."""
    _print(pending_lines(ask(options.door, "candidate"), ask(options.door, "diff")))
    return 0


def clear_changes(options: argparse.Namespace) -> int:
    """Forget the candidate."""
    there = ask(options.door, "discard")["discarded"]
    print("Changes cleared." if there else "There are no changes to clear.")
    return 0


def revisions(options: argparse.Namespace) -> int:
    """What was in force."""
    _print(revision_lines(ask(options.door, "revisions", {"limit": options.limit})["revisions"]))
    return 0


def audit(options: argparse.Namespace) -> int:
    """Who did what."""
    acts = ask(options.door, "audit", {"limit": options.limit})["acts"]
    _print(map(json.dumps, acts) if options.json else act_lines(acts))
    return 0


def rollback(options: argparse.Namespace) -> int:
    """An old configuration as a new revision."""
    comment = f"rollback to revision {options.revision}"
    if options.offline:
        return _rollback_offline(options, comment)
    if ask(options.door, "candidate")["pending"]:
        print(
            "There are uncommitted changes, which a rollback would replace; first: sealgate clearchanges",
            file=sys.stderr,
        )
        return 1
    if not ask(options.door, "rollback", {"revision": options.revision})["pending"]:
        print(f"Revision {options.revision} is what is in force: nothing was changed.")
        return 0
    return _put_in_force(options, comment, None)


def _rollback_offline(options: argparse.Namespace, comment: str) -> int:
    options.door.no_operator("a rollback while nothing runs")
    store = stored(options.home)
    try:
        with offline.at_rest(options.home):
            return _add_again(options, store, comment)
    except HomeInUse as error:
        print(f"{error}, or go back without --offline", file=sys.stderr)
        return 1


def _add_again(options: argparse.Namespace, store: Revisions, comment: str) -> int:
    found = store.get(options.revision)
    if found is None:
        known = ", ".join(str(entry.number) for entry in store.list()) or "none"
        print(f"There is no revision {options.revision}; there are: {known}", file=sys.stderr)
        return 1
    current = store.current()
    assert current is not None
    configuration = with_operators_of(current.configuration, found.configuration)
    try:
        added = offline.store(options.home, configuration, "rollback", comment, measure_library())
    except ConfigurationError as error:
        print(f"Revision {options.revision} cannot run any more:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 1
    print(f"Revision {added.number} is revision {options.revision} again; it is in force when the gateway is started.")
    return 0
