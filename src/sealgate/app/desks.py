"""What control answers operators with, whatever face they come by: each desk, connected to the others."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

from sealgate import __version__
from sealgate.control.acts import Acts
from sealgate.control.changes import Changes
from sealgate.control.commit import Committer
from sealgate.control.confirm import Confirming
from sealgate.control.crew import Crew
from sealgate.control.login import OperatorDesk, operators_in_force
from sealgate.control.readiness import ReadinessDesk
from sealgate.control.service import Service
from sealgate.control.suspension import Suspending
from sealgate.control.tokens import TokenDesk
from sealgate.control.verify import Verifier
from sealgate.control.watch import CertificateWatch
from sealgate.journal.journal import Journal
from sealgate.process.channel import Channel
from sealgate.process.lease import Leases
from sealgate.store.audit import Audit
from sealgate.store.candidates import Candidates
from sealgate.store.revisions import Revisions
from sealgate.store.suspensions import SuspensionFile
from sealgate.store.tokens import Tokens
from sealgate.tls.library import Library


def utc_now() -> datetime.datetime:
    """The clock of control."""
    return datetime.datetime.now(datetime.UTC)


class Desks:
    """All of them; `supervisor` is the channel to it."""

    def __init__(self, supervisor: Channel, home: Path, journal: Journal, library: Library) -> None:
        path, emit = home / "revisions.db", journal.emit
        crew, acts = Crew(supervisor), Acts(Audit(path), emit, utc_now)
        revisions = Revisions(path)
        self._logins = operators_in_force(revisions)
        self.operators = OperatorDesk(revisions, self._logins, Leases(supervisor), acts)
        self.verifier = Verifier(crew, library, emit)
        self.committer = Committer(
            supervisor,
            revisions,
            library,
            acts,
            emit,
            utc_now,
            lambda configuration: journal.configure(configuration.logs, configuration.tls.codes),
            self.verifier.verify,
        )
        self.watch = CertificateWatch(revisions, self.committer, emit)
        self.readiness = ReadinessDesk(crew, self.verifier, self.committer.verify)
        self.confirming = Confirming(revisions, self.committer, utc_now, acts, emit)
        self.suspending = Suspending(supervisor, revisions, SuspensionFile(home), acts, emit, time.time)
        changes = Changes(
            revisions,
            Candidates(path),
            acts,
            self.committer,
            self.confirming,
            library,
            self._logins.hashed,
            utc_now,
        )
        self.tokens = TokenDesk(Tokens(path), acts, utc_now)
        self.service = Service(supervisor, self.suspending, changes, self.tokens, acts, __version__)

    def close(self) -> None:
        """Let nobody in any more."""
        self._logins.close()
