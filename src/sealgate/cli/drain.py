"""`sealgate drain`: take nothing new, deliver what can be delivered, and say how far it is."""

from __future__ import annotations

import argparse
import sys
import time

from sealgate.cli.client import ask
from sealgate.cli.selection import age
from sealgate.cli.suspend import told
from sealgate.cli.text import many
from sealgate.cli.words import Words, add
from sealgate.delivery.selection import EVERYTHING
from sealgate.store.suspensions import ANY

_MORE = (
    "All listeners are suspended and deferred messages tried at once. It ends when nothing waits and no session is "
    "open, or when the time is over (exit status 1); the listeners stay suspended, also over a restart, until "
    "`sealgate resume listener`. Interrupted, it resumes the listeners that it has suspended, unless --keep is given."
)


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare the word."""
    parser = add(words, "drain", drain, "Empty the queue: take nothing new and deliver what waits.", _MORE)
    parser.add_argument("--within", type=age, metavar="TIME", help="give up after 90s, 30m, 12h (default: never)")
    parser.add_argument("--then", choices=("stop",), help="when the queue is empty, stop the gateway")
    parser.add_argument("--keep", action="store_true", help="interrupted, leave the listeners suspended")


def drain(options: argparse.Namespace) -> int:
    """Suspend, hasten, watch."""
    answer = ask(options.door, "suspend", {"what": [("listener", ANY)]})
    status = told(answer)
    try:
        ask(options.door, "queue-act", {"act": "retry", "selection": EVERYTHING.to_body()}, patience=None)
        if not _watch(options):
            return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        if answer["begun"] and not options.keep:
            told(ask(options.door, "resume", {"what": [("listener", ANY)]}))
        raise
    if options.then == "stop":
        ask(options.door, "stop")
        print("The queue is empty, and the gateway stops. The next start is deaf until: sealgate resume listener")
        return status
    print("The queue is empty. The listeners stay suspended until: sealgate resume listener")
    return status


def _watch(options: argparse.Namespace) -> bool:
    """Whether the queue became empty in time."""
    began = time.monotonic()
    said = ""
    while True:
        messages, sessions, missing = _left(options)
        words = f"{many(messages, 'message')} waiting, {many(sessions, 'session')} open"
        words += f", {many(missing, 'worker')} not answering" if missing else ""
        said = _progress(words, said)
        over = options.within is not None and time.monotonic() - began >= options.within
        empty = not (messages or sessions or missing)
        if (empty or over) and sys.stdout.isatty():
            print()
        if empty:
            return True
        if over:
            print(f"sealgate: the time is over: {words}; see what is left with: sealgate hosts", file=sys.stderr)
            return False
        time.sleep(min(1.0, max(0.05, options.within or 1.0)))


def _left(options: argparse.Namespace) -> tuple[int, int, int]:
    """Messages and sessions there are, and workers that could not tell."""
    answer = ask(options.door, "status")
    workers = answer["workers"].values()
    names = {child["child"] for child in answer["running"]["children"]} - {"control"}
    totals = (sum(worker[name] for worker in workers) for name in ("messages", "sessions"))
    messages, sessions = totals
    return messages, sessions, len(names - answer["workers"].keys())


def _progress(words: str, before: str) -> str:
    """On a terminal one line that changes; elsewhere a line whenever something has changed."""
    if sys.stdout.isatty():
        print(f"\r\033[K{words}", end="", flush=True)
    elif words != before:
        print(words, flush=True)
    return words
