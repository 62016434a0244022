"""Delivery under every TLS level, against next hops that can more or less."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.clients import swaks
from tests.peers.postfix import Postfix
from tests.peers.server import Service
from tests.peers.versions import Versions
from tests.running import Gateway, eventually, gateway, next_hop

pytestmark = pytest.mark.needs("swaks")

S17 = (
    r"Info: DCID \d+ TLS deferring: \(167773230, 'error:0A00042E:SSL routines:ssl3_read_bytes:"
    r"tlsv1 alert protocol version'\) TLS version mismatch could be the failure reason$"
)


def send(gate: Gateway, *options: str, recipient: str = "someone@inside.example") -> None:
    sent = swaks(gate.ports["public"], recipient, *options)
    assert sent.returncode == 0, sent.stdout


def level(gate: Gateway, word: str) -> None:
    gate.configure(lambda settings: settings["delivery"].update(tls=word))


def test_tls13_only_waits_for_a_hop_that_ends_at_tls12_and_goes_once_widened(tmp_path: Path) -> None:
    with next_hop(tmp_path / "hop", "1.0-1.2") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        gate.versions("outbound_smtp", "1.3")
        before = gate.children()
        send(gate)
        gate.wait_for_log(S17)
        gate.wait_for_log(r"Message \d+ to RID \[0\] pending till")
        # The reason in words, for the person who can mend it: in the queue once the disk has it too.
        queue = eventually(lambda: "TLS 1.3" in (said := gate.command("queue", "list").stdout) and said)
        assert "someone@inside.example" in queue
        assert hop.messages() == []

        gate.versions("outbound_smtp", "1.2", "1.3")
        hop.wait_for_messages(1)
        gate.wait_for_log(r"DCID \d+ TLS success protocol TLSv1\.2 cipher ECDHE-")
        assert gate.children() == before  # nothing was restarted


def test_the_reason_comes_under_preferred_and_required_alike(tmp_path: Path) -> None:
    with next_hop(tmp_path / "hop", "1.0-1.2") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        gate.versions("outbound_smtp", "1.3")
        for word in ("preferred", "required"):
            level(gate, word)
            position = len(gate.log())
            send(gate)
            gate.wait_for_log(S17, after=position)
        assert hop.messages() == []


@pytest.mark.parametrize(
    ("word", "arrives"),
    [("no", True), ("preferred", True), ("preferred-verify", True), ("required", False), ("required-verify", False)],
)
def test_a_hop_without_starttls(tmp_path: Path, word: str, arrives: bool) -> None:
    with next_hop(tmp_path / "hop", "off") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        level(gate, word)
        send(gate)
        if arrives:
            hop.wait_for_messages(1)
        else:
            gate.wait_for_log("TLS was required but could not be successfully negotiated")
            gate.wait_for_log("pending till")
            assert hop.messages() == []
            assert "STARTTLS" in gate.command("queue", "list").stdout


@pytest.mark.parametrize(
    ("word", "trusted", "arrives"),
    [
        ("preferred-verify", False, True),
        ("required", False, True),
        ("required-verify", False, False),
        ("required-verify", True, True),
    ],
)
@pytest.mark.needs("postfix")
def test_verification(tmp_path: Path, postfix: Callable[..., Postfix], word: str, trusted: bool, arrives: bool) -> None:
    peer = postfix(domains=("peer.example",))
    with gateway(tmp_path / "home", next_hop=peer.port) as gate:

        def verify(settings: dict[str, object]) -> None:
            settings["gateway"]["accepted_domains"] = ["peer.example"]  # type: ignore[index]
            settings["routes"] = [{"domain": "peer.example", "hosts": [f"127.0.0.1:{peer.port}"]}]
            settings["delivery"]["tls"] = word  # type: ignore[index]
            if trusted:
                settings["delivery"]["trust_file"] = str(peer.certificate)  # type: ignore[index]

        gate.configure(verify)
        send(gate, recipient="someone@peer.example")
        if arrives:
            (message,) = peer.wait_for_messages(1)
            assert "gate.inside.example" in str(message)
        else:
            gate.wait_for_log("verif")
            gate.wait_for_log("pending till")
            assert peer.messages() == []


@pytest.mark.needs("postfix")
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_postfix_takes_mail_over_every_version(tmp_path: Path, postfix: Callable[..., Postfix], version: str) -> None:
    peer = postfix(Service(versions=Versions(version, version)))
    with gateway(tmp_path / "home", next_hop=peer.port) as gate:
        gate.versions("outbound_smtp", "1.0", "1.1", "1.2", "1.3")
        level(gate, "required")
        send(gate)
        peer.wait_for_messages(1)
        label = re.escape(f"TLSv{version.removesuffix('.0')}")
        gate.wait_for_log(rf"DCID \d+ TLS success protocol {label} cipher")


def test_a_permanent_refusal_comes_back_to_the_sender(tmp_path: Path) -> None:
    with next_hop(tmp_path / "hop") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        # The sender's domain is the gateway's own, so the notice arrives where a test can read it.
        def dead_end(settings: dict[str, object]) -> None:
            settings["gateway"]["accepted_domains"] = ["inside.example", "nowhere.invalid"]  # type: ignore[index]
            settings["delivery"]["lifetime"] = 1.0  # type: ignore[index]
            settings["delivery"]["retry_first"] = 0.2  # type: ignore[index]
            settings["delivery"]["retry_max"] = 0.5  # type: ignore[index]
            settings["routes"].append({"domain": "nowhere.invalid", "hosts": ["127.0.0.1:1"]})  # type: ignore[attr-defined]

        gate.configure(dead_end)
        send(gate, "--from", "me@inside.example", recipient="you@nowhere.invalid")
        (notice,) = hop.wait_for_messages(1)
        assert b"multipart/report" in notice
        assert b"Final-Recipient: rfc822;you@nowhere.invalid" in notice.replace(b"rfc822; ", b"rfc822;")
        assert b"you@nowhere.invalid" in notice
        gate.wait_for_log(r"MID \d+ was generated for bounce of MID \d+")
        eventually(lambda: gate.command("queue", "list").stdout == "The queue is empty.\n")


def test_two_gateways_log_the_lines_of_the_source(tmp_path: Path) -> None:
    with (
        next_hop(tmp_path / "hop") as hop,
        gateway(tmp_path / "b", next_hop=hop.port) as receiver,
        gateway(tmp_path / "a", next_hop=receiver.ports["public"]) as sender,
    ):
        send(sender)
        hop.wait_for_messages(1)
        success = r"TLS success protocol TLSv1\.3 cipher TLS_AES_256_GCM_SHA384$"
        sender.wait_for_log(rf"Info: DCID \d+ {success}")  # S18
        receiver.wait_for_log(rf"Info: ICID \d+ {success}")  # S20

        receiver.versions("inbound_smtp", "1.1", "1.2")
        sender.versions("outbound_smtp", "1.3")
        send(sender)
        sender.wait_for_log(S17)
        receiver.wait_for_log(  # S19
            r"Info: ICID \d+ TLS failed: \(167772418, 'error:0A000102:SSL routines:"
            r"tls_early_post_process_client_hello:unsupported protocol'\)$"
        )

        for gate in (sender, receiver):
            gate.configure(lambda settings: settings["tls"].update(error_codes="classic"))
        positions = len(sender.log()), len(receiver.log())
        send(sender)
        sender.wait_for_log(
            r"TLS deferring: \(336151598, 'error:1409442E:SSL routines:ssl3_read_bytes:"
            r"tlsv1 alert protocol version'\) TLS version mismatch could be the failure reason$",
            after=positions[0],
        )
        receiver.wait_for_log(
            r"TLS failed: \(337678594, 'error:14209102:SSL routines:tls_early_post_process_client_hello:"
            r"unsupported protocol'\)$",
            after=positions[1],
        )
