"""The queue: `showrecipients`, `showmessage`, `deleterecipients`, `bouncerecipients`, `delivernow`.

They act at once, on what is in the queue now: nothing of it waits for a commit.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import yes_or_no
from sealgate.cli.dialogue.talk import Question, Refusal, Talk
from sealgate.cli.queue import DONE, PAGE, done_lines, missing_lines
from sealgate.cli.queue_show import envelope_lines, message_lines, visible, waiting_lines
from sealgate.cli.text import many, silent_lines
from sealgate.delivery.selection import EVERYTHING, Selection
from sealgate.mail.text import printable

LONGEST_SHOWN = 64 * 1024
"""Bytes of a message that `showmessage` shows."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to choose messages: its word, its line in the menu, and what is asked then."""

    word: str
    label: str
    question: str = ""
    target: str = "all messages"

    def selection(self, typed: str) -> Selection:
        """What is meant; `SelectionError`, a ValueError, if it is nothing."""
        match self.word:
            case "host":
                return Selection(domain=typed)
            case "from":
                return Selection(sender=typed)
        return EVERYTHING


HOST = Way("host", "By recipient host.", "Please enter the hostname for the messages you wish to {}.", "to {}")
FROM = Way(
    "from", "By Envelope From address.", "Please enter the Envelope From address for the messages you wish to {}."
)
ALL = Way("all", "All.")


async def _chosen(talk: Talk, verb: str, ways: Sequence[Way], text: str = "") -> tuple[Selection, str]:
    """Which messages, and how they are called in a sentence."""
    way = await talk.ask(_way(text or f"Please select how you would like to {verb} messages:", ways))
    if not way.question:
        return EVERYTHING, "all messages in the queue"

    def read(typed: str) -> Selection:
        if not typed:
            raise ValueError("this cannot be left empty; type a domain or an address, * standing for any characters")
        return way.selection(typed)

    help_text = "Type a domain, .domain for all below it, or, of senders, an address or <>; * is any characters."
    selection = await talk.ask(Question(way.question.format(verb), read, help=help_text))
    if way is FROM:
        return selection, f'all messages from "{printable(selection.sender)}"'
    return selection, f'all messages being delivered to "{printable(selection.domain)}"'


def _way(text: str, ways: Sequence[Way]) -> Question[Way]:
    def read(typed: str) -> Way:
        if not typed:
            return ways[0]
        for number, way in enumerate(ways, 1):
            if typed.lower() in (str(number), way.word, way.label.lower(), way.label.lower().removesuffix(".")):
                return way
        raise ValueError(f"{typed!r} is none of the numbers; type one from 1 to {len(ways)}")

    lines = [f"{number}. {way.label}" for number, way in enumerate(ways, 1)]
    words = tuple(way.word for way in ways)
    help_text = f"Type one number from 1 to {len(ways)}, or {', '.join(words)}."
    return Question("\n".join([text, *lines]), read, "1", help_text, words)


# -- to look


async def showrecipients(talk: Talk) -> None:
    """The messages that wait, with their recipients."""
    selection, words = await _chosen(talk, "show", (HOST, FROM, ALL))
    talk.say("")
    silent: set[str] = set()
    shown = 0
    async for message in _messages(talk, selection, silent):
        talk.say(*message_lines(message))
        shown += 1
    talk.say(*(f"Warning: {line}" for line in silent_lines(sorted(silent), "its messages are not listed")))
    if not shown and not silent:
        talk.say(f"There is nothing to show of {words}.")


async def _messages(talk: Talk, selection: Selection, silent: set[str]) -> AsyncIterator[Mapping[str, Any]]:
    """Page after page, so that a large queue is never held as a whole."""
    after = 0
    while True:
        answer = await talk.control("queue-list", selection=selection.to_body(), after=after, limit=PAGE)
        silent.update(answer["silent"])
        for message in answer["messages"]:
            yield message
        if not answer["more"] or not answer["messages"]:
            return
        after = answer["messages"][-1]["mid"]


