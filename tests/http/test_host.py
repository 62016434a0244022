"""Which hosts a request may name."""

from __future__ import annotations

import pytest

from sealgate.http.host import is_ours

NAMES = frozenset({"localhost", "gate.example", "*.pages.example"})


@pytest.mark.parametrize(
    "host",
    [
        "gate.example",
        "GATE.example.",
        "gate.example:8443",
        "localhost:4431",
        "a.pages.example",
        "127.0.0.1",
        "192.0.2.7:443",
        "[::1]",
        "[2001:db8::1]:8443",
    ],
)
def test_names_of_ours_and_addresses(host: str) -> None:
    assert is_ours(host, NAMES)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "gate.example.evil.example", "a.b.pages.example", "pages.example", "gate.example:x", "::1",
     "gate.example@evil.example", "gate.example/", "[::1", "1.2.3", "gate.example:8443:1", "gäte.example"],
)  # fmt: skip
def test_nothing_else(host: str) -> None:
    assert not is_ours(host, NAMES)
