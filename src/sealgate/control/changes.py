"""What operators change: their candidates, and the way from a candidate into force and back."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sealgate.config.asyncos import import_asyncos
from sealgate.config.check import check
from sealgate.config.check_operators import last_administrator_gone, own_losses
from sealgate.config.diff import diff
from sealgate.config.document import is_asyncos, parse, render
from sealgate.config.edit import edited, step_of
from sealgate.config.masking import masked
from sealgate.config.narrowing import narrowings
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration, LocalOperator
from sealgate.config.weakness import weaknesses
from sealgate.control.acts import Acts
from sealgate.control.certificates import told_certificates
from sealgate.control.commit import Committed, Committer, Conflict, Order, told_changes
from sealgate.control.confirm import Confirming
from sealgate.control.passphrases import Hash, hash_of, whose, with_hashes, with_operators_of, with_passphrase
from sealgate.control.roles import NotAllowed, Operator
from sealgate.event.facts import ChangesCleared
from sealgate.process.channel import ChannelError
from sealgate.store.audit import Act
from sealgate.store.candidates import Candidate, Candidates
from sealgate.store.database import StoreError
from sealgate.store.revisions import Entry, Revision, Revisions
from sealgate.tls.library import Library

NOTHING_TO_COMMIT = "There is no data to commit."

LONGEST_CONFIRM = 1440.0
"""Minutes that a commit may wait to be confirmed."""


class Changes:
    """Answers what concerns configurations, in values that JSON knows. `ChannelError` carries a sentence."""

    def __init__(
        self,
        revisions: Revisions,
        candidates: Candidates,
        acts: Acts,
        committer: Committer,
        confirming: Confirming,
        library: Library,
        hashed: Hash,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._revisions = revisions
        self._candidates = candidates
        self._acts = acts
        self._committer = committer
        self._confirming = confirming
        self._library = library
        self._hashed = hashed
        self._now = now

    async def handle(self, operator: Operator, op: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """One request; None if it is none of these."""
        try:
            return await self._handle(operator, op, body)
        except StoreError as error:
            raise ChannelError(str(error)) from error

    async def _handle(self, operator: Operator, op: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        match op:
            case "showconfig":
                return self._showconfig(operator, secrets=body.get("secrets", False))
            case "candidate":
                return self._show(operator)
            case "edit":
                return await self._edit(operator, body["steps"], dry=body.get("dry", False))
            case "load":
                return await self._load(operator, body["text"])
            case "certificates":
                return self._certificates(operator, body.get("steps", ()), body.get("name"))
            case "diff":
                return self._diff(operator)
            case "discard":
                return self._discard(operator)
            case "commit":
                return await self._commit(operator, body.get("comment", ""), body.get("minutes"))
            case "loadconfig":
                return await self._load_and_commit(operator, body["text"], body.get("comment", ""))
            case "confirm":
                return await self._confirm(operator)
            case "passwd":
                return await self._passwd(operator, body.get("name"), body["passphrase"])
            case "operators":
                return {"operators": [_listed(each) for each in self._current().configuration.operators]}
            case "revisions":
                return self._list(body.get("limit", 20))
            case "rollback":
                return self._roll_back(operator, body["revision"])
            case "verify":
                return await self._verify(operator)
            case "audit":
                return {"acts": [_act(each) for each in self._acts.newest(body.get("limit", 50))]}
        return None

    def _showconfig(self, operator: Operator, *, secrets: bool) -> dict[str, Any]:
        """What is in force, as a document; with its secrets for administrators, and on record."""
        current = self._current()
        if secrets and not operator.may("administrator"):
            raise NotAllowed(f"{operator.name} is no administrator, and sees no secrets")
        if secrets:
            self._acts.add(operator, "secrets shown", revision=current.number)
        return {"revision": current.number, "text": render(current.configuration, mask=not secrets)}

    # -- the candidate

    def _current(self) -> Revision:
        current = self._revisions.current()
        if current is None:
            raise ChannelError("this gateway has no configuration yet; run sealgate init")
        return current

    def _candidate(self, operator: Operator) -> Candidate:
        """The operator's own, or a new one on what is in force."""
        found, current = self._own(operator), self._current()
        if found is not None:
            return found
        return Candidate(operator.name, current.number, self._now(), current.configuration)

    def _own(self, operator: Operator) -> Candidate | None:
        """What the operator has begun. One that is in force by now, though control died before it said so, is none."""
        found = self._candidates.get(operator.name)
        if found is not None and not diff(self._current().configuration, found.configuration):
            self._candidates.discard(operator.name)
            return None
        return found

    def _keep(self, operator: Operator, base: int, configuration: Configuration) -> dict[str, Any]:
        """Remember it as the operator's candidate; one that changes nothing is none."""
        current = self._current()
        if base == current.number and not diff(current.configuration, configuration):
            self._candidates.discard(operator.name)
        else:
            self._candidates.put(Candidate(operator.name, base, self._now(), configuration))
        return self._show(operator)

    def _show(self, operator: Operator, tried: Candidate | None = None) -> dict[str, Any]:
        """The candidate, or one that is only tried, with its secrets masked, and what stands in its way."""
        candidate, current = tried or self._candidate(operator), self._current()
        before, after = current.configuration, candidate.configuration
        return {
            "hostname": current.configuration.gateway.hostname,
            "base": candidate.base,
            "current": current.number,
            "pending": bool(diff(before, after)),
            "configuration": masked(after),
            "problems": _told([*check(after, self._library), *last_administrator_gone(before, after)]),
            "remarks": self._remarks(operator, before, after),
            "others": list(self._candidates.others(operator.name)),
            "confirm_by": self._confirming.deadline_text,
        }

    def _remarks(self, operator: Operator, before: Configuration, after: Configuration) -> list[list[str]]:
        """What this operator should know of a configuration that would take the place of another."""
        losses = [*own_losses(operator.name, before, after), *narrowings(before, after)]
        return _told([*losses, *weaknesses(after, self._library)])

    async def _edit(self, operator: Operator, steps: Sequence[Mapping[str, Any]], *, dry: bool) -> dict[str, Any]:
        """Take these steps; a dry run only shows what they would make of the candidate."""
        try:
            ready = [step_of(step) for step in await with_hashes(steps, self._hashed)]
            candidate = self._candidate(operator)
            configuration = edited(candidate.configuration, ready)
        except ConfigurationError as error:
            return {"refused": _told(error.problems)}
        if dry:
            return self._show(operator, replace(candidate, configuration=configuration))
        return self._keep(operator, candidate.base, configuration)

    async def _load(self, operator: Operator, text: str) -> dict[str, Any]:
        current = self._current()
        try:
            if is_asyncos(text):
                imported = await asyncio.to_thread(import_asyncos, text, current.configuration, self._library)
                self._acts.add(operator, "loadconfig", source=imported.source, banner=list(imported.banner))
                return {**self._keep(operator, current.number, imported.configuration), "imported": imported.told()}
            return self._keep(operator, current.number, parse(text))
        except ConfigurationError as error:
            self._committer.refused(operator.name, operator.face, error)
            return {"refused": _told(error.problems)}

    def _certificates(self, operator: Operator, steps: Sequence[Mapping[str, Any]], name: str | None) -> dict[str, Any]:
        """The certificate profiles of the candidate, as these steps would leave them.

        Steps name files to read and texts to sign with a key: they are for those who may take them.
        """
        if steps and not operator.may("administrator"):
            raise NotAllowed(f"{operator.name} is no administrator, and may try no other certificates")
        try:
            configuration = edited(self._candidate(operator).configuration, [step_of(step) for step in steps])
        except ConfigurationError as error:
            return {"refused": _told(error.problems)}
        return {"certificates": told_certificates(configuration, self._now(), name)}

    def _diff(self, operator: Operator) -> dict[str, Any]:
        candidate, current = self._candidate(operator), self._current()
        base = current if candidate.base == current.number else self._revisions.get(candidate.base)
        begun = current.configuration if base is None else base.configuration
        return {
            "base": candidate.base,
            "current": current.number,
            "changes": told_changes(diff(begun, candidate.configuration)),
            "theirs": told_changes(diff(begun, current.configuration)),
        }

    def _discard(self, operator: Operator) -> dict[str, Any]:
        there = self._candidates.discard(operator.name)
        if there:
            self._acts.add(operator, "clearchanges", ChangesCleared(operator.name))
        return {"discarded": there}

    # -- into force

    async def _commit(self, operator: Operator, comment: str, minutes: float | None) -> dict[str, Any]:
        candidate = self._own(operator)
        if candidate is None:
            return {"nothing": NOTHING_TO_COMMIT}
        if minutes is not None and not 0 < minutes <= LONGEST_CONFIRM:
            raise ChannelError(f"a commit is confirmed within 1 to {LONGEST_CONFIRM:g} minutes")
        order = Order(candidate.configuration, operator.name, operator.face, comment, candidate.base, minutes)
        return await self._carry_out(operator, order)

    async def _load_and_commit(self, operator: Operator, text: str, comment: str) -> dict[str, Any]:
        """A whole configuration at one stroke, as scripts do it, past the operator's candidate.

        One of AsyncOS is to be looked at first, and becomes the candidate.
        """
        if is_asyncos(text):
            return await self._load(operator, text)
        try:
            configuration = parse(text)
        except ConfigurationError as error:
            self._committer.refused(operator.name, operator.face, error)
            return {"problems": _told(error.problems)}
        return await self._carry_out(operator, Order(configuration, operator.name, operator.face, comment))

    async def _carry_out(self, operator: Operator, order: Order) -> dict[str, Any]:
        before = self._current().configuration
        try:
            committed = await self._committer.commit(order)
        except ConfigurationError as error:
            return {"problems": _told(error.problems)}
        except Conflict as conflict:
            return _conflict(conflict)
        back = await self._confirming.committed(committed)
        if order.base is not None:
            self._go_on(operator, order, back or committed.revision)
        return {**self._committed(operator, before, committed), "taken_back": None if back is None else back.number}

    def _go_on(self, operator: Operator, order: Order, present: Revision) -> None:
        """The candidate is in force. What another session of the same operator has added meanwhile is not, nor what
        was taken back at once: these are changes of what is in force now."""
        left = self._candidates.get(operator.name)
        if left is None or left.base != order.base:
            return
        if diff(present.configuration, left.configuration):
            self._candidates.put(replace(left, base=present.number))
        else:
            self._candidates.discard(operator.name)

    def _committed(self, operator: Operator, before: Configuration, committed: Committed) -> dict[str, Any]:
        revision, verification = committed.revision, committed.verification
        return {
            "revision": revision.number,
            "at": revision.at.isoformat(),
            "comment": revision.comment,
            "changes": told_changes(committed.changes),
            "verification": None if verification is None else verification.told(),
            "remarks": self._remarks(operator, before, revision.configuration),
            "confirm_by": self._confirming.deadline_text,
        }

    async def _confirm(self, operator: Operator) -> dict[str, Any]:
        return {"revision": await self._confirming.confirm(operator)}

    async def _verify(self, operator: Operator) -> dict[str, Any]:
        verification = await self._committer.verify()
        self._acts.add(operator, "verify", **verification.told())
        return {**verification.told(), "all": [asdict(trial) for trial in verification.trials]}

    async def _passwd(self, operator: Operator, name: str | None, passphrase: str) -> dict[str, Any]:
        """Another passphrase, in force at once: his own, or an administrator sets that of anyone."""
        name = whose(self._current().configuration, operator.name, name)
        if name != operator.name and not operator.may("administrator"):
            raise NotAllowed(f"{operator.name} is no administrator, and may set his own passphrase only")
        try:
            hashed = await hash_of(f"operators[{name}].passphrase", passphrase, self._hashed)
        except ConfigurationError as error:
            return {"problems": _told(error.problems)}
        configuration = with_passphrase(self._current().configuration, name, hashed)
        order = Order(configuration, operator.name, operator.face, f"passphrase of {name}", act="passwd")
        return {"name": name, **await self._carry_out(operator, order)}

    # -- and back

    def _list(self, limit: int) -> dict[str, Any]:
        return {"revisions": [_entry(each) for each in self._revisions.list()[:limit]]}

    def _roll_back(self, operator: Operator, number: int) -> dict[str, Any]:
        """A revision that was in force becomes the candidate: a rollback is a commit like any other."""
        found = self._revisions.get(number)
        if found is None:
            raise ChannelError(f"there is no revision {number}; see the list of revisions")
        return self._keep(
            operator, self._current().number, with_operators_of(self._current().configuration, found.configuration)
        )


def _told(problems: Sequence[Problem]) -> list[list[str]]:
    return [[problem.path, problem.sentence] for problem in problems]


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "revision": entry.number,
        "at": entry.at.isoformat(),
        "who": entry.who,
        "face": entry.face,
        "comment": entry.comment,
    }


def _act(act: Act) -> dict[str, Any]:
    return {"at": act.at.isoformat(), "who": act.who, "face": act.face, "act": act.act, "detail": dict(act.detail)}


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "conflict": str(conflict),
        "current": _entry(conflict.current),
        "mine": told_changes(conflict.mine),
        "theirs": told_changes(conflict.theirs),
    }


def _listed(operator: LocalOperator) -> dict[str, Any]:
    """An operator without what is kept of his passphrase."""
    return operator.model_dump(mode="json", exclude={"passphrase"})
