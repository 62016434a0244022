"""A commit that has to be confirmed: by a session that began under it, or the revision before comes back by itself.

What waits is stored with the revision, so that it comes back whatever has died meanwhile.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable

from sealgate.config.problem import ConfigurationError
from sealgate.control.acts import Acts
from sealgate.control.commit import REVERT, Committed, Committer, Order, Overtaken
from sealgate.control.roles import Operator
from sealgate.event.facts import Event, Note, RevisionConfirmed, RevisionReverted
from sealgate.process.channel import ChannelError
from sealgate.store.database import StoreError
from sealgate.store.revisions import Pending, Revision, Revisions

AGAIN = 10.0
"""Seconds until a return that failed is tried again."""

GATEWAY = "gateway"
"""Who commits what nobody asked for."""


class Confirming:
    """Watches the deadline of the commit that waits, if one does."""

    def __init__(
        self,
        revisions: Revisions,
        committer: Committer,
        now: Callable[[], datetime.datetime],
        acts: Acts,
        emit: Callable[[Event], None],
    ) -> None:
        self._revisions = revisions
        self._committer = committer
        self._now = now
        self._acts = acts
        self._emit = emit
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[object]] = set()

    @property
    def deadline_text(self) -> str | None:
        """Until when the commit in force has to be confirmed, or None."""
        pending = self._revisions.pending()
        return None if pending is None else pending.deadline.isoformat()

    def watch(self) -> None:
        """See to what waits, now or at its deadline."""
        self._forget_timer()
        pending = self._revisions.pending()
        if pending is not None:
            wait = max(0.0, (pending.deadline - self._now()).total_seconds())
            self._timer = asyncio.get_running_loop().call_later(wait, self._due, pending)

    async def committed(self, committed: Committed) -> Revision | None:
        """A commit is in force: watch its deadline. One that handshakes show to be otherwise goes back at once.

        The revision that has taken its place then, or None.
        """
        verification = committed.verification
        failed = verification is not None and not verification.passed
        if failed and committed.deadline is not None and (pending := self._revisions.pending()) is not None:
            return await self._revert(pending, "its verification failed")
        self.watch()
        return None

    async def confirm(self, operator: Operator) -> int:
        """It stays: its number. Only a session that began after it shows that there is a way in."""
        async with self._committer.turn:  # not while it is still on its way into force, or back
            return self._confirm(operator)

    def _confirm(self, operator: Operator) -> int:
        pending = self._revisions.pending()
        if pending is None:
            raise ChannelError("no commit waits to be confirmed")
        if operator.since <= self._in_force_since(pending):
            raise ChannelError(
                f"this session began before revision {pending.revision} came into force, and so proves nothing: "
                "confirm from a new one"
            )
        self._revisions.confirm()
        self._forget_timer()
        confirmed = RevisionConfirmed(pending.revision, operator.name)
        self._acts.add(operator, "confirm", confirmed, revision=pending.revision)
        return pending.revision

    def _in_force_since(self, pending: Pending) -> datetime.datetime:
        """When the commit that waits came into force everywhere, as far as this process knows."""
        revision = self._revisions.get(pending.revision)
        known = [self._committer.swapped_at, None if revision is None else revision.at]
        return max((each for each in known if each is not None), default=self._now())

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, pending: Pending) -> None:
        self._spawn(self._revert(pending, "it was not confirmed in time"))

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _revert(self, pending: Pending, why: str) -> Revision | None:
        """By the way on which every configuration comes; what fails is tried again."""
        if self._revisions.pending() != pending:
            return None
        back = self._revisions.get(pending.back_to)
        try:
            if back is None:
                raise StoreError(f"revision {pending.back_to} is not there any more")
            committed = await self._committer.commit(revert_order(pending, back, why))
        except Overtaken:
            return None
        except (ChannelError, ConfigurationError, StoreError, TimeoutError) as error:
            sentence = f"revision {pending.back_to} could not come back, and is tried again: {error}"
            self._emit(Note("Critical", sentence))
            self._timer = asyncio.get_running_loop().call_later(AGAIN, self._due, pending)
            return None
        self._emit(RevisionReverted(pending.revision, committed.revision.number, pending.back_to, why))
        return committed.revision


def revert_order(pending: Pending, back: Revision, why: str) -> Order:
    """The order that takes a commit back."""
    comment = f"back to revision {pending.back_to}: revision {pending.revision} is taken back, for {why}"
    return Order(back.configuration, GATEWAY, REVERT, comment, takes_back=pending)


def take_back_overdue(revisions: Revisions, now: datetime.datetime) -> Revision | None:
    """Before anything listens: the revision that comes back because its successor was not confirmed in time."""
    pending = revisions.pending()
    if pending is None or pending.deadline > now:
        return None
    back = revisions.get(pending.back_to)
    if back is None:
        return None
    order = revert_order(pending, back, "it was not confirmed in time")
    return revisions.add(order.configuration, who=order.who, comment=order.comment, at=now, face=order.face)
