"""An AsyncOS configuration on its way in: a candidate of a gateway that runs, the beginning of one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealgate.cli.client import ask
from tests.config.asyncos.files import EXAMPLE, file, methods, ssl
from tests.peers.clients import openssl_client
from tests.running import Gateway, gateway

pytestmark = pytest.mark.needs("openssl")

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
OFF = "TLS 1.0 was on for GUI HTTPS, Inbound SMTP and Outbound SMTP, and has been switched off"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("import")) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(gate: Gateway) -> Iterator[None]:
    yield
    ask(gate.home, "discard")


def spoken(gate: Gateway) -> list[str]:
    """The versions that a client reaches on the public listener."""
    port = gate.ports["public"]
    return [version for version in VERSIONS if "Cipher is (NONE)" not in
            openssl_client(port, starttls=True, version=version, stdin="QUIT\r\n").stdout]  # fmt: skip


def revision(gate: Gateway) -> int:
    number: int = ask(gate.home, "status")["running"]["revision"]
    return number


def test_the_example_becomes_a_candidate_and_only_a_commit_puts_it_into_force(gate: Gateway) -> None:
    before, spoken_before = revision(gate), spoken(gate)
    said = gate.command("loadconfig", str(EXAMPLE)).stdout
    assert OFF in said
    assert "RC4-SHA is left out" in said
    assert "users (line" in said
    assert "the gateway runs as before" in said
    assert f"sealgate --home {gate.home} cli" in said
    assert (revision(gate), spoken(gate)) == (before, spoken_before)

    answer = ask(gate.home, "commit", {"comment": "from AsyncOS"})
    assert answer["revision"] == before + 1
    assert spoken(gate) == ["1.1", "1.2"]
    settings = gate.settings()
    assert all(settings["tls"][name]["versions"] == ["1.1", "1.2"] for name in (
        "gui_https", "inbound_smtp", "outbound_smtp", "other_clients"))  # fmt: skip
    assert [listener["port"] for listener in settings["listeners"]] == list(gate.ports.values())
    acts = ask(gate.home, "audit", {"limit": 5})["acts"]
    assert any(act["act"] == "loadconfig" and OFF in str(act["detail"]) for act in acts)


def test_the_request_of_scripts_makes_it_a_candidate_as_well(gate: Gateway) -> None:
    before = revision(gate)
    answer = ask(gate.home, "loadconfig", {"text": file(methods(*["tlsv1_2tlsv1_3"] * 3)), "comment": "at one stroke"})
    assert answer["pending"]
    assert "its selections are kept" in answer["imported"]["banner"][0]
    assert revision(gate) == before


def test_from_standard_input(gate: Gateway) -> None:
    said = gate.command("loadconfig", "-", text=file(ssl(inbound_method="tlsv1_2"))).stdout
    assert "Inbound SMTP: TLS 1.2 alone, which is stricter, is kept" in said


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (file(ssl(inbound_method="sslv9")).encode(), "ssl/ssl_inbound_method (line 4): 'sslv9' is no SSL method"),
        (b"<html/>", "this is another kind of XML"),
        (b"<config>\xff", "this file is not in UTF-8 at byte 9"),
        (b"<config>" + b" " * (50 << 20), "no configuration needs more"),
        (f"<config>{chr(0x4E00) * 3_000_000}</config>".encode(), "more than the 16777216 a channel carries"),
    ],
    ids=["method", "another", "encoding", "50 MB", "frame"],
)
def test_a_file_that_cannot_be_read_changes_nothing(gate: Gateway, tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "file.xml").write_bytes(data)
    done = gate.command("loadconfig", str(tmp_path / "file.xml"), check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert not ask(gate.home, "candidate")["pending"]


def test_a_first_configuration_from_the_example_is_what_an_upgrade_leaves(tmp_path: Path) -> None:
    with gateway(tmp_path, "--from", str(EXAMPLE)) as begun:
        assert spoken(begun) == ["1.1", "1.2"]
        settings = begun.settings()
        assert settings["delivery"]["connections_per_destination"] == 500
        assert [route["domain"] for route in settings["routes"]] == [
            ".inside.example",
            "partner.example",
            "inside.example",
        ]


def test_without_a_gateway_it_is_no_candidate_of_anyone(tmp_path: Path, gate: Gateway) -> None:
    done = gate.command("--home", str(tmp_path), "loadconfig", str(EXAMPLE), check=False)
    assert done.returncode == 1
    assert "sealgate init --from FILE" in done.stderr


def test_init_says_what_it_read_and_asks_nothing(tmp_path: Path, gate: Gateway) -> None:
    done = gate.command("--home", str(tmp_path), "init", "--from", str(EXAMPLE))
    assert OFF in done.stdout
    assert "void.example was thrown away" in done.stdout
    assert "gate.inside.example takes mail for inside.example, .inside.example." in done.stdout
    assert "TLS on every service: TLSv1.1, TLSv1.2." in done.stdout


def test_init_refuses_a_file_that_is_not_there_or_not_understood(tmp_path: Path, gate: Gateway) -> None:
    (tmp_path / "file.xml").write_text("<config/>")
    for name, sentence in (("none.xml", "cannot read"), ("file.xml", "nothing in this file can be read here")):
        done = gate.command("--home", str(tmp_path / "home"), "init", "--from", str(tmp_path / name), check=False)
        assert done.returncode == 1
        assert sentence in done.stderr
