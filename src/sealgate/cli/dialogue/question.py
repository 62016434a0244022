"""The questions that commands have in common: which operation, which of several, yes or no."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from sealgate.cli.dialogue.talk import Question, Talk


@dataclass(frozen=True, slots=True)
class Operation:
    """A line of a menu, and what it does."""

    word: str
    help: str
    run: Callable[[Talk], Awaitable[None]]


async def run_menu(talk: Talk, operations: Sequence[Operation], show: Callable[[Talk], Awaitable[None]]) -> None:
    """Show the state and the operations, carry one out, and again, until Enter.

    Where words behind the command answer, nothing is shown that only helps to answer.
    """
    while True:
        if not talk.one_line:
            await show(talk)
        operation = await talk.ask(menu(operations))
        if operation is None:
            return
        await operation.run(talk)


def menu(operations: Sequence[Operation]) -> Question[Operation | None]:
    """Which operation; Enter is none of them."""
    by_word = {operation.word.lower(): operation for operation in operations}

    def read(text: str) -> Operation | None:
        if not text:
            return None
        if text.lower() in by_word:
            return by_word[text.lower()]
        raise ValueError(f"there is no operation {text!r}{near(text, by_word)}")

    lines = [f"- {operation.word} - {operation.help}" for operation in operations]
    words = tuple(operation.word for operation in operations)
    return Question(
        text="\n".join(["Choose the operation you want to perform:", *lines]),
        read=read,
        help=f"Type {_alternatives(words)} in any letter case, or Enter to leave.",
        words=words,
        menu=True,
    )


def choice(text: str, options: Sequence[str], present: int | None = None) -> Question[int]:
    """One of several, by its number; its place from 0. Enter takes the present one, if there is one."""

    def read(typed: str) -> int:
        if not typed and present is not None:
            return present
        if typed.isascii() and typed.isdigit() and len(typed) < 10 and 1 <= int(typed) <= len(options):
            return int(typed) - 1
        exact = [index for index, option in enumerate(options) if option.lower() == typed.lower()]
        if exact:
            return exact[0]
        raise ValueError(f"{typed!r} is none of the numbers; type one from 1 to {len(options)}")

    lines = [f"{number}. {option}" for number, option in enumerate(options, 1)]
    return Question(
        text="\n".join([text, *lines]),
        read=read,
        present="" if present is None else str(present + 1),
        help=f"Type one number from 1 to {len(options)}.",
        words=tuple(options),
    )


def yes_or_no(text: str, present: bool) -> Question[bool]:
    """Yes or no; Enter takes the present answer."""

    def read(typed: str) -> bool:
        if not typed:
            return present
        if typed.lower() in ("y", "yes", "n", "no"):
            return typed.lower().startswith("y")
        raise ValueError(f"{typed!r} is neither yes nor no; type Y or N")

    letter = "Y" if present else "N"
    return Question(text=text, read=read, present=letter, help="Type Y or N.", words=("Y", "N"))


def wanted(text: str, what: str, help_text: str = "") -> Question[str]:
    """A text that has to be given; `what` says what it is, as "a name"."""

    def read(typed: str) -> str:
        if not typed:
            raise ValueError(f"this cannot be left empty; type {what}")
        return typed

    return Question(text=text, read=read, help=help_text or f"Type {what}.")


def near(text: str, words: Iterable[str], case: Callable[[str], str] = str.upper) -> str:
    """A hint at the word that was perhaps meant, in the letter case of such words."""
    known = [case(word) for word in words]
    close = difflib.get_close_matches(case(text), known, n=1)
    there = f"there are {', '.join(known)}" if len(known) > 1 else f"there is only {''.join(known) or 'none'}"
    return f"; did you mean {close[0]}?" if close else f"; {there}"


def _alternatives(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
