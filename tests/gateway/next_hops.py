"""Words of tests about delivery."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.peers.hop import Hop
from tests.running import eventually

Change = Callable[..., None]
"""`change(hop, {table: values}, setting=value)`: see the fixture `delivery`."""

Send = Callable[..., None]
"""`send(count, recipient, sender)`: see the fixture `send`."""


def domain_of(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-") + ".example"


def arrived(peer: Hop, count: int = 1) -> None:
    eventually(lambda: len(peer.messages) >= count, why=lambda: f"{len(peer.messages)} messages, {peer.visits}")
