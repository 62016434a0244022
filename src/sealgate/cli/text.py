"""How values are written for a person at a terminal."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterable, Iterator, Sequence

from sealgate.config.problem import Problem


def local(at: float) -> str:
    """A time (seconds since the epoch) as this machine's clock shows it."""
    return datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def many(number: int, word: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def note_lines(remarks: Iterable[Problem]) -> Iterator[str]:
    """Remarks on a configuration; what holds for several settings is said once, and they stand below it."""
    paths: dict[str, list[str]] = {}
    for remark in remarks:
        paths.setdefault(remark.sentence, []).append(remark.path)
    for sentence, where in paths.items():
        if len(where) == 1:
            yield f"Note: {Problem(where[0], sentence)}."
        else:
            yield f"Note: {sentence}."
            yield f"      ({', '.join(where)})"


def warn_of_silent(silent: Sequence[str], missing: str) -> int:
    """Name the workers that did not answer, and what is `missing` for it; the exit status."""
    for line in silent_lines(silent, missing):
        print(f"sealgate: {line}", file=sys.stderr)
    return 1 if silent else 0


def silent_lines(silent: Sequence[str], missing: str) -> list[str]:
    """The same as lines."""
    return [f"{sentence}; {missing}" for sentence in silent]


def confirmed(question: str) -> bool:
    """Ask on a terminal; elsewhere nobody can answer, and the answer is no."""
    if not sys.stdin.isatty():
        print("Nothing was changed: this is no terminal, so add --yes to say that it is meant.", file=sys.stderr)
        return False
    if input(f"{question} [no]> ").strip().lower() in ("y", "yes"):
        return True
    print("Nothing was changed.")
    return False
