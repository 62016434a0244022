"""Conversations in memory: the real commands over the real candidates, without a gateway behind them.

What is typed stands behind its prompt, as on a terminal.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sealgate.cli.client import Refused
from sealgate.cli.dialogue.commands import COMMANDS
from sealgate.cli.dialogue.session import Session
from sealgate.cli.dialogue.talk import EndOfInput, Left
from sealgate.config.check import check
from sealgate.config.defaults import Defaults, first_configuration
from sealgate.config.diff import diff
from sealgate.config.edit import Set, edited
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.control.acts import Acts
from sealgate.control.changes import Changes
from sealgate.control.commit import Committed, Conflict, Order, told_changes
from sealgate.control.confirm import Confirming
from sealgate.control.roles import Operator
from sealgate.control.verification import Trial, Verification
from sealgate.directory.passphrase import hash_passphrase
from sealgate.net.tls.credential import self_signed
from sealgate.net.tls.library import measure_library
from sealgate.process.channel import ChannelError
from sealgate.store.audit import Audit
from sealgate.store.candidates import Candidates
from sealgate.store.revisions import Revisions

BEGINNING = datetime.datetime(2024, 1, 17, 20, 0, tzinfo=datetime.UTC)
LIBRARY = measure_library()
PAIR = self_signed("gate.example", "ec", now=datetime.datetime.now(datetime.UTC))
LEFT = "^C"
"""Typed as a line: Ctrl-C."""


def configuration(defaults: Defaults = "asyncos-15.5", **services: str) -> Configuration:
    """A first configuration, with the versions (as "1.2-1.3") of some services."""
    profile = CertificateProfile(name="demo", certificate=PAIR[0], key=PAIR[1])
    first = first_configuration(
        "gate.example", [profile], domains=["inside.example"], next_hop="127.0.0.1:2526", defaults=defaults
    )
    return edited(first, [Set(f"tls.{name}.versions", text.split()) for name, text in services.items()])


class Desk:
    """Control without a gateway: real candidates and revisions; a commit is stored and stays without effect.

    Its clock stands still between two commits, which are a minute apart.
    """

    def __init__(self, home: Path, first: Configuration) -> None:
        self.home = home
        self.now = BEGINNING
        path = home / "revisions.db"
        self.revisions = Revisions(path)
        self.revisions.add(first, who="init", comment="sealgate init", at=self.now, face="cli")
        self.said: list[str] = []
        self.turn = asyncio.Lock()
        self.swapped_at: datetime.datetime | None = None
        self.verification: Verification | None = None
        self.audit = Audit(path)
        acts = self._acts = Acts(self.audit, lambda event: None, self._clock)
        confirming = Confirming(self.revisions, self, self._clock, acts, lambda event: None)  # type: ignore[arg-type]
        self._changes = Changes(
            self.revisions,
            Candidates(path),
            acts,
            self,
            confirming,
            LIBRARY,
            self._hashed,
            self._clock,  # type: ignore[arg-type]
        )
        self.operator = Operator("admin", "cli", self.now, "administrator")
        self.answers: dict[str, Any] = {}

    def _clock(self) -> datetime.datetime:
        return self.now

    async def request(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """As control answers over its socket."""
        self.said.append(op)
        if op in self.answers:
            return dict(self.answers[op])
        try:
            answer = await self._changes.handle(self.operator, op, body)
        except ChannelError as error:
            raise Refused(str(error)) from error
        assert answer is not None, op
        return answer

    async def _hashed(self, passphrase: str) -> str:
        return hash_passphrase(passphrase)

    # -- the Committer's part

    async def commit(self, order: Order) -> Committed:
        current = self.revisions.current()
        assert current is not None
        if order.base is not None and order.base != current.number:
            base = self.revisions.get(order.base)
            assert base is not None
            begun = base.configuration
            raise Conflict(current, diff(begun, order.configuration), diff(begun, current.configuration))
        if problems := check(order.configuration, LIBRARY):
            raise ConfigurationError(problems)
        now = self.now = self.now + datetime.timedelta(minutes=1)
        deadline = None if order.minutes is None else now + datetime.timedelta(minutes=order.minutes)
        changes = diff(current.configuration, order.configuration)
        revision = self.revisions.add(
            order.configuration, who=order.who, comment=order.comment, at=now, face=order.face, deadline=deadline
        )
        detail = {"revision": revision.number, "comment": order.comment, "changes": told_changes(changes)}
        self._acts.add_of(order.who, order.face, order.act, **detail)
        trial = Trial("Inbound SMTP", "127.0.0.1:2525", "1.3", True, True, "TLSv1.3")
        return Committed(revision, changes, self.verification or Verification((trial,) * 4), deadline)

    def refused(self, who: str, face: str, error: ConfigurationError) -> None:
        """Nobody keeps a log here."""

    def current(self) -> Configuration:
        """What is in force."""
        revision = self.revisions.current()
        assert revision is not None
        return revision.configuration


class Paper:
    """A terminal that is one text: a typist of these lines, or a pipe of them."""

    def __init__(self, lines: Sequence[str], *, interactive: bool) -> None:
        self.interactive = interactive
        self.text = ""
        self.left = list(lines)

    def write(self, text: str) -> None:
        self.text += text

    async def read(self, prompt: str, *, words: Sequence[str] = (), secret: bool = False, command: bool = False) -> str:
        self.write(prompt)
        if not self.left:
            self.write("\n")
            raise EndOfInput
        line = self.left.pop(0)
        if line == LEFT:
            self.write("^C\n")
            raise Left
        self.write("\n" if secret else f"{line}\n" if self.interactive else "\n" if prompt else "")
        return line

    def forget_ahead(self) -> None:
        """Lines are typed one by one here."""


def converse(desk: Desk, *lines: str, piped: bool = False) -> tuple[str, int]:
    """What stands on the terminal in the end, and the exit status."""
    paper = Paper(lines, interactive=not piped)
    status = asyncio.run(Session(paper, desk.request, COMMANDS, desk.home).run())
    return paper.text, status


def one_line(desk: Desk, *words: str) -> tuple[str, int]:
    """`sealgate cli WORDS`."""
    paper = Paper((), interactive=False)
    status = asyncio.run(Session(paper, desk.request, COMMANDS, desk.home).line(words))
    return paper.text, status
