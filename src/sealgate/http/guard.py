"""What stands before every application: ids of requests, the host, the size of bodies, header fields, and the log.

It is the outermost layer, so that nothing is answered without it, and no fault of what is inside goes further.
"""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sealgate.event.facts import Event, RequestAnswered, RequestFailed
from sealgate.http.connection import HttpsConnection
from sealgate.http.headers import finished
from sealgate.http.host import is_ours
from sealgate.http.problem import Refusal, problem
from sealgate.live.gui import LiveGui

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 §9.2.1): answered well, they are not stated."""

_LONGEST_PATH = 200


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, gui: Callable[[], LiveGui], emit: Callable[[Event], None]) -> None:
        self._app = app
        self._gui = gui
        self._emit = emit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        await _Guarded(self._app, self._gui(), self._emit, scope, receive, send).answer()


class _Guarded:
    """One request and its answer."""

    def __init__(
        self,
        app: ASGIApp,
        gui: LiveGui,
        emit: Callable[[Event], None],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._app = app
        self._gui = gui
        self._emit = emit
        self._scope = scope
        self._receive = receive
        self._send = send
        self._begun = time.monotonic()
        self._status = 0
        self._read = 0
        self._id = secrets.token_hex(8)
        self._last = False
        self._connection: HttpsConnection = scope["state"]["connection"]
        scope["state"]["request_id"] = self._id

    async def answer(self) -> None:
        """Have it answered, whatever comes of that."""
        try:
            await (self._refusal() or self._app)(self._scope, self._limited, self._finished)
        except Exception as error:
            self._failed(error)
            await self._apologize()
        finally:
            self._state()

    def _refusal(self) -> ASGIApp | None:
        """Why it is not even looked at."""
        hosts = [value for name, value in self._scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not is_ours(hosts[0].decode("latin-1"), self._gui.names):
            return problem(
                421, "this gateway is not called by that name; gui.hostnames lists names it may be called by"
            )
        if self._declared() > self._gui.settings.max_body:
            self._last = True  # what follows is not read
            return problem(413, self._too_large)
        return None

    @property
    def _too_large(self) -> str:
        return f"the body is larger than {self._gui.settings.max_body} bytes, the limit that gui.max_body sets"

    def _declared(self) -> int:
        lengths = [value for name, value in self._scope["headers"] if name == b"content-length"]
        return int(lengths[0]) if lengths else 0  # h11 has seen to it that it is one number

    async def _limited(self) -> Message:
        """What has come of the body, as long as it is not too much."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._gui.settings.max_body:
            self._last = True
            raise Refusal(413, self._too_large)
        return message

    async def _finished(self, message: Message) -> None:
        """What goes out, with the fields of every response."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            last = self._last or self._connection.ending
            fields = finished(
                message.get("headers", ()), request=self._id, hsts=self._gui.hsts, last=last, now=time.time()
            )
            message = {**message, "headers": fields}
        await self._send(message)

    async def _apologize(self) -> None:
        """Unless the answer has begun; then the connection ends, so that nobody takes a part for the whole."""
        if self._status:
            self._connection.abort()
            return
        self._last = True
        sentence = f"the gateway could not answer this; its log says why under {self._id}"
        await problem(500, sentence)(self._scope, self._receive, self._finished)

    def _failed(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Not its text, which may hold what was sent.
        said = f"{type(error).__name__} in line {place.lineno} of {place.name} in {place.filename}"
        self._emit(RequestFailed(self._connection.hcid, self._id, said))

    def _state(self) -> None:
        """On record is what changes something, or was refused."""
        if self._scope["method"] in SAFE and self._status < 400:
            return
        state: dict[str, Any] = self._scope["state"]
        self._emit(
            RequestAnswered(
                hcid=self._connection.hcid,
                request=self._id,
                who=state.get("who", ""),
                peer_ip=self._connection.peer_ip,
                method=self._scope["method"],
                path=self._scope["path"][:_LONGEST_PATH],
                status=self._status,
                seconds=time.monotonic() - self._begun,
            )
        )
