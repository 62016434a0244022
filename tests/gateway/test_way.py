"""One message's way, with a real mail client at one end and a Maildir at the other."""

from __future__ import annotations

import email
import re
from pathlib import Path

import pytest

from tests.peers.clients import swaks
from tests.running import gateway, next_hop

pytestmark = pytest.mark.needs("swaks")


def test_a_message_arrives_with_tls_on_both_hops(tmp_path: Path) -> None:
    with next_hop(tmp_path / "hop") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        sent = swaks(gate.ports["public"], "someone@inside.example", "--tls")
        assert sent.returncode == 0, sent.stdout
        (message,) = hop.wait_for_messages()
        received = email.message_from_bytes(message)["Received"]
        assert re.search(r"with ESMTPS .*TLSv1\.3.*TLS_AES_256_GCM_SHA384.*", " ".join(received.split())), received
        gate.wait_for_log(r"ICID \d+ TLS success protocol TLSv1\.3 cipher TLS_AES_256_GCM_SHA384")
        gate.wait_for_log(r"DCID \d+ TLS success protocol TLSv1\.3 cipher TLS_AES_256_GCM_SHA384")
        gate.wait_for_log(r"Message finished MID \d+ done")
        assert gate.command("queue", "list").stdout == "The queue is empty.\n"
    assert gate.stop() == 0


def test_every_version_that_is_selected_carries_mail(tmp_path: Path) -> None:
    with next_hop(tmp_path / "hop") as hop, gateway(tmp_path / "home", next_hop=hop.port) as gate:
        gate.versions("inbound_smtp", "1.0", "1.1", "1.2", "1.3")
        for version in ("tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"):
            old = ("--tls-cipher", "ALL:@SECLEVEL=0") if version in ("tlsv1", "tlsv1_1") else ()
            sent = swaks(gate.ports["public"], "someone@inside.example", "--tls", "--tls-protocol", version, *old)
            assert sent.returncode == 0, sent.stdout
            label = version.replace("tlsv", "TLSv").replace("_", r"\.")
            gate.wait_for_log(rf"ICID \d+ TLS success protocol {label} cipher")
        hop.wait_for_messages(4)
