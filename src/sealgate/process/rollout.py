"""A configuration on its way into force: prepared by every child, then swapped in by all, or by none.

Control drives it: prepare, then (once the revision is durable) swap, or abandon; it is asked to prepare and swap
like any worker, for the sockets that it serves. Between the two a child that comes up anew waits for the outcome, so
that none is left with the configuration that lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from sealgate.process.channel import Body, Channel, ChannelError
from sealgate.process.endpoint import Endpoint, Listening, Problem, bind_all, owned_by
from sealgate.process.member import Member, Timing

Request = tuple[Body, list[int]]
"""What one child is asked, and the descriptors that go with it."""


class Rollout:
    """The running configuration with its sockets, and at most one candidate beside it."""

    def __init__(
        self,
        payload: Body,
        endpoints: Callable[[Body], Sequence[Endpoint]],
        crew: Callable[[], Iterable[Member]],
        timing: Timing,
        applied: Callable[[Body], None],
    ) -> None:
        self.payload = payload
        self._applied = applied
        self.listening: tuple[Listening, ...] = ()
        self._endpoints = endpoints
        self._crew = crew
        self._timing = timing
        self._lock = asyncio.Lock()
        self._candidate: _Candidate | None = None
        self._decided = asyncio.Event()
        self._decided.set()

    def open(self) -> list[Problem]:
        """Bind what the first configuration wants; what cannot be bound is returned, and stays closed."""
        bound, problems = bind_all(self._endpoints(self.payload))
        self.listening = tuple(bound)
        return problems

    def close(self) -> None:
        """Close this process's copies of the listening sockets."""
        for each in self.listening:
            each.socket.close()
        self.listening = ()

    async def decided(self) -> None:
        """Wait until no candidate is pending."""
        while not self._decided.is_set():
            await self._decided.wait()

    async def prepare(self, payload: Body) -> None:
        """Bind what is new and have every child prepare. ChannelError: nothing has changed anywhere."""
        async with self._lock:
            if self._candidate is not None:
                raise ChannelError("another change has been prepared and waits to be swapped in or abandoned")
            candidate = self._bind(payload)
            self._candidate = candidate
            self._decided.clear()
            try:
                await self._prepare(candidate)
            except BaseException:
                await self._abandon(candidate)
                raise

    def _bind(self, payload: Body) -> _Candidate:
        running = {each.endpoint.place: each.socket for each in self.listening}
        closed = {each.place for each in self._endpoints(self.payload)} - running.keys()
        wanted = list(self._endpoints(payload))
        fresh, problems = bind_all(each for each in wanted if each.place not in running)
        # What could not be bound before may go on being closed; it is no fault of this change.
        if new := [each.sentence for each in problems if each.endpoint.place not in closed]:
            for each in fresh:
                each.socket.close()
            raise ChannelError("; ".join(new))
        sockets = running | {each.endpoint.place: each.socket for each in fresh}
        listening = tuple(Listening(each, sockets[each.place]) for each in wanted if each.place in sockets)
        return _Candidate(payload, listening, fresh, problems)

    async def _prepare(self, candidate: _Candidate) -> None:
        candidate.crew = [(each, each.present) for each in self._crew() if each.present]
        faults = await _ask_all(candidate.crew, "prepare", candidate.request_for, lambda child: self._timing.prepare)
        if faults:
            raise ChannelError("; ".join(f"{member.name}: {sentence}" for member, _, sentence in faults))

    async def swap(self, revision: int) -> Body:
        """Put the candidate in force; a child that does not follow is killed, and comes back with it."""
        async with self._lock:
            candidate = self._candidate
            if candidate is None or candidate.payload.get("revision") != revision:
                raise ChannelError(f"revision {revision} has not been prepared")
            before, self.listening = self.listening, candidate.listening
            self.payload = candidate.payload
            self._applied(candidate.payload)
            faults = await _ask_all(candidate.crew, "swap", _nothing, self._patience)
            killed = [
                member.name
                for member, channel, sentence in faults
                if _kill(member, channel, f"it has not swapped to revision {revision}: {sentence}")
            ]
            self._conclude(before, candidate.listening)
            return {
                "revision": revision,
                "killed": killed,
                "closed": [each.sentence for each in candidate.problems],
            }

    def _patience(self, child: str) -> float:
        return self._timing.swap_control if child == "control" else self._timing.swap

    async def abandon(self) -> None:
        """Forget the candidate, if there is one."""
        async with self._lock:
            if self._candidate is not None:
                await self._abandon(self._candidate)

    async def _abandon(self, candidate: _Candidate) -> None:
        faults = await _ask_all(candidate.crew, "abandon", _nothing, self._patience)
        for member, channel, sentence in faults:
            _kill(member, channel, f"it has not abandoned a change: {sentence}")
        self._conclude(candidate.fresh, ())

    def _conclude(self, sockets: Iterable[Listening], kept: Iterable[Listening]) -> None:
        still = {each.endpoint.place for each in kept}
        for each in sockets:
            if each.endpoint.place not in still:
                each.socket.close()
        self._candidate = None
        self._decided.set()


class _Candidate:
    def __init__(
        self, payload: Body, listening: tuple[Listening, ...], fresh: list[Listening], problems: list[Problem]
    ) -> None:
        self.payload = payload
        self.listening = listening
        self.fresh = fresh  # of these, the ones bound for it
        self.problems = problems
        self.crew: list[tuple[Member, Channel]] = []

    def request_for(self, child: str) -> Request:
        """What a child is to prepare, with the sockets that are its own."""
        listening = owned_by(child, self.listening)
        return {"payload": self.payload, "listeners": names_of(listening)}, descriptors_of(listening)


def _nothing(child: str) -> Request:
    return {}, []


def names_of(listening: Iterable[Listening]) -> list[Body]:
    """Listening endpoints as they travel on the channel …"""
    return [each.endpoint.to_body() for each in listening]


def descriptors_of(listening: Iterable[Listening]) -> list[int]:
    """… and their descriptors, in the same order."""
    return [each.socket.fileno() for each in listening]


def _kill(member: Member, channel: Channel, why: str) -> bool:
    """Kill the process that was asked; if it has died and another one is in its place, that one is innocent."""
    if member.present is not channel:
        return False
    member.kill(why)
    return True


async def _ask_all(
    crew: Sequence[tuple[Member, Channel]], op: str, request: Callable[[str], Request], patience: Callable[[str], float]
) -> list[tuple[Member, Channel, str]]:
    """Ask all at once; who refused, fell silent or died, each with a sentence."""

    async def fault(member: Member, channel: Channel) -> str | None:
        timeout = patience(member.name)
        try:
            await channel.request(op, *request(member.name), timeout)
        except TimeoutError:
            return f"no answer within {timeout:g} s"
        except ChannelError as error:
            return str(error)
        return None

    sentences = await asyncio.gather(*(fault(member, channel) for member, channel in crew))
    return [
        (member, channel, text) for (member, channel), text in zip(crew, sentences, strict=True) if text is not None
    ]
