"""The page of all commands, made from their parser: `python -m sealgate.app.manual > docs/reference/commands.md`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from sealgate.app.main import DEFAULT_HOME, build_parser

_HEAD = """\
# Commands

Every command of `sealgate`. Each exits with 0 when it did what was asked, else with 1 and a sentence on standard
error; words that it does not know end with 2. All but `serve`, `evaluate` and `sink` are over when they have answered.
This page is made from the parser in `src/sealgate/app/main.py`; to make it anew:

    python -m sealgate.app.manual > docs/reference/commands.md
"""


def render_commands() -> str:
    """The page in Markdown."""
    parser = build_parser()
    options = [action for action in parser._actions if action.option_strings and action.dest != "help"]
    for option in options:  # not what the environment of whoever makes the page says
        option.default = DEFAULT_HOME if option.dest == "home" else None
    general = "\nBefore or behind every command:\n\n" + "".join(line for each in options for line in _argument(each))
    return _HEAD + general + "".join(_commands(parser, "sealgate", 2))


def _commands(parser: argparse.ArgumentParser, words: str, depth: int) -> Iterator[str]:
    """A section for each command below this one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                yield from _section(command, f"{words} {word}", depth)
                yield from _commands(command, f"{words} {word}", depth + 1)


def _section(parser: argparse.ArgumentParser, words: str, depth: int) -> Iterator[str]:
    arguments = [each for each in parser._actions if each.help != argparse.SUPPRESS and each.dest != "help"]
    usage = " ".join([words, *map(_usage, arguments)])
    text = " ".join((parser.description or "").split())
    yield f"\n{'#' * depth} {words}\n\n{_escaped(text)}\n\n```\n{usage}\n```\n"
    described = [line for each in arguments if each.help for line in _argument(each)]
    if described:
        yield "\n"
        yield from described


def _usage(action: argparse.Action) -> str:
    """An argument as it stands in the line of its command."""
    if isinstance(action, argparse._SubParsersAction):
        return str(action.metavar)
    if action.option_strings:
        text = " ".join([action.option_strings[0], *_value(action)])
        return text if action.required else f"[{text}]"
    (value,) = _value(action)
    return {
        "*": f"[{value} ...]",
        argparse.REMAINDER: f"[{value} ...]",
        "?": f"[{value}]",
        "+": f"{value} [{value} ...]",
    }.get(str(action.nargs), value)


def _argument(action: argparse.Action) -> Iterator[str]:
    """What an argument is for."""
    if isinstance(action, argparse._SubParsersAction):
        return
    names = [" ".join([name, *_value(action)]) for name in action.option_strings] or _value(action)
    told = (action.help or "") % {**vars(action), "prog": "sealgate"}
    yield f"- {', '.join(f'`{name}`' for name in names)}: {_escaped(told)}\n"


def _value(action: argparse.Action) -> list[str]:
    """How its value is called; nothing if it takes none."""
    if action.option_strings and action.nargs == 0:
        return []
    if action.metavar is not None:
        return [str(action.metavar)]
    if action.choices is not None:
        return [f"{{{','.join(map(str, action.choices))}}}"]
    return [action.dest.upper()]


def _escaped(text: str) -> str:
    """Characters that Markdown would take for its own."""
    return text.replace("<", "\\<").replace("*", "\\*")


if __name__ == "__main__":
    print(render_commands(), end="")
