"""`showchanges`, `clearchanges`: what waits to be committed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.difference import change_lines, date
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Talk
from sealgate.mail.text import printable

NOTHING = "There are no uncommitted changes."


async def show(talk: Talk) -> None:
    """The differences, who else has any, and what stands in the way."""
    talk.say(*pending_lines(await talk.shown(), await talk.control("diff")))


def pending_lines(shown: Mapping[str, Any], diff: Mapping[str, Any]) -> Iterable[str]:
    """From the answers to `candidate` and `diff`."""
    if not shown["pending"]:
        yield NOTHING
    else:
        yield f"Changes since revision {diff['base']}:"
        yield from change_lines(diff["changes"])
        for path, sentence in shown["problems"]:
            yield f"This cannot be committed yet: {path}: {sentence}"
    if shown["pending"] and diff["theirs"]:
        yield f"Revision {diff['current']} was committed meanwhile, so that yours will be a conflict:"
        yield from change_lines(diff["theirs"])
    if shown["others"]:
        yield f"Others have uncommitted changes too: {', '.join(map(printable, shown['others']))}."


async def clear(talk: Talk) -> None:
    """Drop the candidate, if that is meant."""
    if not (await talk.shown())["pending"]:
        talk.say("There are no changes to clear.")
        return
    if not await talk.ask(yes_or_no("Are you sure you want to clear all changes since the last commit?", True)):
        return
    await talk.control("discard")
    talk.say("", f"Changes cleared: {date(datetime.datetime.now(datetime.UTC).isoformat())}")


SHOWCHANGES = Command("showchanges", "Show your changes since the last commit.", show)
CLEARCHANGES = Command(
    "clearchanges", "Drop your changes since the last commit.", clear, more="clearchanges [Y|N]", also=("clear",)
)
