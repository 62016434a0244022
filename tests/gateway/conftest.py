"""What tests of delivery share: a next hop, a change of settings that takes effect at once, and mail for it.

A test module brings the fixture `gate`, a gateway that runs.
"""

from __future__ import annotations

import copy
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.gateway.next_hops import Change, Send, domain_of
from tests.peers.certificate import KeyPair
from tests.peers.hop import Hop, hop
from tests.peers.ports import HOST
from tests.running import Gateway, Settings
from tests.smtp_client import greeted


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def peer(peer_certificate: KeyPair) -> Iterator[Hop]:
    """A next hop that takes STARTTLS and asks for a client certificate."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(peer_certificate.certificate, peer_certificate.key)
    with hop(tls=tls) as running:
        yield running


@pytest.fixture
def delivery(gate: Gateway, first: Settings, request: pytest.FixtureRequest) -> Change:
    """Each test has a domain of its own, so that no connection of another test carries its mail.

    The change routes it to the peer, and sets values of delivery and other tables: it takes effect at once.
    """

    def change(target: Hop | None, tables: dict[str, Any] | None = None, /, **values: Any) -> None:
        settings = copy.deepcopy(first)
        settings["delivery"] = {"tls": "no", "retry_first": 600.0, **values}
        settings["gateway"]["accepted_domains"] += [".example"]
        if target is not None:
            host = f"[{target.server_address[0]}]" if target.address_family == socket.AF_INET6 else HOST
            settings["routes"].append({"domain": domain_of(request), "hosts": [f"{host}:{target.port}"]})
        for table, rows in (tables or {}).items():
            settings[table] = settings.get(table, {}) | rows if isinstance(rows, dict) else rows
        gate.load(settings)

    return change


@pytest.fixture
def send(gate: Gateway, request: pytest.FixtureRequest) -> Send:
    """Messages to the domain of this test, all over one connection."""

    def messages(count: int = 1, recipient: str = f"you@{domain_of(request)}", sender: str = "me@me.example") -> None:
        with closing(greeted(gate.ports["public"])) as client:
            for _ in range(count):
                client.send(recipient, sender=sender)

    return messages
