"""The places from which the gateway tries itself: known for one connection, and to nobody afterwards."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from sealgate.control.verify import Verifier, _Case
from sealgate.inbound import trial
from sealgate.inbound.access import terms_of_probe
from sealgate.inbound.trial import Expected
from sealgate.net.tls.library import measure_library
from sealgate.tls.version import ProtocolVersion
from tests.config.samples import configuration

PLACE = ("127.0.0.1", 4711)


def test_a_place_is_expected_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "EXPECTED", 0.05)

    async def run() -> None:
        expected = Expected()
        expected.announce(PLACE, "none")
        assert (expected.take(PLACE), expected.take(PLACE)) == ("none", None)
        await asyncio.sleep(0.03)
        expected.announce(PLACE, "request")  # whose time begins now
        await asyncio.sleep(0.03)
        assert expected.take(PLACE) == "request"
        expected.announce(PLACE, "none")
        await asyncio.sleep(0.1)
        assert expected.take(PLACE) is None

    asyncio.run(run())


class Crew:
    """Two workers: one takes the connection of a trial, the other must forget it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def ask(self, op: str, body: dict[str, Any], patience: float = 10.0) -> None:
        (place,) = body["places"]
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((place[0], place[1]))
        self.said.append(op)


def test_a_place_is_forgotten_before_anybody_else_can_come_from_it() -> None:
    crew = Crew()

    async def run() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        listener = configuration().listeners[0].model_copy(update={"port": port})
        verifier = Verifier(crew, measure_library(), lambda event: None)  # type: ignore[arg-type]
        attempt = await verifier._at_port(_Case(listener, "none", ProtocolVersion.TLS1_2, address="127.0.0.1"))
        assert attempt.certificate is None
        server.close()

    asyncio.run(run())
    assert crew.said == ["probe-expect", "probe-over"]


def test_a_trial_brings_no_mail() -> None:
    for listener in configuration().listeners:
        assert terms_of_probe(listener, "none").max_messages == 0
