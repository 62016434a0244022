"""Who comes in over HTTPS: logins, sessions in cookies, tokens, and what keeps other pages from using a session.

A cookie is sent by a browser whoever made it ask, so a request that changes something must also carry the token of its
session (`CSRF_FIELD` in a form, `CSRF_HEADER` otherwise), and must not come from another site. A token in the field
Authorization is sent by nobody who does not know it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from sealgate.control.login import LoginRefused, OperatorDesk
from sealgate.control.roles import Operator, narrowed
from sealgate.control.tokens import METRICS, TokenDesk
from sealgate.http.body import Form, read_form
from sealgate.http.guard import SAFE
from sealgate.http.problem import Refusal
from sealgate.http.sessions import Session, Sessions, Way
from sealgate.mail.host import counted_as
from sealgate.process.channel import ChannelError
from sealgate.store.tokens import Token

COOKIE = "__Host-sealgate"
"""The prefix makes browsers refuse it from anywhere but this host, without TLS, or for a part of it (RFC 6265bis)."""

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"

BACKGROUND = "x-background"
"""A page that asks by itself says so in this field: it keeps no session alive."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the operator with the role that he has now, no further than his token goes.

    `session` is his login, None for an API token. `metrics_only` is somebody who may read the counters alone.
    """

    operator: Operator
    session: Session | None = None
    metrics_only: bool = False

    @property
    def csrf(self) -> str:
        """What forms of his session carry; empty where none is needed."""
        return "" if self.session is None or self.session.way != "cookie" else self.session.csrf


class Entrance:
    """The one way in, for every face."""

    def __init__(self, desk: OperatorDesk, tokens: TokenDesk, sessions: Sessions) -> None:
        self._desk = desk
        self._tokens = tokens
        self.sessions = sessions

    # -- in and out

    async def login(self, request: Request, face: str, name: str, passphrase: str, way: Way) -> tuple[str, Session]:
        """A new session and its secret. Raises `Refusal`: 401, or 429 if it has to be tried later.

        The one that the request came with, if any, is over: a secret from before a login is worth nothing behind it.
        """
        connection = request.state.connection
        self._refuse_other_sites(request)
        peer = Operator(counted_as(connection.peer_ip), face, connection.shaken_at, "read-only")
        try:
            operator = await self._desk.login(peer, name, passphrase)
        except LoginRefused as error:
            if error.later:
                raise Refusal(429, str(error), headers={"retry-after": "60"}) from None
            raise Refusal(401, str(error), headers={"www-authenticate": "Bearer"}) from None
        self.logout(request)
        self._known(request, operator)
        return self.sessions.open(operator, way, self._desk.seal(operator.name))

    def logout(self, request: Request) -> None:
        """The session of this request is over, if it has one."""
        for secret in (request.cookies.get(COOKIE), _bearer(request)):
            if secret:
                self.sessions.close(secret)

    def passphrase_changed(self, caller: Caller) -> None:
        """His own doing: this session goes on, and every other one of his is over."""
        if caller.session is not None:
            caller.session.seal = self._desk.seal(caller.operator.name)
            self.sessions.close_all(caller.operator.name, but=caller.session)

    # -- who asks

    def caller(self, request: Request, face: str) -> Caller:
        """Whoever asks, by this face. Raises `Refusal`: 401 if that is nobody, 403 if a browser was made to ask."""
        caller = self._caller(request, face)
        if caller.csrf and request.method not in SAFE:
            self._check_csrf(request, caller, request.headers.get(CSRF_HEADER, ""))
        return caller

    async def form(self, request: Request, face: str) -> tuple[Caller, Form]:
        """The same for the form of a page, with its fields (application/x-www-form-urlencoded)."""
        caller = self._caller(request, face)
        form = await read_form(request)
        if caller.csrf:
            self._check_csrf(request, caller, form.get(CSRF_FIELD, [""])[0])
        return caller, form

    def maybe(self, request: Request, face: str) -> Caller | None:
        """Whoever asks, or None if that is nobody; for requests that change nothing."""
        try:
            return self._caller(request, face)
        except Refusal:
            return None

    def _caller(self, request: Request, face: str) -> Caller:
        bearer = _bearer(request)
        token = self._tokens.find(bearer) if bearer else None
        caller = self._of_token(request, face, token) if token else self._of_session(request, face, bearer)
        if caller is None:
            raise _nobody("log in first")
        self._known(request, caller.operator)
        return caller

    def _of_token(self, request: Request, face: str, token: Token) -> Caller:
        operator = self._present(Operator(token.who, face, request.state.connection.shaken_at, "read-only"))
        return Caller(narrowed(operator, token.scope), metrics_only=token.scope == METRICS)

    def _of_session(self, request: Request, face: str, bearer: str | None) -> Caller | None:
        counts = BACKGROUND not in request.headers
        if bearer is not None:
            session = self.sessions.find(bearer, "token", counts=counts)
        else:
            session = self.sessions.find(request.cookies.get(COOKIE, ""), "cookie", counts=counts)
        if session is None:
            return None
        if session.seal != self._desk.seal(session.operator.name):
            self.sessions.close_all(session.operator.name)
            raise _nobody("the passphrase was changed since; log in again")
        # Since when he is here is when his connection was made: only a handshake proves that there is a way in.
        operator = replace(session.operator, face=face, since=request.state.connection.shaken_at)
        return Caller(self._present(operator), session)

    def _present(self, operator: Operator) -> Operator:
        try:
            return self._desk.present(operator)
        except ChannelError as error:
            raise _nobody(str(error)) from None

    def _known(self, request: Request, operator: Operator) -> None:
        request.state.who = operator.name
        request.state.connection.known = True

    # -- what keeps other pages out

    def _check_csrf(self, request: Request, caller: Caller, given: str) -> None:
        self._refuse_other_sites(request)
        if not hmac.compare_digest(given.encode(), caller.csrf.encode()):
            raise Refusal(
                403, "this did not come from a page of this session; open the page again, and send it from there"
            )

    def _refuse_other_sites(self, request: Request) -> None:
        """Fetch Metadata: a browser says where a request was made. Programs say nothing."""
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise Refusal(403, "a page of another site has sent this")


def set_cookie(response: Response, secret: str) -> None:
    """Give a browser its session; it forgets it when it is closed."""
    response.set_cookie(COOKIE, secret, path="/", secure=True, httponly=True, samesite="strict")


def clear_cookie(response: Response) -> None:
    """Have a browser forget its session."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def _bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _nobody(sentence: str) -> Refusal:
    return Refusal(401, sentence, headers={"www-authenticate": "Bearer"})
