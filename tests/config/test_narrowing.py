"""Who is told that a change may be the last that his browser sees of the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.narrowing import narrowings
from sealgate.config.schema import Configuration
from tests.config.samples import configuration


def gui(*versions: str, ciphers: str = "default", enabled: bool = True) -> Configuration:
    tables: dict[str, Any] = {
        "gui": {"enabled": enabled},
        "tls": {"gui_https": {"versions": list(versions), "ciphers": ciphers}},
    }
    return configuration(**tables)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (gui("1.2", "1.3"), gui("1.3"), ["a browser or program that needs TLS 1.2 gets"]),
        (gui("1.1", "1.2", "1.3"), gui("1.3"), ["a browser or program that needs TLS 1.1 or TLS 1.2 gets"]),
        (gui("1.2"), gui("1.2", "1.3"), []),
        (gui("1.2"), gui("1.2", ciphers="ECDHE+AESGCM"), ["a browser or program of TLS 1.2 or older that has none"]),
        (gui("1.2", "1.3"), gui("1.3", enabled=False), []),
        (gui("1.2", "1.3", enabled=False), gui("1.3"), []),
    ],
)
def test_who_gets_in_no_more(before: Configuration, after: Configuration, said: list[str]) -> None:
    told = [problem.sentence for problem in narrowings(before, after)]
    assert len(told) == len(said)
    for sentence, beginning in zip(told, said, strict=True):
        assert sentence.startswith(beginning)
        assert sentence.endswith("use commit confirmed, which comes back by itself")
