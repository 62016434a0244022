"""API tokens of operators: for programs that cannot log in. A token goes no further than its scope and its owner."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sealgate.control.acts import Acts
from sealgate.control.roles import RANKS, Operator, rank_of
from sealgate.event.facts import TokenMade, TokenRevoked
from sealgate.process.channel import ChannelError
from sealgate.store.tokens import Token, Tokens

METRICS = "metrics"
"""The scope that reads the counters for Prometheus and nothing else."""

SCOPES = (METRICS, *RANKS)
"""How far a token may go: to the counters, or as far as one of the roles."""

PREFIX = "sgt_"
"""What a token begins with, so that it is known where it should not be."""

LONGEST_NAME = 64
MOST_DAYS = 3650
MOST_OF_ONE = 100
"""Tokens of one operator."""

_LOOK_AGAIN = datetime.timedelta(hours=1)


class TokenDesk:
    """Makes, lists and revokes tokens, and knows whose a secret is."""

    def __init__(self, tokens: Tokens, acts: Acts, now: Callable[[], datetime.datetime]) -> None:
        self._tokens = tokens
        self._acts = acts
        self._now = now

    def handle(self, operator: Operator, op: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """One request; None if it is none of these."""
        match op:
            case "tokens":
                return {"tokens": [_told(each) for each in self._of(operator)]}
            case "token-make":
                return self._make(operator, body["name"], body["scope"], body["days"])
            case "token-revoke":
                return self._revoke(operator, body["number"])
        return None

    def find(self, secret: str) -> Token | None:
        """The token with this secret, if there is one and it has not ended."""
        if not secret.startswith(PREFIX):
            return None
        token, now = self._tokens.find(_digest(secret)), self._now()
        if token is None or token.ends <= now:
            return None
        if token.used is None or token.used + _LOOK_AGAIN < now:
            self._tokens.use(token.number, now)
        return token

    def _of(self, operator: Operator) -> tuple[Token, ...]:
        """An administrator sees those of everybody."""
        return self._tokens.list(None if operator.may("administrator") else operator.name)

    def _make(self, operator: Operator, name: str, scope: str, days: float) -> dict[str, Any]:
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise ChannelError(f"a token has a name of 1 to {LONGEST_NAME} printable characters, which says what for")
        if scope not in SCOPES:
            raise ChannelError(f"there is no scope {scope!r}; there are {', '.join(SCOPES)}")
        if rank_of(scope) > RANKS[operator.role]:
            raise ChannelError(f"{operator.name} is {operator.role} and cannot make a token that goes further")
        if not 0 < days <= MOST_DAYS:
            raise ChannelError(f"a token lasts for 1 to {MOST_DAYS} days")
        if len(self._tokens.list(operator.name)) >= MOST_OF_ONE:
            raise ChannelError(f"{operator.name} has {MOST_OF_ONE} tokens, and no more are kept; revoke one first")
        secret, now = PREFIX + secrets.token_urlsafe(32), self._now()
        token = self._tokens.add(_digest(secret), name, operator.name, scope, now, now + datetime.timedelta(days=days))
        detail = {"number": token.number, "name": name, "scope": scope, "ends": token.ends.isoformat()}
        self._acts.add(operator, "token", TokenMade(operator.name, token.number, name, scope), **detail)
        return {**_told(token), "token": secret}

    def _revoke(self, operator: Operator, number: int) -> dict[str, Any]:
        token = self._tokens.get(number)
        if token is None or token not in self._of(operator):
            raise ChannelError(f"there is no token {number}; see the list of tokens")
        self._tokens.remove(number)
        revoked = TokenRevoked(operator.name, number, token.name, token.who)
        self._acts.add(operator, "token revoked", revoked, number=number, name=token.name, of=token.who)
        return _told(token)


def _digest(secret: str) -> bytes:
    """Of 256 random bits a plain digest gives nothing away."""
    return hashlib.sha256(secret.encode()).digest()


def _told(token: Token) -> dict[str, Any]:
    return {
        "number": token.number,
        "name": token.name,
        "who": token.who,
        "scope": token.scope,
        "made": token.made.isoformat(),
        "ends": token.ends.isoformat(),
        "used": None if token.used is None else token.used.isoformat(),
    }
