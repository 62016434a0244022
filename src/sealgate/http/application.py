"""The application of one port: the routes of its faces behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp

from sealgate.event.facts import Event
from sealgate.http.guard import Guard
from sealgate.http.problem import Refusal, problem
from sealgate.live.gui import LiveGui


def build_app(routes: Sequence[BaseRoute], gui: Callable[[], LiveGui], emit: Callable[[Event], None]) -> ASGIApp:
    """`gui` is asked for what is in force at the moment of a request."""
    # Without Starlette's own last resort: what is inside fails, and the guard sees it before anything is said.
    app = ExceptionMiddleware(Router(routes=list(routes)), handlers={HTTPException: _refused})
    return Guard(app, gui, emit)


async def _refused(request: Request, error: Exception) -> Response:
    """What was raised to refuse a request, and what Starlette refuses itself: no such path, no such method."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Refusal):
        return problem(error.status_code, error.detail, error.headers, **error.members)
    words = {404: "there is nothing at this path", 405: "this path does not know this method"}
    return problem(error.status_code, words.get(error.status_code, error.detail), error.headers)
