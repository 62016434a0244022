"""HTTP/1.1 on one connection, by uvicorn's protocol class on h11.

uvicorn offers this class to its own server only, so this file is where the gateway leans on what is half private:
what is used of it is held by `tests/http/test_protocol.py`, and the version is pinned.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum
from typing import Any

import h11
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

LARGEST_HEAD = 32 * 1024
"""Bytes of a request line with its header fields."""

# What uvicorn would log goes on record as events, or is the client's affair.
_SILENT = logging.Logger("sealgate.http")
_SILENT.addHandler(logging.NullHandler())


class Phase(Enum):
    """What an HTTP connection is at."""

    WAITING = "waiting for a request"
    RECEIVING = "receiving one"
    ANSWERING = "answering one"


class HttpRoom:
    """What the connections of one port share."""

    def __init__(self, app: ASGIApp) -> None:
        self.state = ServerState()
        self.config = Config(
            app,
            http=H11Protocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
        self.config.load()


class Http(H11Protocol):
    """One connection. `state` is what its requests find in `scope["state"]`."""

    def __init__(self, room: HttpRoom, state: dict[str, Any], idle_timeout: float) -> None:
        super().__init__(room.config, room.state, state, asyncio.get_running_loop())
        self.logger = _SILENT
        self.timeout_keep_alive = idle_timeout  # type: ignore[assignment]
        self._ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """TLS stands."""
        super().connection_made(transport)
        self.scheme = "https"

    @property
    def phase(self) -> Phase:
        """What it is at."""
        if self.cycle is not None and not self.cycle.response_complete:
            return Phase.RECEIVING if self.cycle.more_body else Phase.ANSWERING
        begun = self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]
        return Phase.RECEIVING if begun else Phase.WAITING

    @property
    def is_held_back(self) -> bool:
        """Whether it is this side that does not read on."""
        return bool(self.flow.read_paused)

    @property
    def ending(self) -> bool:
        """Whether it ends with the response that is given, or with the next one."""
        return self._ending

    def finish(self) -> None:
        """End after the response that is given or of which the request has begun; at once if there is none."""
        self._ending = True
        self._go_on_ending()

    def _go_on_ending(self) -> None:
        if self.phase is Phase.WAITING:
            if not self.transport.is_closing():
                self.shutdown()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Plaintext has come."""
        try:
            super().data_received(data)
        except h11.ProtocolError:
            self.transport.abort()  # nonsense while a response is given: there is no way to say so
            return
        if self._ending:
            self._go_on_ending()

    def send_400_response(self, msg: str) -> None:
        """What has come is no HTTP."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()
