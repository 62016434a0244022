"""A message in the queue as delivery sees it: an envelope and the recipients that still wait."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from sealgate.delivery.passage import Parcel
from sealgate.mail.address import Address
from sealgate.mail.envelope import Demands, Notify, Recipient


@dataclass(slots=True)
class Waiting:
    """One recipient that has no final fate yet."""

    rid: int
    address: str
    attempts: int = 0
    due: float = 0.0
    said: str = ""
    notify: Notify | None = None
    orcpt: str = ""
    job: Job | None = None
    """The job that it travels in; None while it waits for its time, or for an operator."""

    @property
    def busy(self) -> bool:
        """Whether it is being delivered at this moment."""
        return self.job is not None and self.job.taken

    @property
    def domain(self) -> str:
        """The domain that decides where it goes."""
        return Address("", self.address.rpartition("@")[2]).domain_key

    @property
    def recipient(self) -> Recipient:
        """As the sender asked about it."""
        return Recipient(self.address, self.notify, self.orcpt)


@dataclass(slots=True)
class Message:
    """A message with recipients waiting. The body is in the spool."""

    mid: int
    sender: str | None
    size: int
    received_at: float
    demands: Demands
    held: bool = False
    delay_told: bool = False
    planned: float = math.inf
    """When the schedule looks at it again, in seconds since the epoch."""
    waiting: dict[int, Waiting] = field(default_factory=dict)
    notices: int = 0
    """Notices to its sender that are not durable yet: it stays in the spool as long as there is one."""

    def by_domain(self, rids: Iterable[int]) -> dict[str, list[int]]:
        """Recipients grouped as they travel together."""
        groups: dict[str, list[int]] = {}
        for rid in rids:
            groups.setdefault(self.waiting[rid].domain, []).append(rid)
        return groups


@dataclass(slots=True)
class Job:
    """A message for the recipients of one domain: what one transaction carries."""

    message: Message
    domain: str
    rids: list[int]
    """Emptied when an operator has taken all of them out: then nobody carries it any more."""
    taken: bool = False
    """Whether a connection has it, so that its end must be waited for."""
    returned: bool = False
    """Whether it came back untouched from a connection that had died while idle; that happens once, unpunished."""

    @property
    def parcel(self) -> Parcel:
        """The envelope of the transaction."""
        waiting = self.message.waiting
        return Parcel(
            self.message.sender,
            [(rid, waiting[rid].recipient) for rid in self.rids],
            self.message.size,
            self.message.demands,
        )
