"""Suspending and resuming listeners, delivery and destinations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from sealgate.control.acts import Acts
from sealgate.control.crew import Crew
from sealgate.control.roles import Operator
from sealgate.event.facts import Event, Note, Resumed, Suspended
from sealgate.mail.address import Address
from sealgate.process.channel import Channel, ChannelError
from sealgate.store.database import StoreError
from sealgate.store.revisions import Revisions
from sealgate.store.suspensions import ANY, Kind, Suspension, SuspensionFile, Suspensions

Key = tuple[Kind, str]


class Suspending:
    """The one that changes what is suspended. What it answers is durable."""

    def __init__(
        self,
        supervisor: Channel,
        revisions: Revisions,
        file: SuspensionFile,
        acts: Acts,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._crew = Crew(supervisor)
        self._revisions = revisions
        self._file = file
        self._acts = acts
        self._emit = emit
        self._clock = clock
        self._lock = asyncio.Lock()

    def listed(self) -> tuple[list[dict[str, Any]], str]:
        """What is suspended, in values that JSON knows, or why nobody can tell."""
        try:
            return [{**asdict(one), "words": one.words} for one in self._file.read()], ""
        except StoreError as error:
            return [], str(error)

    def remind(self) -> None:
        """State what is suspended still: a gateway that starts deaf should say so."""
        suspended, fault = self.listed()
        for one in suspended:
            self._emit(Note("Warning", f"Still suspended, by {one['who']}: {one['words']}"))
        if fault:
            self._emit(Note("Critical", fault))

    async def suspend(self, operator: Operator, what: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Suspend each (kind, name); gives what was not suspended before."""
        async with self._lock:
            before = self._read()
            new = [Suspension(kind, name, operator.name, self._clock()) for kind, name in self._checked(what)]
            every = any(one.key == ("listener", ANY) for one in new)
            alone = [one.key for one in before if every and one.kind == "listener" and one.name != ANY]
            return await self._change(operator, before, before.without(alone).with_these(new))

    async def resume(self, operator: Operator, what: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Resume each (kind, name), everything if none is named; gives what was suspended before."""
        async with self._lock:
            if not what:
                return await self._resume_all(operator)
            before = self._read()
            keys = self._checked(what)
            after = before
            for kind, name in keys:
                after = self._without(after, kind, name)
            return await self._change(operator, before, after)

    async def _resume_all(self, operator: Operator) -> dict[str, Any]:
        try:
            before = self._file.read()
        except StoreError:  # what nobody can read is replaced
            before = Suspensions([Suspension("listener", ANY), Suspension("delivery", "")])
        return await self._change(operator, before, Suspensions())

    def _without(self, before: Suspensions, kind: Kind, name: str) -> Suspensions:
        known = {one.key: one for one in before}
        if kind == "listener" and name == ANY:
            return before.without(key for key in known if key[0] == "listener")
        every = known.get(("listener", ANY))
        if kind == "listener" and every is not None:  # the others stay as they are
            others = [Suspension("listener", each, every.who, every.at) for each in self._listeners() if each != name]
            return before.without([every.key, (kind, name)]).with_these(others)
        return before.without([(kind, name)])

    async def _change(self, operator: Operator, before: Suspensions, after: Suspensions) -> dict[str, Any]:
        """Write it, tell the workers, state it."""
        begun, ended = self._difference(before, after), self._difference(after, before)
        if before != after:
            try:
                self._file.write(after)
            except StoreError as error:
                raise ChannelError(str(error)) from error
            if begun:
                facts = [Suspended(words, operator.name) for words in begun]
                self._acts.add(operator, "suspend", *facts, what="; ".join(begun))
            if ended:
                over = [Resumed(words, operator.name) for words in ended]
                self._acts.add(operator, "resume", *over, what="; ".join(ended))
        answers = await self._crew.ask("suspensions", {})
        return {"begun": begun, "ended": ended, "silent": answers.silent}

    def _difference(self, before: Suspensions, after: Suspensions) -> list[str]:
        """What is suspended after and was not before; all listeners but one are told by their names."""
        known = {one.key for one in before}
        new = [one for one in after if one.key not in known]
        if ("listener", ANY) in known:
            new = [one for one in new if one.kind != "listener"]
        elif any(one.kind == "listener" for one in before) and any(one.key == ("listener", ANY) for one in new):
            others = [Suspension("listener", name) for name in self._listeners() if not before.listener(name)]
            new = [*(one for one in new if one.key != ("listener", ANY)), *others]
        return [one.words for one in new]

    def _read(self) -> Suspensions:
        try:
            return self._file.read()
        except StoreError as error:
            raise ChannelError(str(error)) from error

    def _checked(self, what: Sequence[Sequence[str]]) -> list[Key]:
        keys: list[Key] = []
        for kind, name in what:
            match kind:
                case "listener":
                    keys.append(("listener", self._listener(name)))
                case "delivery":
                    keys.append(("delivery", ""))
                case "destination":
                    keys.append(("destination", _domain(name)))
                case _:
                    raise ChannelError(f"{kind!r} cannot be suspended")
        return keys

    def _listener(self, name: str) -> str:
        if name != ANY and name not in self._listeners():
            raise ChannelError(f"there is no listener {name!r}; there are {', '.join(self._listeners())}")
        return name

    def _listeners(self) -> list[str]:
        revision = self._revisions.current()
        return [] if revision is None else [each.name for each in revision.configuration.listeners]


def _domain(name: str) -> str:
    dot = "." if name.startswith(".") else ""
    domain = dot + Address("", name.removeprefix(".").removesuffix(".")).domain_key
    if not domain.strip(".") or any(char in domain for char in "@*<> \t"):
        raise ChannelError(f"{name!r} is no destination: write a domain, or .domain for all below it")
    return domain
