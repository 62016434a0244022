"""One HTTPS connection: what it begins with, its TLS, its HTTP, and its time."""

from __future__ import annotations

import asyncio
import datetime
from typing import cast

from sealgate.event.facts import HttpsOpened, PlainHttpAnswered, Way
from sealgate.http.host import is_ours
from sealgate.http.plain import answer_plain, is_whole, looks_plain
from sealgate.http.port import Port, Standing
from sealgate.http.protocol import Http, Phase
from sealgate.live.handshake import fact_of
from sealgate.net.tls.transport import Handshake, TlsTransport
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.verdict import Outcome

PART = 64 * 1024
"""Bytes for which a client has `request_timeout` seconds."""


class HttpsConnection(asyncio.Protocol):
    """A connection of a browser, or of a program that uses the REST API.

    The application finds it as `request.state.connection`.
    """

    def __init__(self, port: Port) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._plain: asyncio.Transport | None = None
        self._layer: TlsTransport | None = None
        self._http: Http | None = None
        self._early = b""
        self._trial = False
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._got = 0  # bytes since `since`
        self._stalled: float | None = None  # since when the client takes nothing
        self._closed: float | None = None
        self.hcid = 0
        self.peer_ip = ""
        self.since = self._loop.time()
        """Loop time of the last thing it has shown."""
        self.outcome: Outcome | None = None
        self.shaken_at: datetime.datetime | None = None
        """When its handshake was done: what it proves, it proves of that moment (confirmation of a commit)."""
        self.known = False
        """Whether somebody has logged in by it; set by whoever knows."""

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._plain = plain = cast(asyncio.Transport, transport)
        peer, local = plain.get_extra_info("peername"), plain.get_extra_info("sockname")
        if not peer or not local:
            plain.abort()  # gone already
            return
        self.peer_ip = peer[0]
        self._trial = self._port.takes_trial((peer[0], peer[1]))
        if not self._trial and not self._port.admit(self):
            self._over = True
            plain.abort()
            return
        if not self._trial:
            self.hcid = self._port.next_id()
            self._port.emit(HttpsOpened(self.hcid, self._port.name, local[0], local[1], peer[0], peer[1]))
        self._timer = self._loop.call_later(self._port.limits.handshake_timeout, self._silent)

    def _silent(self) -> None:
        """No hello within the time of a handshake, or no end of a head in clear text."""
        sentence = f"the handshake was not finished within {self._port.limits.handshake_timeout:g} seconds"
        self._tell(
            Handshake(None, TlsFailure(Origin.TIMEOUT, None, sentence), None, self._port.limits.handshake_timeout)
        )
        self.abort()

    def data_received(self, data: bytes) -> None:
        """In clear text until it is known what the client speaks; plaintext of TLS afterwards."""
        if self._http is not None:
            self._hear(len(data))
            self._http.data_received(data)
            return
        if self._over:
            return
        self._early += data
        if looks_plain(self._early):
            self._answer_plain()
        else:
            self._shake_hands()

    def _answer_plain(self) -> None:
        assert self._plain is not None
        if not is_whole(self._early):
            return
        answer = answer_plain(self._early, lambda host: is_ours(host, self._port.gui.names))
        self._over = True
        self._port.emit(PlainHttpAnswered(self.hcid, self._port.name, self.peer_ip, answer.status))
        self._plain.write(answer.data)
        self._plain.close()
        self._arm_end()

    def _shake_hands(self) -> None:
        assert self._plain is not None
        self._cancel()
        self._layer = layer = TlsTransport(self._plain, self, self._loop)
        limits = self._port.limits
        layer.accept(lambda: self._port.gui.contexts, timeout=limits.handshake_timeout, hello_limit=limits.hello_size)
        early, self._early = self._early, b""
        layer.data_received(early)

    def handshake_done(self, transport: TlsTransport, handshake: Handshake) -> None:
        """TLS stands: HTTP begins."""
        self._tell(handshake)
        self.outcome = handshake.outcome
        self.shaken_at = self._port.now()
        self._hear(0, anew=True)
        transport.lingers = lambda: self._http is not None and self._http.phase is Phase.RECEIVING
        self._http = Http(self._port.room, {"connection": self}, self._port.gui.settings.idle_timeout)
        self._http.connection_made(transport)
        self._look()

    def handshake_failed(self, handshake: Handshake) -> None:
        """The layer sends the alert and closes."""
        self._over = True
        self._tell(handshake)

    def _tell(self, handshake: Handshake) -> None:
        if not self._trial:
            policy = self._port.policy
            self._port.emit(fact_of(handshake, Way.GUI, self.hcid, self.peer_ip, self._port.name, policy))

    def eof_received(self) -> bool | None:
        """The client says no more."""
        if self._http is not None:
            self._http.eof_received()
        return None

    def pause_writing(self) -> None:
        """The client takes nothing now."""
        self._stalled = self._loop.time()
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        """It takes more."""
        self._stalled = None
        if self._http is not None:
            self._http.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self._over = True
        self._cancel()
        self._port.gone(self)
        if self._http is not None:
            self._http.connection_lost(exc)

    # -- its standing

    @property
    def standing(self) -> Standing:
        """How much it has shown."""
        if self._http is None:
            return Standing.SHAKING
        if not self.known:
            return Standing.STRANGER
        return Standing.BUSY if self._http.phase is Phase.ANSWERING else Standing.KNOWN

    @property
    def ending(self) -> bool:
        """Whether the response that is given is its last."""
        return self._http is not None and self._http.ending

    def finish(self) -> None:
        """End after the response that is being given, or at once if there is none."""
        if self._http is not None:
            self._http.finish()
        elif self._layer is None:
            self.abort()  # a handshake under way ends under what is in force when its hello is whole

    def abort(self) -> None:
        """End at once."""
        self._over = True
        transport = self._layer or self._plain
        if transport is not None:
            transport.abort()

    # -- its time

    def _hear(self, count: int, *, anew: bool = False) -> None:
        self._got += count
        waiting = self._http is not None and self._http.phase is not Phase.RECEIVING
        if anew or waiting or self._got >= PART:
            self.since, self._got = self._loop.time(), 0

    def _look(self) -> None:
        """One timer looks whether the client is too slow, and sleeps until it could be."""
        limit = self._port.gui.settings.request_timeout
        end = self._deadline(limit)
        if end <= self._loop.time():
            self.abort()
        else:
            self._timer = self._loop.call_at(min(end, self._loop.time() + limit), self._look)

    def _deadline(self, limit: float) -> float:
        assert self._http is not None
        assert self._layer is not None
        if self._layer.is_closing():
            if self._closed is None:
                self._closed = self._loop.time()
            return self._closed + limit
        if self._stalled is not None:
            return self._stalled + limit
        asked = self._http.cycle is not None
        owes = self._http.phase is Phase.RECEIVING or not asked
        if owes and not self._http.is_held_back:
            return self.since + limit
        return self._loop.time() + limit

    def _arm_end(self) -> None:
        self._cancel()
        self._timer = self._loop.call_later(self._port.gui.settings.request_timeout, self.abort)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
