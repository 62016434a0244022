"""Logging in and out over REST, for programs and for pages that are made of REST.

A program gets a token, which it sends as `Authorization: Bearer …`. A page asks for a cookie, and gets the token that
its requests carry in `X-CSRF-Token`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sealgate.http.body import read_json, text_in
from sealgate.http.entrance import Caller, Entrance, clear_cookie, set_cookie
from sealgate.http.problem import Refusal
from sealgate.http.sessions import Session

FACE = "rest"


def login_routes(entrance: Entrance) -> list[Route]:
    """`/api/v1/login`, `/api/v1/logout` and `/api/v1/session`."""

    async def login(request: Request) -> Response:
        body = await read_json(request)
        name, passphrase, way = text_in(body, "name"), text_in(body, "passphrase"), body.get("way", "token")
        if way not in ("token", "cookie"):
            raise Refusal(400, "'way' is token or cookie")
        secret, session = await entrance.login(request, FACE, name, passphrase, way)
        told = _session(entrance, session)
        if way == "token":
            return JSONResponse({**told, "token": secret})
        response = JSONResponse({**told, "csrf": session.csrf})
        set_cookie(response, secret)
        return response

    async def logout(request: Request) -> Response:
        entrance.caller(request, FACE)
        entrance.logout(request)
        response = Response(status_code=204)
        clear_cookie(response)
        return response

    async def session(request: Request) -> Response:
        return JSONResponse(_told(entrance, entrance.caller(request, FACE)))

    return [
        Route("/api/v1/login", login, methods=["POST"], name="login"),
        Route("/api/v1/logout", logout, methods=["POST"], name="logout"),
        Route("/api/v1/session", session, methods=["GET"], name="session"),
    ]


def _told(entrance: Entrance, caller: Caller) -> dict[str, object]:
    """Who somebody is, as he may know it."""
    if caller.session is None:
        scope = "metrics" if caller.metrics_only else caller.operator.role
        return {"who": caller.operator.name, "role": scope, "seconds": None}
    told = _session(entrance, caller.session) | {"role": caller.operator.role}
    return {**told, "csrf": caller.csrf} if caller.csrf else told


def _session(entrance: Entrance, session: Session) -> dict[str, object]:
    return {
        "who": session.operator.name,
        "role": session.operator.role,
        "seconds": round(entrance.sessions.left(session)),
    }
