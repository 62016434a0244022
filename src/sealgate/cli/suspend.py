"""`sealgate suspend` and `sealgate resume`: listeners, delivery, one destination, or all of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from sealgate.cli.client import ask
from sealgate.cli.text import local, warn_of_silent
from sealgate.cli.words import Run, Words, add, group
from sealgate.mail.text import printable
from sealgate.store.suspensions import ANY

_LISTENER = (
    "New connections are answered 421, or just closed where TLS comes first; open sessions end after the message "
    "under way."
)
_DELIVERY = "Messages under way are finished, and nothing else leaves. What waits does not grow too old meanwhile."
_KEPT = "A suspension outlives restarts, until it is resumed; `sealgate status` shows it."


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare both words."""
    suspend = group(words, "suspend", "WHAT", f"Suspend a listener, delivery, a destination, or all. {_KEPT}")
    resume = group(words, "resume", "WHAT", "End a suspension; what is due and was kept back goes at once.")
    for acts, op, more in ((suspend, "suspend", _LISTENER), (resume, "resume", "")):
        verb = op.capitalize()
        one = add(acts, "listener", _run(op, _listener), f"{verb} a listener, or all listeners.", more)
        one.add_argument("name", nargs="?", default=ANY, metavar="NAME", help="its name; all if none is given")
    for acts, op, more in ((suspend, "suspend", _DELIVERY), (resume, "resume", "")):
        verb = op.capitalize()
        add(acts, "delivery", _run(op, lambda _: [("delivery", "")]), f"{verb} delivery as a whole.", more)
        one = add(acts, "destination", _run(op, _destination), f"{verb} delivery to a destination.", more)
        one.add_argument("name", metavar="DOMAIN", help="a domain of recipients, or .domain for all below it")
    add(suspend, "all", _run("suspend", _everything), "Suspend all listeners and delivery.", f"{_LISTENER} {_DELIVERY}")
    add(resume, "all", _run("resume", lambda _: []), "Resume everything that is suspended.")


def _listener(options: argparse.Namespace) -> list[tuple[str, str]]:
    return [("listener", options.name)]


def _destination(options: argparse.Namespace) -> list[tuple[str, str]]:
    return [("destination", options.name)]


def _everything(options: argparse.Namespace) -> list[tuple[str, str]]:
    return [("listener", ANY), ("delivery", "")]


def _run(op: str, what: Any) -> Run:
    def run(options: argparse.Namespace) -> int:
        return told(ask(options.door, op, {"what": what(options)}))

    return run


def told(answer: Mapping[str, Any]) -> int:
    """Say what has changed, or that nothing had to."""
    for line in told_lines(answer):
        print(line)
    return warn_of_silent(answer["silent"], OBEYS_LATER)


OBEYS_LATER = "it obeys as soon as it runs again"


def told_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """What has changed, or that nothing had to."""
    for words in answer["begun"]:
        yield f"Suspended: {printable(words)}."
    for words in answer["ended"]:
        yield f"Resumed: {printable(words)}."
    if not (answer["begun"] or answer["ended"]):
        yield "Nothing had to be changed; see what is suspended with: sealgate status"


def suspended_lines(suspended: list[dict[str, Any]]) -> list[str]:
    """What is suspended, by whom and since when."""
    return [f"{printable(one['words'])}, by {printable(one['who'])} since {local(one['at'])}" for one in suspended]
