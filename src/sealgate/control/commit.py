"""Putting a configuration into force: check, prepare everywhere, persist, swap everywhere."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sealgate.config.check import check
from sealgate.config.check_gui import gui_gone
from sealgate.config.check_operators import last_administrator_gone
from sealgate.config.diff import Change, diff
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.config.schema.gui import CLASSIC
from sealgate.control.acts import Acts
from sealgate.control.roles import OVER_HTTPS
from sealgate.control.validity import out_of_time, used
from sealgate.control.verification import Verification
from sealgate.event.facts import CertificatesRenewed, Event, RevisionApplied, RevisionRefused
from sealgate.live.material import read_material, read_trust
from sealgate.live.revision import build, faults_of
from sealgate.process.channel import Channel, ChannelError
from sealgate.store.audit import KEPT
from sealgate.store.database import StoreError
from sealgate.store.revisions import Entry, Pending, Revision, Revisions
from sealgate.tls.library import Library

PREPARE_PATIENCE = 60.0
SWAP_PATIENCE = 15.0

REVERT = "confirm"
"""The face of a commit that nobody asked for: its predecessor was not confirmed."""

Verify = Callable[[dict[str, Any]], Awaitable[Verification]]
"""Tries by handshakes what this payload promises."""

_OF_TLS = ("tls.", "certificates", "gui.", "listeners", "policies", "sender_groups", "delivery", "destinations")


def payload_of(number: int, configuration: Configuration, library: Library) -> dict[str, Any]:
    """What every process runs on: the settings, the bytes of the keys, and what cannot be served."""
    payload: dict[str, Any] = {
        "revision": number,
        "workers": configuration.gateway.worker_count(os.cpu_count() or 1),
        "configuration": configuration.model_dump(mode="json"),
        "material": read_material(configuration),
        "trust": read_trust(configuration),
    }
    payload["digest"] = material_digest(payload)
    live = build(payload, library, None)
    faults = {name: one.fault for name, one in live.listeners.items()} | {CLASSIC: live.gui.fault}
    payload["faults"] = {name: fault for name, fault in faults.items() if fault}
    payload["all_faults"] = list(faults_of(live))
    return payload


def material_digest(payload: dict[str, Any]) -> str:
    """Differs between payloads whose keys, certificates or authorities differ."""
    material = {"material": payload["material"], "trust": payload["trust"]}
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode()).hexdigest()


class Conflict(Exception):
    """Somebody else has committed since: both differences from the revision that the changes were begun on."""

    def __init__(self, current: Entry, mine: tuple[Change, ...], theirs: tuple[Change, ...]) -> None:
        super().__init__(
            f"revision {current.number} was committed by {current.who} after these changes were begun: "
            "discard them, or make them again on what is in force now"
        )
        self.current = current
        self.mine = mine
        self.theirs = theirs


class Overtaken(Exception):
    """What was to be taken back waits no more: it has been confirmed meanwhile, or taken back by hand."""


@dataclass(frozen=True, slots=True)
class Order:
    """A configuration that is to come into force, and who wants it.

    `base` is the revision that it was begun on; None is whatever is in force. With `minutes` it has to be confirmed
    within so many. `act` is what the audit record calls it. `takes_back` is the commit that it takes back because
    nobody has confirmed it.
    """

    configuration: Configuration
    who: str
    face: str
    comment: str = ""
    base: int | None = None
    minutes: float | None = None
    act: str = "commit"
    takes_back: Pending | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A revision in force, what differs from the one before, and what the verification found."""

    revision: Revision
    changes: tuple[Change, ...]
    verification: Verification | None
    deadline: datetime.datetime | None


