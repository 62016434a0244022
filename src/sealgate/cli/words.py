"""How commands are declared: one call for each, with what the reference page and `--help` say of it."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Collection
from typing import NoReturn

Run = Callable[[argparse.Namespace], int]
Words = argparse._SubParsersAction  # the only name argparse has for it


class Parser(argparse.ArgumentParser):
    """Where a command is missing it shows those there are, and of an unknown one it says which was perhaps meant."""

    spoken: Collection[str] = ()
    """Words of the dialogue, which are typed behind `sealgate cli`."""

    def error(self, message: str) -> NoReturn:
        """To standard error; the exit status is 2."""
        commands = next((each for each in self._actions if isinstance(each, argparse._SubParsersAction)), None)
        unknown = re.search(r"invalid choice: '(.*)' \(choose from", message)
        if commands is not None and unknown is not None:
            if unknown[1] in self.spoken:
                self.exit(2, f"{self.prog}: {unknown[1]} is a command of the dialogue: {self.prog} cli {unknown[1]}\n")
            near = difflib.get_close_matches(unknown[1], commands.choices, n=1)
            hint = f"did you mean {near[0]}?" if near else f"{self.prog} --help lists those there are"
            self.exit(2, f"{self.prog}: there is no command {unknown[1]!r}; {hint}\n")
        if commands is not None and message.startswith("the following arguments are required"):
            self.exit(2, self.format_help())
        super().error(message)


def add(
    words: Words[argparse.ArgumentParser], word: str, run: Run, help_text: str, more: str = ""
) -> argparse.ArgumentParser:
    """A command; `more` goes on where the one line of `help_text` ends."""
    description = f"{help_text} {more}".strip()
    parser = words.add_parser(word, help=help_text, description=description)
    parser.set_defaults(run=run)
    for option, name in (("--home", "home"), ("--as", "operator"), ("--passphrase-file", "passphrase_file")):
        parser.add_argument(option, dest=name, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def group(
    words: Words[argparse.ArgumentParser], word: str, metavar: str, help_text: str
) -> Words[argparse.ArgumentParser]:
    """A word that is followed by another."""
    return words.add_parser(word, help=help_text, description=help_text).add_subparsers(metavar=metavar, required=True)
