"""Commands that write to a home while nothing runs there: never behind the back of a gateway that does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from sealgate.cli import commands
from sealgate.process.lock import lock_home_now
from sealgate.store.revisions import Revisions
from tests.running import Gateway


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A home in use by a gateway whose control process does not answer just now."""
    monkeypatch.setattr(commands, "PATIENCE", 0.05)
    gate = Gateway(tmp_path)
    lock = lock_home_now(tmp_path)
    yield gate
    os.close(lock)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("init", "--force", "--domain", "inside.example", "--next-hop", "mx"), ""),
        (("loadconfig", "-"), None),
        (("passwd", "admin"), "open sesame\n"),
        (("rollback", "--offline", "1"), ""),
    ],
)
def test_nothing_is_stored_while_a_gateway_has_the_home(
    home: Gateway, words: tuple[str, ...], text: str | None
) -> None:
    before = len(Revisions(home.home / "revisions.db").list())
    settings = tomli_w.dumps(home.settings())
    refused = home.command(*words, text=settings if text is None else text, check=False)
    assert refused.returncode == 1
    assert "another gateway runs on" in refused.stderr
    assert len(Revisions(home.home / "revisions.db").list()) == before


def test_a_comment_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    gate = Gateway(tmp_path)
    refused = gate.command(
        "loadconfig", "-", "--comment", "caf\udce9", text=tomli_w.dumps(gate.settings()), check=False
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "keeps text in UTF-8" in refused.stderr
