"""Operators by name: their logins, and what the configuration in force lets them do at the moment they ask."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sealgate.config.schema import Configuration, LocalOperator
from sealgate.control.acts import Acts
from sealgate.control.roles import Operator
from sealgate.directory.judge import LoginJudge
from sealgate.directory.logins import Logins
from sealgate.event.facts import OperatorLoggedIn, OperatorLoginFailed
from sealgate.process.channel import ChannelError
from sealgate.process.lease import Leases
from sealgate.store.revisions import Revisions


def operators_in_force(revisions: Revisions) -> Logins[LocalOperator]:
    """The logins of operators, as the newest revision has them."""
    return Logins(lambda: _in_force(revisions).operator_of)


def _in_force(revisions: Revisions) -> Configuration:
    current = revisions.current()
    if current is None:
        raise ChannelError("this gateway has no configuration yet; run sealgate init")
    return current.configuration


class LoginRefused(ChannelError):
    """Nobody was logged in. `later` says that this tells nothing of name and passphrase, and may be tried later."""

    def __init__(self, sentence: str, *, later: bool) -> None:
        super().__init__(sentence)
        self.later = later


class OperatorDesk:
    """Lets operators in by name and passphrase, as often as logins for mail may fail (`limits.auth_failures`)."""

    def __init__(self, revisions: Revisions, logins: Logins[LocalOperator], leases: Leases, acts: Acts) -> None:
        self._revisions = revisions
        self._acts = acts
        self._judge = LoginJudge("operator logins", logins, leases, lambda: _in_force(revisions).limits)

    async def login(self, peer: Operator, name: str, passphrase: str) -> Operator:
        """Who `peer` is from now on. `ChannelError` is the same for every name and passphrase that is not right."""
        judged = await self._judge.judge(f"{peer.face} {peer.name}", name, passphrase)
        if judged.kept is None:
            failed = OperatorLoginFailed(name[:64], peer.face, peer.name, judged.reason)
            self._acts.add_of(name[:64], peer.face, "login failed", failed, by=peer.name, reason=judged.reason)
            raise LoginRefused(f"nobody was logged in: {judged.reason}", later=judged.later)
        operator = replace(peer, name=judged.kept.name, role=judged.kept.role)
        logged_in = OperatorLoggedIn(operator.name, operator.role, peer.face, peer.name)
        self._acts.add(operator, "login", logged_in, by=peer.name, role=operator.role)
        return operator

    def present(self, operator: Operator) -> Operator:
        """The same with the role that he has now; `ChannelError` if he may not act any more."""
        kept = _in_force(self._revisions).operator_of.get(operator.name)
        if kept is None or not kept.enabled:
            raise ChannelError(f"{operator.name} is no operator of this gateway any more")
        return replace(operator, role=kept.role)

    def seal(self, name: str) -> str:
        """What a login of this operator is good with: another one as soon as his passphrase is."""
        kept = _in_force(self._revisions).operator_of.get(name)
        return "" if kept is None else hashlib.sha256(kept.passphrase.encode()).hexdigest()


class Seat:
    """One connection of an operator: who he is, from its beginning or by a login."""

    def __init__(self, peer: Operator, desk: OperatorDesk) -> None:
        self._peer = peer
        self._desk = desk
        self._by_name: Operator | None = None

    async def login(self, name: str, passphrase: str) -> Operator:
        """He is this operator from now on."""
        self._by_name = await self._desk.login(self._peer, name, passphrase)
        return self._by_name

    @property
    def operator(self) -> Operator:
        """Who asks now; `ChannelError` if he may not any more."""
        return self._peer if self._by_name is None else self._desk.present(self._by_name)
