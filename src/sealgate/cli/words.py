"""How commands are declared: one call for each, with what the reference page and `--help` say of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Run = Callable[[argparse.Namespace], int]
Words = argparse._SubParsersAction  # the only name argparse has for it


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
