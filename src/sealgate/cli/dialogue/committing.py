"""`commit` and what goes with it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Answer, Question, Refusal, Talk
from sealgate.cli.text import many

CONFIRMED = "confirmed"


async def commit(talk: Talk) -> None:
    """One prompt, the comment; then the change is in force, or a sentence says why not."""
    minutes = _minutes(talk)
    if not (await talk.shown())["pending"]:
        talk.say(str((await talk.control("commit"))["nothing"]))
        return
    comment = talk.words_left() or await talk.ask(_COMMENT)
    answer = await talk.control("commit", comment=comment, minutes=minutes)
    if "revision" not in answer:
        raise Refusal("\n".join(_why_not(answer)))
    talk.say("", *committed_lines(answer))


_COMMENT = Question(
    text="Please enter some comments describing your changes:",
    read=str,
    help="A few words for the list of revisions and the log. Enter leaves them out, and commits.",
)


def _minutes(talk: Talk) -> float | None:
    """Of `commit confirmed MINUTES`."""
    if (talk.next_word() or "").lower() != CONFIRMED:
        return None
    talk.drop_word()
    word = talk.drop_word() if talk.next_word() is not None else ""
    try:
        minutes = float(word)
    except ValueError:
        raise Refusal(f"Say in how many minutes it has to be confirmed: commit {CONFIRMED} 5") from None
    return minutes


def committed_lines(answer: Mapping[str, Any]) -> Iterable[str]:
    """What a commit has brought: when, what handshakes have shown, what to know, until when to confirm."""
    yield f"Changes committed: {date(answer['at'])}"
    verification = answer["verification"]
    if verification is not None and verification["trials"]:
        if verification["passed"]:
            handshakes = many(verification["trials"], "handshake")
            yield f"Verified by {handshakes}: every version is spoken or refused as it should be."
        else:
            yield "The gateway does not speak what was committed:"
            yield from (f"  {failure}" for failure in verification["failures"])
    for path, sentence in _touched(answer["remarks"], answer["changes"]):
        yield f"Note: {path}: {sentence}."
    if answer["confirm_by"] is not None:
        yield (
            f"It is taken back at {date(answer['confirm_by'])} unless it is confirmed: from a new session, "
            "with confirm."
        )


def _touched(remarks: Iterable[tuple[str, str]], changes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Remarks about what was changed; the others have been said before. Rows count as their table."""
    groups = {_group(change["path"]) for change in changes}
    return [(path, sentence) for path, sentence in remarks if _group(path) in groups]


def _group(path: str) -> str:
    return re.sub(r"\[.*", "", path) if "[" in path else path.rpartition(".")[0]


def _why_not(answer: Answer) -> Iterable[str]:
    if "nothing" in answer:
        yield answer["nothing"]
    elif "conflict" in answer:
        yield from conflict_lines(answer)
    else:
        yield "Nothing was committed:"
        yield from (f"  {path}: {sentence}" if path else f"  {sentence}" for path, sentence in answer["problems"])


def conflict_lines(answer: Mapping[str, Any]) -> Iterable[str]:
    """Two operators, one configuration: what each has changed, and the two ways on."""
    current = answer["current"]
    yield (
        f"Nothing was committed: {current['who']} has committed revision {current['revision']} since your changes "
        "were begun."
    )
    yield f"Committed meanwhile{_quoted(current['comment'])}:"
    yield from change_lines(answer["theirs"])
    yield "Your changes:"
    yield from change_lines(answer["mine"])
    yield "Either drop yours with clearchanges, or drop them and make them again on what is in force now."


def _quoted(comment: str) -> str:
    return f' ("{comment}")' if comment else ""


def change_lines(changes: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """A difference as a list to read."""
    for change in changes:
        yield f"  {change['path']}: {shown(change['before'])} -> {shown(change['after'])}"


def shown(value: Any) -> str:
    """A value in a difference."""
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "(none)"
    return " ".join(str(value).split()) if "\n" not in str(value) else f"({len(str(value).splitlines())} lines)"


def date(text: str) -> str:
    """A time as AsyncOS shows it, by this machine's clock."""
    return datetime.datetime.fromisoformat(text).astimezone().strftime("%a %b %d %H:%M:%S %Y %Z")


async def clear(talk: Talk) -> None:
    """Drop the candidate, if that is meant."""
    if not (await talk.shown())["pending"]:
        talk.say("There are no changes to clear.")
        return
    if not await talk.ask(yes_or_no("Are you sure you want to clear all changes since the last commit?", True)):
        return
    await talk.control("discard")
    talk.say("", f"Changes cleared: {date(datetime.datetime.now(datetime.UTC).isoformat())}")


COMMIT = Command(
    "commit",
    "Put your changes into force.",
    commit,
    more='commit ["COMMENT"]\n'
    'commit confirmed MINUTES ["COMMENT"]\n\n'
    "The second form takes the change back by itself unless confirm is typed, in a new session, within the minutes.",
    acts=True,
)
CLEAR = Command(
    "clearchanges", "Drop your changes since the last commit.", clear, more="clearchanges [Y|N]", also=("clear",)
)
