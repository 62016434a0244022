"""What each command asks and how its answer is shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sealgate import __version__
from sealgate.cli.client import NotRunning, ask
from sealgate.cli.dialogue.difference import open_lines
from sealgate.cli.door import Door, Refused
from sealgate.cli.imported import imported_lines
from sealgate.cli.suspend import suspended_lines
from sealgate.cli.text import note_lines, warn_of_silent
from sealgate.config.asyncos.element import LARGEST
from sealgate.config.document import decoded, is_asyncos, parse, render
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.weakness import weaknesses
from sealgate.control import offline
from sealgate.control.backup import finish_restore
from sealgate.net.tls.library import measure_library
from sealgate.process.lock import HomeInUse
from sealgate.store.copy import check_home
from sealgate.store.revisions import Revisions

PATIENCE = 5.0
"""Seconds for a gateway that is just ending."""


def version(options: argparse.Namespace) -> int:
    """The version of the gateway and of the TLS library it is linked with."""
    print("\n".join(version_lines()))
    return 0


def version_lines() -> Iterator[str]:
    """What `version` says."""
    library = measure_library()
    yield f"Version: {__version__}"
    yield f"TLS library: {library.name}"
    yield f"TLS versions: {', '.join(each.label for each in sorted(library.versions))}"


def status(options: argparse.Namespace) -> int:
    """What runs, how much waits, and what is to be committed or confirmed."""
    answer = ask(options.door, "status")
    for line in (*status_lines(answer, options.home), *open_lines(ask(options.door, "candidate"))):
        print(line)
    if answer["fault"]:
        print(f"sealgate: {answer['fault']}", file=sys.stderr)
    warn_of_silent(answer["silent"], "its queue is not counted")  # and its line says whether it runs
    return int(bool(answer["fault"]))


def status_lines(answer: Mapping[str, Any], home: Path) -> Iterator[str]:
    """What runs and what is suspended, from the answer to `status`."""
    running = answer["running"]
    yield f"Version:  {answer['version']}"
    yield f"Home:     {home}"
    yield f"Revision: {running['revision']}"
    for child in running["children"]:
        extra = answer["workers"].get(child["child"], {})
        state = f"process {child['pid']}" if child["pid"] else "not running"
        counts = "".join(f", {extra[key]} {key}" for key in ("sessions", "messages") if key in extra)
        restarts = f", restarted {child['restarts']} times" if child["restarts"] else ""
        yield f"{child['child']:<9} {state}{counts}{restarts}"
    for line in suspended_lines(answer["suspended"]):
        yield f"Suspended: {line}"


def showconfig(options: argparse.Namespace) -> int:
    """The configuration in force, or the stored one when nothing runs; secrets are masked unless asked for."""
    if options.door.name is not None:
        print(ask(options.door, "showconfig", {"secrets": options.secrets})["text"], end="")
        return 0
    revision = stored(options.home).current() if options.home.exists() else None
    if revision is None:
        there = f"There is no configuration in {options.home}"
        print(f"{there}; make one with: sealgate --home {options.home} init", file=sys.stderr)
        return 1
    print(render(revision.configuration, mask=not options.secrets), end="")
    return 0


def loadconfig(options: argparse.Namespace) -> int:
    """Put a configuration file into force; with every problem named, nothing changes. One of AsyncOS becomes the
    candidate of whoever asks."""
    try:
        text = read_text(options.file)
        if is_asyncos(text):
            return _load_asyncos(options.door, text)
        number = _load(options.door, text, options.comment)
    except OSError as error:
        print(f"cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return 1
    except ConfigurationError as error:
        return _unchanged(error)
    print(f"Revision {number} is in force.")
    for line in note_lines(weaknesses(parse(text), measure_library())):
        print(line)
    return 0


def read_text(file: str) -> str:
    """The text of a configuration file, `-` for standard input; OSError or ConfigurationError say why not."""
    if file != "-":
        with Path(file).open("rb") as stream:
            return decoded(stream.read(LARGEST + 1))
    source = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if source is None else decoded(source.read(LARGEST + 1))


def _unchanged(error: ConfigurationError) -> int:
    print("The configuration was not changed:", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    return 1


def _load_asyncos(door: Door, text: str) -> int:
    """Always a candidate: it is to be looked at, with its banner and what was left out, before it is committed."""
    try:
        answer = ask(door, "load", {"text": text})
    except NotRunning as error:
        raise NotRunning(f"{error}; for a new home there is sealgate init --from FILE") from None
    if "refused" in answer:
        return _unchanged(ConfigurationError(Problem(*each) for each in answer["refused"]))
    for line in imported_lines(answer["imported"]):
        print(line)
    for path, sentence in answer["problems"]:
        print(f"Problem: {Problem(path, sentence)}")
    for line in note_lines(Problem(*each) for each in answer["remarks"]):
        print(line)
    if not answer["pending"]:
        print("This is what is in force already: there is nothing to commit.")
        return 0
    print("These are uncommitted changes: the gateway runs as before.")
    print(f"Look at them and put them into force: sealgate --home {door.home} cli, then showchanges, then commit.")
    return 0


def _load(door: Door, text: str, comment: str) -> int:
    try:
        answer = ask(door, "loadconfig", {"text": text, "comment": comment})
    except NotRunning:
        door.no_operator("loading a configuration while nothing runs")
        return _load_offline(door.home, text, comment)
    if "problems" in answer:
        raise ConfigurationError(tuple(Problem(*each) for each in answer["problems"]))
    return int(answer["revision"])


def _load_offline(home: Path, text: str, comment: str) -> int:
    stored(home)
    try:
        with offline.at_rest(home, PATIENCE):
            return offline.store(home, parse(text), "loadconfig", comment, measure_library()).number
    except HomeInUse as error:
        raise Refused(f"{error}, or try again: its control process did not answer") from error


def stored(home: Path) -> Revisions:
    """The revisions of a home; a restore that was cut short is finished first."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    finish_restore(home)
    check_home(home)
    return Revisions(home / "revisions.db")
