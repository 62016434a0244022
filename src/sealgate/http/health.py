"""Whether the gateway lives and is ready, for load balancers and for those who watch; without a login.

Ready means more than running: the last verification has shown, by handshakes, that every enabled service speaks what
its configuration says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sealgate.control.readiness import Readiness


def health_routes(readiness: Callable[[], Awaitable[Readiness]]) -> list[Route]:
    """`/api/v1/health/live` and `/api/v1/health/ready`."""

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(request: Request) -> Response:
        known = await readiness()
        told = {"status": "ready" if known.ready else "not ready", "reasons": list(known.reasons)}
        return JSONResponse(told, 200 if known.ready else 503)

    return [
        Route("/api/v1/health/live", live, methods=["GET"], name="health-live"),
        Route("/api/v1/health/ready", ready, methods=["GET"], name="health-ready"),
    ]