class Committer:
    """The one way in which the running configuration changes."""

    def __init__(
        self,
        supervisor: Channel,
        revisions: Revisions,
        library: Library,
        acts: Acts,
        emit: Callable[[Event], None],
        now: Callable[[], datetime.datetime],
        applied: Callable[[Configuration], None],
        verify: Verify,
    ) -> None:
        self._supervisor = supervisor
        self._revisions = revisions
        self._library = library
        self._acts = acts
        self._emit = emit
        self._now = now
        self._applied = applied
        self._verify = verify
        self.turn = asyncio.Lock()
        """Held while the running configuration changes, or is tried."""
        self._material: dict[str, Any] | None = None
        """The certificates in force, as far as this process knows."""
        self.swapped_at: datetime.datetime | None = None
        """When this process has last put a configuration in force, if it has."""

    async def commit(self, order: Order) -> Committed:
        """Make it the running configuration. `ConfigurationError`, `Conflict` and `Overtaken` leave all as it was."""
        async with self.turn:
            try:
                return await self._commit(order)
            except ConfigurationError as error:
                self.refused(order.who, order.face, error)
                raise

    async def _commit(self, order: Order) -> Committed:
        current = self._revisions.current()
        changes = self._changes(order, current)
        self._refuse_while_pending(order)
        payload = self._checked(order, current)
        await self._prepare(payload)
        revision, deadline = await self._persist(order)
        await self._swap(revision.number)
        self._material = payload["material"]
        self._applied(order.configuration)
        applied = RevisionApplied(revision.number, order.who, order.comment)
        until = None if deadline is None else deadline.isoformat()
        detail = {"revision": revision.number, "comment": order.comment, "changes": told_changes(changes)}
        self._acts.add_of(order.who, order.face, order.act, applied, **detail, confirm_by=until)
        verification = await self._verify(payload) if touches_tls(changes) else None
        if verification is not None:
            self._acts.add_of(order.who, order.face, "verify", revision=revision.number, **verification.told())
        return Committed(revision, changes, verification, deadline)

    def _changes(self, order: Order, current: Revision | None) -> tuple[Change, ...]:
        """What the order changes; somebody else's commit in between is a conflict, not a merge."""
        if current is None:
            return ()
        if order.base is not None and order.base != current.number:
            base = self._revisions.get(order.base)
            begun = base.configuration if base is not None else current.configuration
            raise Conflict(current, diff(begun, order.configuration), diff(begun, current.configuration))
        return diff(current.configuration, order.configuration)

    def _refuse_while_pending(self, order: Order) -> None:
        """While a commit waits there is no other, but for the one that takes it back."""
        pending = self._revisions.pending()
        if pending is None or order.takes_back is not None:
            return
        back = self._revisions.get(pending.back_to)
        if back is None or diff(back.configuration, order.configuration):
            until = pending.deadline.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
            raise _refusal(
                f"revision {pending.revision} waits to be confirmed until {until}: "
                f"confirm it, or roll back to revision {pending.back_to}"
            )

    def _checked(self, order: Order, current: Revision | None) -> dict[str, Any]:
        problems = check(order.configuration, self._library)
        if current is not None and order.takes_back is None:
            problems += tuple(last_administrator_gone(current.configuration, order.configuration))
            if order.face in OVER_HTTPS:
                problems += tuple(gui_gone(current.configuration, order.configuration))
        if problems:
            raise ConfigurationError(problems)
        payload = payload_of(1 if current is None else current.number + 1, order.configuration, self._library)
        if payload["all_faults"]:
            raise ConfigurationError(tuple(Problem("", sentence) for sentence in payload["all_faults"]))
        known = [] if current is None else self._unchanged(payload, current.configuration)
        if order.takes_back is not None:  # it was in force before: better with a certificate that has expired than not
            known = used(order.configuration)
        if expired := out_of_time(payload, order.configuration, known, self._now()):
            raise ConfigurationError(expired)
        return payload

    def _unchanged(self, payload: dict[str, Any], before: Configuration) -> list[CertificateProfile]:
        """The profiles in use before, without those whose files are known to have changed meanwhile."""
        old, new = self._material, payload["material"]
        return [each for each in used(before) if old is None or old.get(each.name) == new.get(each.name)]

    async def _prepare(self, payload: dict[str, Any]) -> None:
        try:
            await self._supervisor.request("prepare", {"payload": payload}, timeout=PREPARE_PATIENCE)
        except (ChannelError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                await self._supervisor.request("abandon", {})
            raise _refusal(f"not every process could prepare it: {error}") from error

    async def _persist(self, order: Order) -> tuple[Revision, datetime.datetime | None]:
        """On the disk, or forgotten everywhere: what stays prepared would be in the way of every other commit."""
        try:
            return self._stored(order)
        except BaseException as error:
            await self._supervisor.request("abandon", {})
            if isinstance(error, StoreError):
                raise _refusal(str(error)) from error
            raise

    def _stored(self, order: Order) -> tuple[Revision, datetime.datetime | None]:
        if order.takes_back is not None and self._revisions.pending() != order.takes_back:
            raise Overtaken
        now = self._now()
        deadline = None if order.minutes is None else now + datetime.timedelta(minutes=order.minutes)
        revision = self._revisions.add(
            order.configuration, who=order.who, comment=order.comment, at=now, face=order.face, deadline=deadline
        )
        return revision, deadline

    async def _swap(self, number: int) -> None:
        await self._supervisor.request("swap", {"revision": number}, timeout=SWAP_PATIENCE)
        self.swapped_at = self._now()

    async def renew(self) -> tuple[str, ...]:
        """Take up certificate and authority files that have changed; what is wrong with them, if anything is.

        The revision stays the same: its files are what differs. Nothing wrong comes into force.
        """
        async with self.turn:
            current = self._revisions.current()
            if current is None:
                return ()
            payload = payload_of(current.number, current.configuration, self._library)
            running = await self._supervisor.request("running", {})
            if running["revision"] != current.number:
                return ()
            if running["digest"] == payload["digest"]:
                self._material = payload["material"]
                return ()
            known = self._unchanged(payload, current.configuration)
            expired = out_of_time(payload, current.configuration, known, self._now())
            if payload["all_faults"] or expired:
                return (*payload["all_faults"], *(problem.sentence for problem in expired))
            await self._prepare(payload)
            await self._supervisor.request("swap", {"revision": current.number}, timeout=SWAP_PATIENCE)
            self._material = payload["material"]
            self._emit(CertificatesRenewed(current.number))
            await self._verify(payload)
            return ()

    async def verify(self) -> Verification:
        """Try what is in force now, and not what a commit is just changing."""
        async with self.turn:
            current = self._revisions.current()
            if current is None:
                raise ChannelError("this gateway has no configuration yet; run sealgate init")
            return await self._verify(payload_of(current.number, current.configuration, self._library))

    def refused(self, who: str, face: str, error: ConfigurationError) -> None:
        """State that a configuration was refused."""
        problems = tuple(str(problem) for problem in error.problems)
        self._acts.add_of(who, face, "commit refused", RevisionRefused(who, problems), problems=list(problems))

    async def catch_up(self) -> Committed | None:
        """Finish what control died over: a revision that was stored and not swapped in, not recorded or not tried.

        None if nothing was left to do. It is not tried while the workers are still coming up with it.
        """
        async with self.turn:
            current = self._revisions.current()
            running = await self._supervisor.request("running", {})
            if current is None or (running["revision"] == current.number and self._is_recorded(current)):
                return None
            payload = payload_of(current.number, current.configuration, self._library)
            if running["revision"] != current.number:
                await self._prepare(payload)
                await self._swap(current.number)
                self._material = payload["material"]
                self._applied(current.configuration)
            applied = RevisionApplied(current.number, current.who, current.comment)
            detail = {"revision": current.number, "comment": current.comment}
            self._acts.add_of(current.who, current.face, "commit", applied, **detail)
            verification = None
            if all(child["serving"] for child in running["children"] if child["child"] != "control"):
                verification = await self._verify(payload)
                self._acts.add_of(current.who, current.face, "verify", revision=current.number, **verification.told())
            pending = self._revisions.pending()
            return Committed(current, (), verification, None if pending is None else pending.deadline)

    def _is_recorded(self, revision: Revision) -> bool:
        told = (act.detail for act in self._acts.newest(KEPT) if "comment" in act.detail)
        return any(detail.get("revision") == revision.number for detail in told)


def told_changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """A difference in values that JSON knows."""
    return [{"path": each.path, "before": _plain(each.before), "after": _plain(each.after)} for each in changes]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def touches_tls(changes: tuple[Change, ...]) -> bool:
    """Whether what differs may change what a handshake with this gateway, or by it, looks like."""
    return any(change.path.startswith(_OF_TLS) for change in changes)


def _refusal(sentence: str) -> ConfigurationError:
    return ConfigurationError((Problem("", sentence),))
