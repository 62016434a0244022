"""A pipe that is read line by line, as a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sealgate.cli.dialogue.talk import EndOfInput


class Piped:
    """Standard input line by line. Prompts are written as on a terminal, answers are not."""

    interactive = False

    def __init__(self) -> None:
        reconfigure = getattr(sys.stdin, "reconfigure", None)
        if reconfigure is not None:  # octets that are no UTF-8 are a wrong answer, and no traceback
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> None:
        """At once, for whoever reads along."""
        sys.stdout.write(text)
        sys.stdout.flush()

    async def read(self, prompt: str, *, words: Sequence[str] = (), secret: bool = False, command: bool = False) -> str:
        """The next line."""
        self.write(prompt)
        line = sys.stdin.readline()
        if not line:
            raise EndOfInput
        if prompt:
            self.write("\n")
        return line.rstrip("\r\n")

    def forget_ahead(self) -> None:
        """Nothing: what follows a wrong answer are commands, and those that act are refused."""