async def showmessage(talk: Talk) -> None:
    """Everything about one message, and its text."""
    mid = await talk.ask(Question("Enter the MID to show.", _mid, help="Type the number of a message in the queue."))
    message = (await talk.control("queue-show", mid=mid))["message"]
    talk.say("", *envelope_lines(message))
    while message["recipients"]:
        talk.say(*waiting_lines(message))
        after = message["recipients"][-1]["rid"]
        message = (await talk.control("queue-show", mid=mid, after=after))["message"]
    piece = (await talk.control("queue-body", mid=mid, start=0))["data"]
    text = base64.b64decode(piece)[:LONGEST_SHOWN]
    talk.say("", visible(text).rstrip("\n"))
    if len(text) < message["size"]:
        talk.say("", f"There is more of it; sealgate queue show {mid} --headers --body prints it all.")


def _mid(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and 0 < len(typed) < 19):
        raise ValueError(f"{typed!r} is no MID; type the number of a message")
    return int(typed)


# -- to act


def _removing(verb: str) -> Any:
    async def act(talk: Talk) -> None:
        selection, words = await _chosen(talk, verb, (HOST, FROM, ALL))
        selection = replace(selection, before=time.time())  # what comes now was not counted
        found = await talk.control("queue-count", selection=selection.to_body())
        if found.get("recipients"):
            counted = f"{many(found['messages'], 'message')} with {many(found['recipients'], 'recipient')}"
            talk.say("", f"{counted} would be {DONE[verb]}.")
            if not await talk.ask(yes_or_no(f"Are you sure you want to {verb} {words}?", False)):
                if talk.one_line:
                    raise Refusal("Nothing was changed. Y behind the command says that it is meant.")
                talk.say("Nothing was changed.")
                return
        await _act(talk, verb, selection)

    return act


async def delivernow(talk: Talk) -> None:
    """Deferred messages are tried at once."""
    by_domain = replace(
        HOST, label="By recipient domain", question="Please enter the recipient domain to schedule for delivery."
    )
    everything = replace(ALL, label="All messages")
    text = "Please choose an option for scheduling immediate delivery."
    selection, _ = await _chosen(talk, "deliver", (by_domain, everything), text)
    await _act(talk, "retry", selection)


async def _act(talk: Talk, act: str, selection: Selection) -> None:
    answer = await talk.control("queue-act", act=act, selection=selection.to_body(), reason="")
    done, missing = list(done_lines(act, answer)), missing_lines(act, selection, answer)
    if done or not missing:
        talk.say(*(done or ["The queue is empty."]))
    if missing:
        raise Refusal("\n".join(f"{line[:1].upper()}{line[1:]}." for line in missing))


SHOWRECIPIENTS = Command(
    "showrecipients",
    "Show messages in the queue by recipient host, by Envelope From, or all.",
    showrecipients,
    more="showrecipients host DOMAIN\nshowrecipients from ADDRESS\nshowrecipients all",
)
SHOWMESSAGE = Command("showmessage", "Show one message of the queue.", showmessage, more="showmessage MID")
DELETERECIPIENTS = Command(
    "deleterecipients",
    "Delete messages from the queue; nobody is told.",
    _removing("delete"),
    more="deleterecipients host DOMAIN Y\ndeleterecipients from ADDRESS Y\ndeleterecipients all Y",
    acts=True,
)
BOUNCERECIPIENTS = Command(
    "bouncerecipients",
    "Bounce messages in the queue back to their senders.",
    _removing("bounce"),
    more="bouncerecipients host DOMAIN Y\nbouncerecipients from ADDRESS Y\nbouncerecipients all Y",
    acts=True,
)
DELIVERNOW = Command(
    "delivernow",
    "Schedule messages for immediate delivery.",
    delivernow,
    more="delivernow host DOMAIN\ndelivernow all",
    acts=True,
)
