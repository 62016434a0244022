"""How a command of the dialogue is declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sealgate.cli.dialogue.talk import Talk


@dataclass(frozen=True, slots=True)
class Command:
    """A word of the dialogue.

    `help` is one line, `more` what `help WORD` adds. One that `acts` changes what is in force, so that it is not
    carried out after a refused answer from a pipe.
    """

    word: str
    help: str
    run: Callable[[Talk], Awaitable[None]]
    more: str = ""
    acts: bool = False
    also: tuple[str, ...] = ()
