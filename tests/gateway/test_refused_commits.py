"""What a commit refuses: each with a sentence that names the place, and nothing is changed."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from sealgate.cli.client import ask
from sealgate.net.tls.credential import self_signed as brief
from tests.peers.certificate import Authority, KeyPair, self_signed
from tests.peers.hop import hop
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import greeted


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("refused"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def with_files(settings: Settings, certificate: Path, key: Path) -> None:
    profile = {"name": "mx", "certificate_file": str(certificate), "key_file": str(key)}
    settings["certificates"].append(profile)
    settings["listeners"][0]["certificates"].insert(0, "mx")


Change = Callable[[Settings, Path, Authority], None]


def wrong_key(settings: Settings, folder: Path, authority: Authority) -> None:
    one, other = self_signed(folder, "one.example"), self_signed(folder, "other.example")
    with_files(settings, one.certificate, other.key)


def expired(settings: Settings, folder: Path, authority: Authority) -> None:
    pair: KeyPair = authority.issue("old.example", expired=True)
    with_files(settings, pair.certificate, pair.key)


def unreadable(settings: Settings, folder: Path, authority: Authority) -> None:
    pair = self_signed(folder)
    with_files(settings, pair.certificate, folder / "is-not-there.key")


def unknown_token(settings: Settings, folder: Path, authority: Authority) -> None:
    settings["tls"]["inbound_smtp"]["ciphers"] = "ECDHE+AESGCM:BOGUS"


def a_hole(settings: Settings, folder: Path, authority: Authority) -> None:
    settings["tls"]["inbound_smtp"]["versions"] = ["1.0", "1.2"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (wrong_key, "'mx': the private key does not belong to the first certificate"),
        (expired, "'mx' expired on "),
        (unreadable, "cannot read the key file"),
        (unknown_token, "BOGUS"),
        (a_hole, "TLS 1.1"),
    ],
)
def test_nothing_changes_and_the_sentence_says_why(
    gate: Gateway, authority: Authority, tmp_path: Path, change: Change, sentence: str
) -> None:
    before, revision = gate.settings(), ask(gate.home, "status")["running"]["revision"]
    settings = copy.deepcopy(before)
    change(settings, tmp_path, authority)
    done = gate.command("loadconfig", "-", text=tomli_w.dumps(settings), check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    unchanged(gate, before, revision)


def test_a_port_in_use(gate: Gateway) -> None:
    before, revision = gate.settings(), ask(gate.home, "status")["running"]["revision"]
    with hop() as stranger:
        settings = copy.deepcopy(before)
        settings["listeners"][0]["port"] = stranger.port
        done = gate.command("loadconfig", "-", text=tomli_w.dumps(settings), check=False)
    assert done.returncode == 1
    assert f"port {stranger.port}" in done.stderr
    assert "in use" in done.stderr
    unchanged(gate, before, revision)


def test_one_that_was_in_use_when_it_expired_does_not_stand_in_the_way_of_the_next_change(
    gate: Gateway, tmp_path: Path
) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=8)
    texts = brief("was-good.example", "ec", now=end - datetime.timedelta(days=1), days=1)
    pair = tmp_path / "mx.crt", tmp_path / "mx.key"
    for path, text in zip(pair, texts, strict=True):
        path.write_text(text)
    first = gate.settings()
    settings = copy.deepcopy(first)
    with_files(settings, *pair)
    gate.load(settings)
    eventually(lambda: datetime.datetime.now(datetime.UTC) > end)
    settings["dns"]["timeout"] = 7.0
    gate.load(settings)
    gate.load(first)


def test_one_whose_files_have_changed_must_be_valid_like_any_other(
    gate: Gateway, authority: Authority, tmp_path: Path
) -> None:
    pair = self_signed(tmp_path)
    first = gate.settings()
    settings = copy.deepcopy(first)
    with_files(settings, pair.certificate, pair.key)
    gate.load(settings)
    old = authority.issue("old.example", expired=True)
    pair.certificate.write_bytes(old.certificate.read_bytes())
    pair.key.write_bytes(old.key.read_bytes())
    settings["dns"]["timeout"] = 7.0
    refused = gate.command("loadconfig", "-", text=tomli_w.dumps(settings), check=False)
    assert (refused.returncode, "'mx' expired on" in refused.stderr) == (1, True)
    gate.load(first)


def unchanged(gate: Gateway, before: dict[str, Any], revision: int) -> None:
    assert ask(gate.home, "status")["running"]["revision"] == revision
    assert gate.settings() == before
    with closing(greeted(gate.ports["public"])) as client:
        client.send("you@inside.example")
