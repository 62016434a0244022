"""`suspendlistener`, `suspenddel`, `suspend`, their ends, and `shutdown`. They act at once, and outlive restarts."""

from __future__ import annotations

from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import near, yes_or_no
from sealgate.cli.dialogue.talk import Ended, Question, Talk
from sealgate.cli.suspend import OBEYS_LATER, told_lines
from sealgate.cli.text import silent_lines
from sealgate.config.references import names_of
from sealgate.store.suspensions import ANY

EVERY = "All"

What = list[tuple[str, str]]

DELIVERY: What = [("delivery", "")]
BOTH: What = [("listener", ANY), ("delivery", "")]


async def _change(talk: Talk, op: str, what: What) -> None:
    answer = await talk.control(op, what=what)
    talk.say(*told_lines(answer))
    for line in silent_lines(answer["silent"], OBEYS_LATER):
        talk.say(f"Warning: {line}")


def _listeners(op: str) -> Any:
    async def act(talk: Talk) -> None:
        names = names_of(await talk.configuration(), "listeners")
        chosen = await talk.ask(_which(op, names))
        await _change(talk, op, [("listener", name) for name in chosen])

    return act


def _which(op: str, names: list[str]) -> Question[list[str]]:
    """Numbers or names with commas between them; All is the first."""
    options = [EVERY, *names]

    def one(text: str) -> str:
        if text in names:
            return text
        if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= len(options):
            return ANY if int(text) == 1 else names[int(text) - 2]
        if text.lower() == EVERY.lower():
            return ANY
        raise ValueError(f"there is no listener {text!r}{near(text, options, str)}")

    def read(typed: str) -> list[str]:
        chosen = [one(part.strip()) for part in (typed or "1").split(",")]
        return [ANY] if ANY in chosen else list(dict.fromkeys(chosen))

    lines = [f"{number}. {option}" for number, option in enumerate(options, 1)]
    head = [f"Choose the listener(s) you wish to {op}.", "Separate multiple entries with commas."]
    help_text = f"Type numbers from 1 to {len(options)} or names, with commas between them; Enter is all of them."
    return Question("\n".join([*head, *lines]), read, "1", help_text, tuple(options))


def _fixed(op: str, what: What) -> Any:
    async def act(talk: Talk) -> None:
        await _change(talk, op, what)

    return act


async def shutdown(talk: Talk) -> None:
    """The orderly end of the gateway, and of the session."""
    if not await talk.ask(yes_or_no("Are you sure you want to shut down the gateway?", False)):
        talk.say("Nothing was changed.")
        return
    await talk.control("stop")
    talk.say("The gateway is shutting down. What waits in the queue is kept.")
    raise Ended


def _command(word: str, help_text: str, run: Any, more: str = "") -> Command:
    return Command(word, help_text, run, more=more, acts=True)


SUSPENDLISTENER = _command(
    "suspendlistener", "Suspend receiving.", _listeners("suspend"), "suspendlistener [NAMES|all]"
)
RESUMELISTENER = _command("resumelistener", "Resume receiving.", _listeners("resume"), "resumelistener [NAMES|all]")
SUSPENDDEL = _command("suspenddel", "Suspend deliveries.", _fixed("suspend", DELIVERY))
RESUMEDEL = _command("resumedel", "Resume deliveries.", _fixed("resume", DELIVERY))
SUSPEND = _command("suspend", "Suspend receiving and deliveries.", _fixed("suspend", BOTH))
RESUME = _command("resume", "Resume receiving and deliveries.", _fixed("resume", BOTH))
SHUTDOWN = _command("shutdown", "Shut the gateway down.", shutdown, "shutdown Y")
