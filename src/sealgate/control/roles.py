"""Who asks, and what he may ask for: the one table of requests and roles.

On the machine itself root and the gateway's own user come in as administrators. Whoever comes by name has the role
that the configuration in force gives him at that moment.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sealgate.config.schema import Role
from sealgate.process.channel import ChannelError

RANKS: Mapping[Role, int] = {"read-only": 0, "operator": 1, "administrator": 2}
"""Each role may do what those before it may."""

LEAST: Mapping[str, Role] = {
    # what can be seen: no secrets, and no contents of messages
    "status": "read-only",
    "showconfig": "read-only",
    "candidate": "read-only",
    "diff": "read-only",
    "revisions": "read-only",
    "audit": "read-only",
    "operators": "read-only",
    "certificates": "read-only",
    "queue-list": "read-only",
    "queue-count": "read-only",
    "queue-show": "read-only",
    "hosts": "read-only",
    "passwd": "read-only",  # his own; of others an administrator
    "tokens": "read-only",  # his own; an administrator sees all
    "token-make": "read-only",  # going no further than himself
    "token-revoke": "read-only",
    # what is done to mail
    "queue-body": "operator",
    "queue-act": "operator",
    "suspend": "operator",
    "resume": "operator",
    "verify": "operator",
    # what changes the gateway
    "edit": "administrator",
    "load": "administrator",
    "discard": "administrator",
    "commit": "administrator",
    "loadconfig": "administrator",
    "confirm": "administrator",
    "rollback": "administrator",
    "copy-queue": "administrator",
    "copy-done": "administrator",
    "stop": "administrator",
}
"""The least role for each request. What does not stand here nobody may ask for."""


OVER_HTTPS = frozenset({"web", "ngui", "rest"})
"""Faces that come by GUI HTTPS."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who asks: a name, the face it came by, when its session began, and what it may do."""

    name: str
    face: str
    since: datetime.datetime
    role: Role

    def may(self, role: Role) -> bool:
        """Whether that role is his, or below it."""
        return RANKS[self.role] >= RANKS[role]


def rank_of(role: str) -> int:
    """How far a role goes; what is none goes nowhere."""
    return next((rank for known, rank in RANKS.items() if known == role), -1)


def narrowed(operator: Operator, most: str) -> Operator:
    """The same operator, going no further than this role."""
    within: list[Role] = [role for role, rank in RANKS.items() if rank <= min(RANKS[operator.role], rank_of(most))]
    return replace(operator, role=max(within, key=RANKS.__getitem__, default="read-only"))


class NotAllowed(ChannelError):
    """The role does not go that far; the text is a sentence."""


def permit(operator: Operator, op: str) -> None:
    """Raise `NotAllowed` unless this operator may ask for it, `ChannelError` if there is no such request."""
    least = LEAST.get(op)
    if least is None:
        raise ChannelError(f"the gateway does not know the request {op!r}")
    if not operator.may(least):
        raise NotAllowed(f"{operator.name} is {_role(operator.role)}, and {op!r} takes {_role(least)}")


def _role(role: Role) -> str:
    return role if role == "read-only" else f"an {role}"
