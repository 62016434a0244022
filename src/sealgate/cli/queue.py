"""`sealgate queue`: what waits, and what an operator does to it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sealgate.cli.client import ask
from sealgate.cli.queue_show import message_lines, queue_show
from sealgate.cli.selection import add_choice, add_filters, choice_of, filters_of
from sealgate.cli.text import confirmed, many, silent_lines, warn_of_silent
from sealgate.cli.words import Words, add, group
from sealgate.delivery.selection import Selection

PAGE = 200
"""Messages that are asked for at a time."""

_BUSY = "An attempt that is under way at this moment is not touched, and the answer says so."


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare `queue` and its acts."""
    acts = group(words, "queue", "ACT", "List and show what waits; hold, release, retry, bounce and delete it.")
    _add_list(acts)
    show = add(acts, "show", queue_show, "Show one message: its envelope, its recipients, and what they wait for.")
    show.add_argument("mid", type=int, metavar="MID", help="the number of the message")
    show.add_argument("--headers", action="store_true", help="print its header instead, as it was received")
    show.add_argument("--body", action="store_true", help="print its body instead; with --headers the whole message")
    hold = "A message is held as a whole, for all its recipients. It is not tried and does not grow too old, also"
    more = f"{hold} after a restart, until it is released. {_BUSY}"
    add_choice(add(acts, "hold", _act("hold"), "Put messages on hold.", more))
    add_choice(add(acts, "release", _act("release"), "End the hold of messages; they go on where they stood."))
    more = f"A message on hold is not tried. {_BUSY}"
    add_choice(add(acts, "retry", _act("retry"), "Try deferred messages now, all or some.", more))
    more = f"The sender is told, as of any failure, unless he wished not to be (NOTIFY). {_BUSY}"
    bounce = add(acts, "bounce", _act("bounce"), "Give up recipients and tell the sender.", more)
    add_choice(bounce)
    bounce.add_argument("--reason", default="", metavar="TEXT", help="what the sender is told")
    bounce.add_argument("--yes", action="store_true", help="do not ask whether what a filter found is meant")
    more = f"Nobody is told. A terminal is asked first; elsewhere --yes must be given. {_BUSY}"
    delete = add(acts, "delete", _act("delete"), "Remove recipients, and messages that have no other.", more)
    add_choice(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _add_list(acts: Words[argparse.ArgumentParser]) -> None:
    listing = add(acts, "list", queue_list, "List the messages that wait, in the order of their MIDs.")
    add_filters(listing)
    listing.add_argument(
        "--limit", type=int, default=100, metavar="N", help="at most so many; 0 for all (default: %(default)s)"
    )
    listing.add_argument("--count", action="store_true", help="only count them")
    listing.add_argument("--json", action="store_true", help="for scripts: one JSON object a line")


def queue_list(options: argparse.Namespace) -> int:
    """The messages that wait and match."""
    selection = filters_of(options)
    if options.count:
        return _count(options, selection)
    shown = 0
    silent: list[str] = []
    for message in _messages(options, selection, silent):
        shown += 1
        if options.json:
            print(json.dumps(message))
        else:
            print("\n".join(message_lines(message)))
    if not shown and not options.json and not silent:
        print("The queue is empty." if selection.is_all else "No message in the queue matches.")
    return warn_of_silent(silent, "its messages are not listed")


def _messages(options: argparse.Namespace, selection: Selection, silent: list[str]) -> Iterator[Mapping[str, Any]]:
    """Page after page, so that neither side ever holds all of a large queue."""
    after, left = 0, options.limit or sys.maxsize
    while left > 0:
        body = {"selection": selection.to_body(), "after": after, "limit": min(PAGE, left)}
        answer = ask(options.door, "queue-list", body)
        silent[:] = sorted({*silent, *answer["silent"]})
        yield from answer["messages"]
        left -= len(answer["messages"])
        if not answer["more"] or not answer["messages"]:
            return
        after = answer["messages"][-1]["mid"]
    if not options.json:
        print(f"There are more; --limit {2 * options.limit} shows more of them, --limit 0 all.")


def _counted(options: argparse.Namespace, selection: Selection) -> dict[str, Any]:
    answer = ask(options.door, "queue-count", {"selection": selection.to_body()})
    return {"messages": 0, "recipients": 0, "bytes": 0, **answer}


def _count(options: argparse.Namespace, selection: Selection) -> int:
    found = _counted(options, selection)
    silent = found.pop("silent")
    if options.json:
        print(json.dumps(found))
    else:
        messages, recipients = many(found["messages"], "message"), many(found["recipients"], "recipient")
        print(f"{messages} with {recipients}, {found['bytes']} bytes")
    return warn_of_silent(silent, "its messages are not counted")


# -- acts

DONE = {
    "hold": "on hold now",
    "release": "released",
    "retry": "being tried again",
    "bounce": "bounced",
    "delete": "deleted",
}
_PASSED = {
    "hold": "on hold already",
    "release": "not on hold",
    "retry": "on hold and not tried: release first",
}


def _act(act: str) -> Any:
    def run(options: argparse.Namespace) -> int:
        selection = choice_of(options, all_by_default=act == "retry")
        if act == "delete" or (act == "bounce" and not selection.mids):
            selection = replace(selection, before=selection.before or time.time())  # what comes now was not counted
            if not (options.yes or _meant(options, act, selection)):
                return 1
        body = {"act": act, "selection": selection.to_body(), "reason": getattr(options, "reason", "")}
        return _told(act, selection, ask(options.door, "queue-act", body, patience=None))

    return run


def _meant(options: argparse.Namespace, act: str, selection: Selection) -> bool:
    """Show how many it would be, and ask."""
    found = _counted(options, selection)
    if not found["recipients"]:
        return True  # the act itself says so in its own words
    print(f"{many(found['messages'], 'message')} with {many(found['recipients'], 'recipient')} would be {DONE[act]}.")
    return confirmed(f"{act.capitalize()} them?")


def _told(act: str, selection: Selection, answer: Mapping[str, Any]) -> int:
    """Say what was done, and what was not and why; the exit status is 0 if all of it was."""
    for line in done_lines(act, answer):
        print(line)
    missing = missing_lines(act, selection, answer)
    for line in missing:
        print(f"sealgate: {line}", file=sys.stderr)
    if not missing and not _anything(answer):
        print("The queue is empty.")
    return int(bool(missing) or (answer.get("busy", 0) > 0 and act in ("bounce", "delete")))


def done_lines(act: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """What an act has done, and left alone."""
    messages, busy, passed = (answer.get(name, 0) for name in ("messages", "busy", "passed"))
    if messages:
        yield f"{many(messages, 'message')} with {many(answer['recipients'], 'recipient')}: {DONE[act]}."
    if passed:
        yield f"{many(passed, 'message')}: {_PASSED[act]}."
    if busy:
        named = ", ".join(f"MID {mid} RID {rid}" for mid, rid in answer["named"][:10])
        left = "what is left after that is on hold" if act == "hold" else "left alone; ask again when that is over"
        yield f"{many(busy, 'recipient')} being delivered at this moment, {left}: {named}"


def missing_lines(act: str, selection: Selection, answer: Mapping[str, Any]) -> list[str]:
    """What an act has failed at: messages that are not there, disks, workers that do not answer."""
    unknown = () if answer["silent"] else answer["unknown"]
    lines = [f"no message {mid} is in the queue" for mid in unknown]
    lines += answer["faults"]
    lines += silent_lines(answer["silent"], "whether it has acted is unknown: list the queue and ask again")
    if not lines and not _anything(answer) and not (selection.is_all and act == "retry"):
        lines.append("no message in the queue matches")
    return lines


def _anything(answer: Mapping[str, Any]) -> bool:
    return any(answer.get(name, 0) for name in ("messages", "busy", "passed"))
