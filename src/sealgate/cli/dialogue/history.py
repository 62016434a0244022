"""`commitdetail`, `rollbackconfig`: what was committed before, and the way back."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.committing import put_in_force
from sealgate.cli.dialogue.difference import change_lines, date
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Answer, Question, Refusal, Talk
from sealgate.mail.text import printable
from sealgate.store.revisions import KEPT

MOST = 50
"""Revisions in a list."""

ACTS = 1000
"""Of the newest acts that many are looked through for a commit."""


async def detail(talk: Talk) -> None:
    """The last commit, or the one that made a revision: when, by whom, why, and what it changed."""
    number = talk.drop_word() if talk.next_word() is not None else None
    talk.expect_no_more()
    entries = (await talk.control("revisions", limit=1 if number is None else KEPT))["revisions"]
    entry = next((each for each in entries if number in (None, str(each["revision"]))), None)
    if entry is None:
        raise Refusal(f"There is no revision {number!r}; sealgate revisions lists those that are kept.")
    comment = printable(entry["comment"])
    talk.say(f'Commit at {date(entry["at"])} with comments: "{comment}".')
    talk.say(f"Revision {entry['revision']} by {printable(entry['who'])}, from {entry['face']}.")
    act = _act_of(entry["revision"], (await talk.control("audit", limit=ACTS))["acts"])
    if act is not None:
        talk.say("Changed:", *(list(change_lines(act["detail"]["changes"])) or ["  nothing"]))


def _act_of(revision: int, acts: Iterable[Answer]) -> Answer | None:
    return next((each for each in acts if each["act"] == "commit" and each["detail"].get("revision") == revision), None)


async def roll_back(talk: Talk) -> None:
    """Choose a revision; it becomes the candidate, and is committed if that is wanted."""
    entries = (await talk.control("revisions", limit=MOST))["revisions"][1:]
    if not entries:
        talk.say("There is no earlier configuration to go back to.")
        return
    pending = (await talk.shown())["pending"]
    if not talk.one_line:
        talk.say("Previous commits:", *revision_lines(entries))
        if pending:
            talk.say("Your uncommitted changes are dropped when you go back.")
    number = await talk.ask(_which(entries))
    if number is None or not await talk.ask(yes_or_no("Are you sure you want to roll back the configuration?", False)):
        return
    commit = await talk.ask(yes_or_no("Do you want to commit this configuration now?", False))
    await talk.control("rollback", revision=number)
    if commit:
        await put_in_force(talk, f"rollback to revision {number}")
    else:
        talk.say("", f"Reverted to revision {number}. Be sure to run commit to make these settings active.")


def _which(entries: Sequence[Answer]) -> Question[int | None]:
    known = {str(entry["revision"]): int(entry["revision"]) for entry in entries}

    def read(typed: str) -> int | None:
        if not typed:
            return None
        if typed not in known:
            raise ValueError(
                f"{typed!r} is none of the numbers in the list; type one of them, such as {next(iter(known))}"
            )
        return known[typed]

    return Question(
        text="Enter the number of the config to revert to.",
        read=read,
        help="Type the number in front of a commit. Enter goes back to none.",
    )


def revision_lines(entries: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """A list of revisions with their comments."""
    yield f"{'':>7} {'Committed On':<24}  {'User':<12}  Description"
    for entry in entries:
        at = datetime.datetime.fromisoformat(entry["at"]).astimezone().strftime("%a %b %d %H:%M:%S %Y")
        yield f"{entry['revision']:>6}. {at:<24}  {printable(entry['who']):<12}  {printable(entry['comment'])}".rstrip()


def act_lines(acts: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The audit record for a person, newest first."""
    for act in acts:
        detail = act["detail"]
        words = [f"{key} {_word(value)}" for key, value in detail.items() if isinstance(value, int | str)]
        about = f": {', '.join(words)}" if words else ""
        yield f"{date(act['at'])}  {printable(act['who'])} from {act['face']}  {act['act']}{about}"


def _word(value: int | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))


COMMITDETAIL = Command(
    "commitdetail", "Show the last commit, or an earlier one.", detail, more="commitdetail [REVISION]"
)
ROLLBACKCONFIG = Command(
    "rollbackconfig",
    "Go back to an earlier configuration.",
    roll_back,
    more="rollbackconfig [REVISION Y [Y|N]]\n\nThe words: which, that you are sure, and whether to commit now.",
    acts=True,
)
