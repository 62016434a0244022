"""`commit` and what goes with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.difference import conflict_lines, date
from sealgate.cli.dialogue.talk import Question, Refusal, Talk
from sealgate.cli.text import many, note_lines
from sealgate.config.problem import Problem

CONFIRMED = "confirmed"


async def commit(talk: Talk) -> None:
    """One prompt, the comment; then the change is in force, or a sentence says why not."""
    minutes = _minutes(talk)
    comment = talk.words_left()
    if not (await talk.shown())["pending"]:
        talk.say(str((await talk.control("commit"))["nothing"]))
        return
    comment = comment or await talk.ask(_COMMENT)
    await put_in_force(talk, comment, minutes)


async def put_in_force(talk: Talk, comment: str, minutes: float | None = None) -> None:
    """Commit the candidate, and say what came of it; `Refusal` if nothing did."""
    answer = await talk.control("commit", comment=comment, minutes=minutes)
    if "revision" not in answer:
        raise Refusal("\n".join(refused_lines(answer)))
    talk.say("", *committed_lines(answer))
    if (line := failure_line(answer)) is not None:
        raise Refusal(line)


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
        return number_of_minutes(word)
    except ValueError:
        raise Refusal(f"Say in how many minutes it has to be confirmed: commit {CONFIRMED} 5") from None


def number_of_minutes(word: str) -> float:
    """Typed minutes; `ValueError` if they are no number that one can wait for."""
    minutes = float(word)
    if not math.isfinite(minutes):
        raise ValueError(word)
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
    yield from note_lines(Problem(*each) for each in _touched(answer["remarks"], answer["changes"]))
    if answer["confirm_by"] is not None:
        yield (
            f"It is taken back at {date(answer['confirm_by'])} unless it is confirmed: from a new session, "
            "with confirm."
        )


def failure_line(answer: Mapping[str, Any]) -> str | None:
    """Of a commit after which the gateway does not speak what was committed: what has become of it."""
    if answer["taken_back"] is not None:
        return (
            f"It was taken back at once, by revision {answer['taken_back']}: nothing has changed, and these are "
            "uncommitted changes again."
        )
    if answer["verification"] is None or answer["verification"]["passed"]:
        return None
    return f"It is in force all the same, as revision {answer['revision']}; a rollback brings back the one before."


def _touched(remarks: Iterable[tuple[str, str]], changes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Remarks about what was changed; the others have been said before. Rows count as their table."""
    groups = {_group(change["path"]) for change in changes}
    return [(path, sentence) for path, sentence in remarks if _group(path) in groups]


def _group(path: str) -> str:
    return re.sub(r"\[.*", "", path) if "[" in path else path.rpartition(".")[0]


def refused_lines(answer: Mapping[str, Any]) -> Iterable[str]:
    """Why nothing was committed."""
    if "nothing" in answer:
        yield answer["nothing"]
    elif "conflict" in answer:
        yield from conflict_lines(answer)
    else:
        yield "Nothing was committed:"
        yield from (f"  {path}: {sentence}" if path else f"  {sentence}" for path, sentence in answer["problems"])


async def confirm(talk: Talk) -> None:
    """A commit that waits stays."""
    talk.say(f"Revision {(await talk.control('confirm'))['revision']} is confirmed.")


COMMIT = Command(
    "commit",
    "Put your changes into force.",
    commit,
    more='commit ["COMMENT"]\n'
    'commit confirmed MINUTES ["COMMENT"]\n\n'
    "The second form takes the change back by itself unless confirm is typed, in a new session, within the minutes.",
    acts=True,
)
CONFIRM = Command(
    "confirm",
    "Keep a commit that waits to be confirmed.",
    confirm,
    more="confirm\n\nOnly a session that began after the commit can: it shows that there is still a way in.",
    acts=True,
)
