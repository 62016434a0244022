"""Differences, conflicts and dates in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sealgate.mail.text import printable


def conflict_lines(answer: Mapping[str, Any]) -> Iterable[str]:
    """Two operators, one configuration: what each has changed, and the two ways on."""
    current = answer["current"]
    who = printable(current["who"])
    yield f"Nothing was committed: {who} has committed revision {current['revision']} since your changes were begun."
    yield f"Committed meanwhile{_quoted(current['comment'])}:"
    yield from change_lines(answer["theirs"])
    yield "Your changes:"
    yield from change_lines(answer["mine"])
    yield "Drop yours with clearchanges; then make them again, on what is in force now."


def _quoted(comment: str) -> str:
    return f' ("{printable(comment)}")' if comment else ""


def change_lines(changes: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """A difference as a list to read."""
    for change in changes:
        yield f"  {printable(change['path'])}: {shown(change['before'])} -> {shown(change['after'])}"


def shown(value: Any) -> str:
    """A value in a difference."""
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "(none)"
    lines = str(value).splitlines()
    return printable(str(value)) if len(lines) <= 1 else f"({len(lines)} lines)"


def open_lines(shown: Mapping[str, Any]) -> Iterator[str]:
    """What is not finished, from the answer to `candidate`: changes to commit, a commit to confirm."""
    if shown["pending"]:
        yield "There are uncommitted changes: showchanges shows them."
    if shown["confirm_by"] is not None:
        yield waiting_line(shown["confirm_by"])


def waiting_line(confirm_by: str) -> str:
    """Of a commit that waits to be confirmed, to a session that can confirm it."""
    return f"The last commit is taken back at {date(confirm_by)} unless it is confirmed, with confirm."


def date(text: str) -> str:
    """A time as AsyncOS shows it, by this machine's clock."""
    return datetime.datetime.fromisoformat(text).astimezone().strftime("%a %b %d %H:%M:%S %Y %Z")
