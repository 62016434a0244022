"""A table of settings at the prompt: which row, a new one, one less, one elsewhere, all of it gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealgate.cli.dialogue.field import ask_needed, field
from sealgate.cli.dialogue.question import near
from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.config.edit import Add, Move, Remove, identity_of, setting_named
from sealgate.config.setting import settings_of
from sealgate.config.validation import validated_value

MOST_LISTED = 50
"""Rows that a prompt lists by their numbers."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its path, what a row is called, and what several are."""

    path: str
    noun: str
    plural: str
    aliases: tuple[tuple[str, str], ...] = ()
    """What is typed and shown for a name that is kept in another way: ALL for *."""

    @property
    def identity(self) -> str:
        """The setting that tells its rows apart."""
        return identity_of(self.path)

    @property
    def settings(self) -> tuple[str, ...]:
        """The other settings of a row, in their order."""
        group = setting_named(self.path).group
        assert group is not None
        return tuple(each.path for each in settings_of(group) if each.path != self.identity)

    def shown(self, name: str) -> str:
        """A name as it is shown."""
        return dict(self.aliases).get(name, name)

    def kept(self, typed: str) -> str:
        """A name as it is kept."""
        return next((name for name, alias in self.aliases if alias.lower() == typed.lower()), typed)

    async def rows(self, talk: Talk) -> list[dict[str, Any]]:
        """The rows of the candidate."""
        found: list[dict[str, Any]] = (await talk.configuration())[self.path]
        return found

    async def names(self, talk: Talk) -> list[str]:
        """What tells them apart."""
        return [str(row[self.identity]) for row in await self.rows(talk)]

    async def row(self, talk: Talk, name: str) -> dict[str, Any]:
        """One of them."""
        return next(row for row in await self.rows(talk) if row[self.identity] == name)

    async def said(self, talk: Talk) -> str:
        """How many there are, in the words of AsyncOS."""
        number = len(await self.rows(talk))
        if number == 1:
            return f"There is currently 1 {self.noun} configured."
        return f"There are currently {number or 'no'} {self.plural} configured."

    async def choose(self, talk: Talk, verb: str, names: Sequence[str] | None = None) -> str | None:
        """Which row, by its name or number; None if there is none, or none is meant."""
        known = await self.names(talk) if names is None else list(names)
        if known:
            return await talk.ask(self._which(verb, known))
        talk.refuse(f"There is no {self.noun} to {verb}.")
        return None

    def _which(self, verb: str, names: Sequence[str]) -> Question[str | None]:
        def read(typed: str) -> str | None:
            wanted = self.kept(typed)
            if not wanted or wanted in names:
                return wanted or None
            if typed.isascii() and typed.isdigit() and len(typed) < 10 and 1 <= int(typed) <= len(names):
                return names[int(typed) - 1]
            same = [name for name in names if name.lower() == typed.lower()]
            if same:
                return same[0]
            raise ValueError(f"there is no {self.noun} {typed!r}{near(typed, shown[:MOST_LISTED], str)}")

        shown = [self.shown(name) for name in names]
        listed = [f"{number}. {name}" for number, name in enumerate(shown[:MOST_LISTED], 1)]
        more = [f"and {len(names) - MOST_LISTED} more"] * (len(names) > MOST_LISTED)
        return Question(
            text="\n".join(
                [f"Enter the {self.identity} or number of the {self.noun} you wish to {verb}.", *listed, *more]
            ),
            read=read,
            help=f"Type the {self.identity} of one that is there, or its number from 1 to {len(names)}; Enter is none.",
            words=tuple(shown),
        )

    async def new_name(self, talk: Talk, text: str = "") -> str:
        """What will tell a new row apart, in the form in which it is kept."""
        taken = await self.names(talk)
        asked = field(f"{self.path}.{self.identity}", text=text, needed=True)

        def read(typed: str) -> str:
            name = self.name_of(asked.read(self.kept(typed)))
            if name in taken:
                raise ValueError(f"there is a {self.noun} {typed!r} already; EDIT changes it")
            return name

        return await talk.ask(Question(asked.text, read, help=asked.help))

    def name_of(self, text: str) -> str:
        """A name in the form in which it is kept; `ValueError` if it can be none."""
        return str(validated_value(setting_named(f"{self.path}.{self.identity}"), self.kept(text)))

    async def add(self, talk: Talk, given: Mapping[str, Any], before: str | None = None) -> bool:
        """A new row; what it needs and is not given is asked for. Whether it is there now."""
        return await talk.edit(Add(self.path, await ask_needed(talk, self.path, given), before))

    async def remove(self, talk: Talk, name: str) -> bool:
        """One row less."""
        return await talk.edit(Remove(self.path, name))

    async def clear(self, talk: Talk) -> None:
        """No row any more."""
        names = await self.names(talk)
        if await talk.edit(*(Remove(self.path, name) for name in names)):
            talk.say(f"All {self.plural} were removed.")

    async def replace(self, talk: Talk, rows: Iterable[Mapping[str, Any]]) -> bool:
        """These rows instead of all that are there."""
        gone = [Remove(self.path, name) for name in await self.names(talk)]
        return await talk.edit(*gone, *(Add(self.path, row) for row in rows))

    async def move(self, talk: Talk) -> None:
        """A row to another place among all."""
        name = await self.choose(talk, "move")
        if name is None:
            return
        others = [each for each in await self.names(talk) if each != name]
        place = await talk.ask(_place(len(others) + 1, (await self.names(talk)).index(name) + 1))
        await talk.edit(Move(self.path, name, others[place - 1] if place <= len(others) else None))


def _place(last: int, present: int) -> Question[int]:
    def read(typed: str) -> int:
        if not typed:
            return present
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and 1 <= int(typed) <= last):
            raise ValueError(f"{typed!r} is no place in the table; type a number from 1 to {last}")
        return int(typed)

    help_text = f"Type a number from 1, the top, to {last}, the bottom. The table is read from the top."
    return Question("Enter the place it is to have, 1 being the top.", read, str(present), help_text)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells in columns, two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
