"""docs/cli.md has every sentence that the dialogue refuses an answer with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.cli.dialogue.commands import COMMANDS

CHECKOUT = Path(__file__).parents[2]
ROOM = CHECKOUT / "src" / "sealgate"
MODULES = [
    *sorted((ROOM / "cli" / "dialogue").glob("*.py")),
    ROOM / "tls" / "cipher.py",
    ROOM / "net" / "tls" / "bundle.py",
    ROOM / "net" / "tls" / "request.py",
]
REFUSING = {"ValueError", "Refusal", "Refused", "CipherError", "CredentialError", "refuse"}


def plain(text: str) -> str:
    """Lower case, without marks and line ends."""
    return re.sub(r"[*`'\"]|\s+", " ", text.lower()).replace("  ", " ")


MANUAL = re.sub(r"\s+", " ", plain((CHECKOUT / "docs" / "cli.md").read_text()))


def sentences(module: Path) -> Iterator[str]:
    """What stands in the calls that refuse, between the values."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and _name(node.func) in REFUSING:
            for argument in node.args:
                yield from _pieces(argument)


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _pieces(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.JoinedStr):
        argument_values: list[ast.expr] = argument.values
    else:
        argument_values = [argument]
    for part in argument_values:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_sentence_is_in_the_manual(module: Path) -> None:
    missing = [
        piece
        for piece in sentences(module)
        if (words := re.sub(r"\s+", " ", plain(piece)).strip(" .;:,")) and words not in MANUAL
    ]
    assert not missing


@pytest.mark.parametrize("word", [word for command in COMMANDS for word in (command.word, *command.also)])
def test_every_command_is_in_the_manual(word: str) -> None:
    assert f"`{word}" in (CHECKOUT / "docs" / "cli.md").read_text()
