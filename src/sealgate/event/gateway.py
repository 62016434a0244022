"""What happens to the gateway itself: its start, its processes, its configuration, its disk."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.event.base import Event, Level


@dataclass(frozen=True, slots=True)
class GatewayStarted(Event):
    """The gateway serves, on this revision of its configuration."""

    version: str
    revision: int


@dataclass(frozen=True, slots=True)
class GatewayStopping(Event):
    """The gateway accepts nothing new and finishes what is under way."""


@dataclass(frozen=True, slots=True)
class RevisionApplied(Event):
    """A configuration is in force in every process."""

    revision: int
    who: str
    comment: str


@dataclass(frozen=True, slots=True)
class RevisionRefused(Event):
    """A configuration was not put in force; the one before goes on."""

    who: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CertificatesRenewed(Event):
    """Certificate or authority files of this revision have changed, and what is in them is in force."""

    revision: int


@dataclass(frozen=True, slots=True)
class CertificatesUnusable(Event):
    """Certificate or authority files have changed and cannot be used; what was in them before goes on."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevisionConfirmed(Event):
    """A revision that had to be confirmed was, and stays."""

    revision: int
    who: str


@dataclass(frozen=True, slots=True)
class RevisionReverted(Event):
    """A revision was taken back: `by` is the new one, which is as `back_to` was."""

    revision: int
    by: int
    back_to: int
    reason: str


@dataclass(frozen=True, slots=True)
class VerificationPassed(Event):
    """So many handshakes have shown that the gateway speaks what its revision says, and nothing else."""

    revision: int
    trials: int


@dataclass(frozen=True, slots=True)
class VerificationFailed(Event):
    """Handshakes have shown that the gateway does not speak what its revision says; a sentence for each."""

    revision: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperatorLoggedIn(Event):
    """An operator came in by name at this face; `by` is the user of the machine, or the address he came from."""

    name: str
    role: str
    face: str
    by: str


@dataclass(frozen=True, slots=True)
class OperatorLoginFailed(Event):
    """Somebody tried to come in by this name at this face, and did not."""

    name: str
    face: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class TokenMade(Event):
    """An operator has made an API token for a program; `name` says what it is for, `scope` how far it goes."""

    who: str
    number: int
    name: str
    scope: str


@dataclass(frozen=True, slots=True)
class TokenRevoked(Event):
    """An API token is good for nothing any more; `of` is whose it was."""

    who: str
    number: int
    name: str
    of: str


@dataclass(frozen=True, slots=True)
class OperatorRefused(Event):
    """An operator asked for what his role does not allow."""

    who: str
    role: str
    face: str
    request: str


@dataclass(frozen=True, slots=True)
class ChangesCleared(Event):
    """An operator has dropped the changes that he had begun."""

    who: str


@dataclass(frozen=True, slots=True)
class StopOrdered(Event):
    """An operator has told the gateway to end."""

    who: str


@dataclass(frozen=True, slots=True)
class ChildStarted(Event):
    """A process of the gateway has been started."""

    child: str
    pid: int


@dataclass(frozen=True, slots=True)
class ChildDied(Event):
    """A process of the gateway has ended unasked; `status` is its exit status, or minus a signal's number."""

    child: str
    pid: int
    status: int


@dataclass(frozen=True, slots=True)
class ServiceUnavailable(Event):
    """A service is not offered although it is configured."""

    service: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SpoolTrouble(Event):
    """The spool could not be written or read."""

    sentence: str


@dataclass(frozen=True, slots=True)
class SpoolRecovered(Event):
    """At its start a worker found messages that wait for delivery."""

    messages: int
    worker: int


@dataclass(frozen=True, slots=True)
class DiskLow(Event):
    """The disk of a worker's spool has less than twice the reserve left: `free` and `reserve` in bytes."""

    worker: int
    free: int
    reserve: int


@dataclass(frozen=True, slots=True)
class AcceptingStopped(Event):
    """A worker puts off new mail, because of its disk or of its queue; deliveries go on."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class AcceptingResumed(Event):
    """A worker takes new mail again."""

    worker: int


@dataclass(frozen=True, slots=True)
class RecordLost(Event):
    """So many lines could not be written to this log; `sentence` says why."""

    count: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something rare that has no fact of its own."""

    level: Level
    text: str
