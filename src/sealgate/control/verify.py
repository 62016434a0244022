"""Trying by handshakes whether the gateway speaks what its configuration says, and nothing else.

Every running port and every worker is tried with each version alone, and so is every client in memory.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sealgate.config.schema import Configuration, Listener
from sealgate.control.crew import Crew
from sealgate.control.verification import Found, Trial, Verification
from sealgate.control.verify_gui import GuiTrials, reachable
from sealgate.event.facts import Event, VerificationFailed, VerificationPassed
from sealgate.live.keys import Keys, read_keys
from sealgate.live.probe import try_listener
from sealgate.live.revision import demands_of
from sealgate.net.tls.context import build_client
from sealgate.net.tls.probe import digests, try_client
from sealgate.process.channel import ChannelError
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.library import Library
from sealgate.tls.plan import plan_client
from sealgate.tls.trial import Attempt, judge_attempt, judge_own
from sealgate.tls.version import ProtocolVersion, Selection

AT_ONCE = 16
"""Handshakes at the same time."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One handshake with a listener: at an address, or at a worker."""

    listener: Listener
    demand: str
    version: ProtocolVersion
    address: str = ""
    worker: str = ""

    @property
    def place(self) -> str:
        return self.worker or f"{self.address} port {self.listener.port}"


class Verifier:
    """Makes the trials of one gateway, and states what they have shown."""

    def __init__(self, crew: Crew, library: Library, emit: Callable[[Event], None]) -> None:
        self._crew = crew
        self._library = library
        self._emit = emit
        self._room = asyncio.Semaphore(AT_ONCE)
        self.gui = GuiTrials()
        self.last: Found | None = None

    async def verify(self, payload: dict[str, Any]) -> Verification:
        """Every service that this payload has running, at each version."""
        verification = Verification(tuple(await self._trials(payload)))
        reasons = (*payload["all_faults"], *verification.told()["failures"])
        self.last = Found(asyncio.get_running_loop().time(), reasons)
        if verification.passed:
            self._emit(VerificationPassed(payload["revision"], len(verification.trials)))
        else:
            self._emit(VerificationFailed(payload["revision"], tuple(verification.told()["failures"])))
        return verification

    async def _trials(self, payload: dict[str, Any]) -> list[Trial]:
        """All of them. If they cannot be made, nothing is shown to be as it should."""
        configuration = Configuration.model_validate(payload["configuration"])
        keys = read_keys(payload["material"], payload["trust"])
        gui = map(self._in_turn, self.gui.of(payload, configuration, keys))
        try:
            trials = [*await self._listeners(payload, configuration, keys), *await self._clients(configuration)]
            return trials + await asyncio.gather(*gui)
        except (ChannelError, TimeoutError, OSError) as error:
            said = f"the handshakes could not be made: {str(error) or 'no answer in time'}"
            return [Trial("Every service", "this gateway", "any", True, False, said)]

    # -- listeners

    async def _in_turn(self, trial: Awaitable[Trial]) -> Trial:
        async with self._room:
            return await trial

    async def _listeners(self, payload: dict[str, Any], configuration: Configuration, keys: Keys) -> list[Trial]:
        children = (await self._crew.running())["children"]
        workers = [each["child"] for each in children if each["child"] != "control"]
        selection = configuration.tls.inbound_smtp.selection
        work: list[Awaitable[Trial]] = []
        for listener in configuration.listeners:
            if not listener.enabled or listener.tls == "off" or listener.name in payload["faults"]:
                continue
            shown = digests(keys.credentials_of(listener.certificates, listener.name))
            for case in _cases(listener, configuration, workers):
                work.append(self._try(case, selection, shown))
        return list(await asyncio.gather(*work))

    async def _try(self, case: _Case, selection: Selection, shown: frozenset[str]) -> Trial:
        async with self._room:
            attempt = await (self._at_worker(case) if case.worker else self._at_port(case))
        passed, said = judge_attempt(selection, attempt, shown)
        expected = selection.lowest <= case.version <= selection.highest
        return Trial(case.listener.name, case.place, case.version.number, expected, passed, said)

    async def _at_port(self, case: _Case) -> Attempt:
        """As a stranger would, but for the place it comes from, of which the workers are told before."""
        family = socket.AF_INET6 if ":" in case.address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.bind((case.address, 0))
            place = [*sock.getsockname()[:2], case.demand]
            await self._crew.ask("probe-expect", {"places": [place]})
            await asyncio.get_running_loop().sock_connect(sock, (case.address, case.listener.port))
        except (OSError, ChannelError, TimeoutError) as error:
            sock.close()
            return _unreachable(case.version, getattr(error, "strerror", None) or str(error))
        try:
            with sock.dup():  # so that the place is nobody else's before every worker has forgotten it
                attempt = await try_listener(sock, case.version, implicit_tls=case.listener.implicit_tls)
                await self._crew.ask("probe-over", {"places": [place[:2]]})
        except (ChannelError, TimeoutError):
            pass
        return attempt

    async def _at_worker(self, case: _Case) -> Attempt:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                body = {"listener": case.listener.name, "demand": case.demand}
                refused = await self._crew.hand_over(case.worker, "probe-listener", body, theirs.fileno())
            except (ChannelError, TimeoutError, KeyError) as error:
                refused = str(error)
        if refused is not None:
            ours.close()
            return _unreachable(case.version, refused)
        return await try_listener(ours, case.version, implicit_tls=case.listener.implicit_tls)

    # -- clients

    async def _clients(self, configuration: Configuration) -> list[Trial]:
        trials: list[Trial] = []
        answers = await self._crew.ask("probe-clients", {}, 30.0)
        selection = configuration.tls.outbound_smtp.selection
        for worker, answer in answers.good.items():
            attempts = [_attempt(each) for each in answer["attempts"]]
            trials += [_own("Outbound SMTP", f"{worker}, in memory", selection, each) for each in attempts]
        trials += [Trial("Outbound SMTP", "in memory", "any", True, False, sentence) for sentence in answers.silent]
        other = configuration.tls.other_clients
        context = build_client(plan_client(other.policy(), self._library), None, None, "other clients")
        attempts = await asyncio.to_thread(try_client, context, self._library)
        return trials + [_own("Other TLS clients", "in memory", other.selection, each) for each in attempts]


def _cases(listener: Listener, configuration: Configuration, workers: list[str]) -> Iterator[_Case]:
    for demand in sorted(demands_of(listener, configuration)):
        for version in ProtocolVersion:
            for address in listener.addresses:
                yield _Case(listener, demand, version, address=reachable(address))
            for worker in workers:
                yield _Case(listener, demand, version, worker=worker)


def _own(service: str, place: str, selection: Selection, attempt: Attempt) -> Trial:
    passed, said = judge_own(selection, attempt)
    expected = selection.lowest <= attempt.version <= selection.highest
    return Trial(service, place, attempt.version.number, expected, passed, said)


def _attempt(data: dict[str, Any]) -> Attempt:
    failure = data["failure"]
    told = None if failure is None else TlsFailure(**{**failure, "origin": Origin(failure["origin"])})
    return Attempt(ProtocolVersion(data["version"]), data["certificate"], told)


def _unreachable(version: ProtocolVersion, sentence: str) -> Attempt:
    return Attempt(version, None, TlsFailure(Origin.CLOSED, None, sentence))
