"""What a command of the dialogue may do: say lines, ask questions, and speak with control.

A command is a coroutine over a `Talk` and knows no terminal and no socket, so that a whole conversation runs in
memory. What it edits is tried at once and kept only when it ends: one that is left half way has changed nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from sealgate.cli.client import Refused
from sealgate.config.edit import Add, Move, Remove, Set, Step

Answer = dict[str, Any]
Control = Callable[[str, Answer], Awaitable[Answer]]
"""One request to control and its answer; `Refused` carries its sentence."""

T = TypeVar("T")

ASKING = frozenset(
    {
        *("candidate", "diff", "revisions", "audit", "status", "showconfig", "certificates", "edit"),
        *("queue-list", "queue-count", "queue-show", "queue-body", "hosts"),
    }
)
"""Requests that change nothing that is in force."""


class Refusal(Exception):
    """What was typed cannot be done; the sentence says why. It ends the command."""


class Left(Exception):
    """The command was left with Ctrl-C."""


class Ended(Exception):
    """The command has ended the gateway, and the session with it."""


class EndOfInput(Exception):
    """Nothing more will be typed."""


class Terminal(Protocol):
    """Where lines are written and read."""

    @property
    def interactive(self) -> bool:
        """Whether a person types, who can be asked again."""

    def write(self, text: str) -> None:
        """Show these lines."""

    async def read(self, prompt: str, *, words: Sequence[str] = (), secret: bool = False, command: bool = False) -> str:
        """One line, without its end; `EndOfInput`, `Left`. `words` complete it; a `command` is remembered."""

    def forget_ahead(self) -> None:
        """Drop lines that were pasted and not read yet."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One prompt. `read` makes a value of what was typed, "" being Enter; its `ValueError` is a sentence.

    `present` stands in the bracket; `help` is what `?` says; `words` complete the answer. At a `menu` an operation is
    chosen, and Enter leaves it.
    """

    text: str
    read: Callable[[str], T]
    present: str = ""
    help: str = ""
    words: tuple[str, ...] = ()
    secret: bool = False
    menu: bool = False


class Talk:
    """The conversation of one command.

    `arguments` are words behind the command: they answer its questions in order, and after the last one Enter does.
    If that one has chosen from a menu, the rest is asked.
    """

    def __init__(self, terminal: Terminal, control: Control, home: Path, arguments: Sequence[str] = ()) -> None:
        self.home = home
        self._terminal = terminal
        self._control = control
        self._arguments = deque(arguments)
        self._one_line = bool(arguments)
        self._chosen = False
        self._steps: list[Step] = []
        self._first: Answer | None = None
        self._shown: Answer | None = None

    @property
    def interactive(self) -> bool:
        """Whether a person types, who can be asked again."""
        return self._terminal.interactive

    @property
    def one_line(self) -> bool:
        """Whether the command came with arguments: then nothing is shown that only helps to answer."""
        return self._one_line

    def say(self, *lines: str) -> None:
        """Show these lines; without any, an empty one."""
        self._terminal.write("\n".join(lines) + "\n")

    def refuse(self, sentence: str) -> None:
        """Something cannot be done: a person is told and goes on, a pipe ends the command (`Refusal`)."""
        if not self.interactive:
            raise Refusal(sentence)
        self.say(sentence)

    # -- questions

    async def ask(self, question: Question[T]) -> T:
        """Ask until the answer is right; `Refusal` if nobody can be asked again."""
        given = self._argument(question)
        if given is not None:
            return self._read(question, given)
        self._pose(question)
        while True:
            prompt = f"[{question.present}]> "
            typed = await self._terminal.read(prompt, words=question.words, secret=question.secret)
            text = typed if question.secret else typed.strip()
            if text == "?" and not question.secret:
                self.say(question.help or "Type an answer, or Enter to keep what stands in the bracket.")
                continue
            try:
                return self._read(question, text)
            except Refusal as refusal:
                if not self.interactive:
                    raise
                self._terminal.forget_ahead()
                self.say(str(refusal))

    async def ask_lines(self, text: str, help_text: str = "") -> str:
        """Several lines, as of a certificate that is pasted; a dot alone ends them."""
        if self._arguments:
            return self._arguments.popleft()
        self.say("", text)
        lines: list[str] = []
        while (line := await self._terminal.read("")).strip() != ".":
            if line.strip() == "?" and help_text:
                self.say(help_text)
            else:
                lines.append(line)
        return "\n".join(lines)

    def words_left(self) -> str:
        """All arguments that nobody has asked for, as one text."""
        words = " ".join(self._arguments)
        self._arguments.clear()
        return words

    def next_word(self) -> str | None:
        """The next argument, left where it is."""
        return self._arguments[0] if self._arguments else None

    def drop_word(self) -> str:
        """The next argument, taken."""
        return self._arguments.popleft()

    def _argument(self, question: Question[Any]) -> str | None:
        """What a word behind the command, or its being over, answers; None if the question has to be asked."""
        if self._arguments:
            self._chosen = question.menu
            return self._arguments.popleft()
        if not self._one_line or (self._chosen and not question.menu):
            return None
        try:
            question.read("")
        except ValueError:
            return None
        return ""

    def _read(self, question: Question[T], text: str) -> T:
        try:
            return question.read(text)
        except ValueError as error:
            raise Refusal(_sentence(str(error))) from error

    def _pose(self, question: Question[Any]) -> None:
        if question.text:
            self.say("", question.text)

    # -- control

    async def control(self, op: str, **body: Any) -> Answer:
        """A request; `Refusal` carries the sentence of control."""
        if op not in ASKING:
            self.expect_no_more()
        return await self._request(op, body)

    async def _request(self, op: str, body: Answer) -> Answer:
        try:
            return await self._control(op, body)
        except asyncio.CancelledError:
            if op not in ASKING:
                self.say("", "The gateway was at work on it: see showchanges and commitdetail for what was done.")
            raise
        except Refused as error:
            raise Refusal(_sentence(str(error))) from error

    def expect_no_more(self) -> None:
        """`Refusal` if words are left over."""
        if self._arguments:
            raise Refusal(f"Nothing was done: {' '.join(self._arguments)!r} is more than this command takes.")

    async def shown(self) -> Answer:
        """The candidate as this command would leave it: configuration (secrets masked), problems, remarks."""
        if self._shown is None:
            self._first = self._shown = await self._request("candidate", {})
        return self._shown

    async def configuration(self) -> dict[str, Any]:
        """The configuration of it."""
        found: dict[str, Any] = (await self.shown())["configuration"]
        return found

    async def certificates(self, *steps: Step, name: str | None = None) -> list[Answer]:
        """The certificate profiles as this command, and these steps, would leave them; `Refusal`."""
        wanted = [_told(each) for each in (*self._steps, *steps)]
        answer = await self._request("certificates", {"steps": wanted, "name": name})
        if "refused" in answer:
            raise Refusal("\n".join(_located(*problem) for problem in answer["refused"]))
        found: list[Answer] = answer["certificates"]
        return found

    async def edit(self, *steps: Step) -> bool:
        """Take these steps, all or none; whether they can be. What cannot is said, or ends the command."""
        await self.shown()
        wanted = [*self._steps, *steps]
        answer = await self._request("edit", {"steps": [_told(each) for each in wanted], "dry": True})
        if "refused" in answer:
            sentences = [_located(*problem) for problem in answer["refused"]]
            if not self.interactive:
                raise Refusal("\n".join(sentences))
            self.say(*sentences)
            return False
        self._steps, self._shown = wanted, answer
        return True

    async def finish(self) -> None:
        """The command has ended: keep its steps in the candidate, and say what stands in the way of a commit."""
        self.expect_no_more()
        if not self._steps:
            return
        answer = await self._request("edit", {"steps": [_told(each) for each in self._steps]})
        if "refused" in answer:
            raise Refusal("\n".join(_located(*problem) for problem in answer["refused"]))
        before = [] if self._first is None else self._first["problems"]
        for problem in answer["problems"]:
            if problem not in before:
                self.say(f"This cannot be committed yet: {_located(*problem)}")


def _told(step: Step) -> Mapping[str, Any]:
    """A step as control reads it."""
    match step:
        case Set(path, value):
            return {"set": path, "value": value}
        case Add(table, row, before):
            return {"add": table, "row": dict(row), "before": before}
        case Remove(table, name):
            return {"remove": table, "name": name}
        case Move(table, name, before):
            return {"move": table, "name": name, "before": before}


def _located(path: str, sentence: str) -> str:
    return f"{path}: {sentence}" if path else _sentence(sentence)


def _sentence(text: str) -> str:
    """With a capital and a full stop, as the dialogue speaks."""
    first = text.partition(" ")[0]
    if first.isalpha() and first.islower():  # and not a name, as aNULL
        text = text[0].upper() + text[1:]
    return text if not text or text.endswith((".", "?", "!", ":")) else f"{text}."
