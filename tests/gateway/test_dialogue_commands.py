"""`sealgate cli` from a pipe, on a gateway that runs: what it builds and does shows on the wire."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.peers.hop import Hop, hop
from tests.peers.ports import HOST, free_port, wait_for
from tests.running import COMMAND, Gateway, eventually, gateway
from tests.smtp_client import Client, greeted

SECRET = "correct horse battery"
BLOCKED_HOST = "127.0.0.66"


@pytest.fixture(scope="module")
def next_hop() -> Iterator[Hop]:
    with hop() as running:
        yield running


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, next_hop: Hop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("dialogue"), next_hop=next_hop.port) as running:
        yield running


def talk(gate: Gateway, *lines: str) -> str:
    """A whole session from a pipe, in a process of its own."""
    text = "".join(f"{line}\n" for line in lines)
    words = [COMMAND, "--home", str(gate.home), "cli"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def one_line(gate: Gateway, *words: str) -> str:
    return gate.command("cli", *words).stdout


def test_a_whole_configuration_is_built_from_a_pipe_and_mail_obeys(gate: Gateway, next_hop: Hop) -> None:
    public, private = free_port(), free_port()
    said = talk(
        gate,
        *("listenerconfig", "new", "public", "Incoming", "smtp", str(public), HOST, "", "preferred"),
        *("new", "private", "Outgoing", "smtp", str(private), HOST, "", "required"),
        *("edit", "Outgoing", "smtpauth", "required", ""),
        *(
            "rcptaccess",
            "new",
            "joe@built.example",
            "reject",
            "no joe here",
            "domains",
            "inside.example, built.example",
            "",
            "",
        ),
        *("edit", "Incoming", "set", "max_recipients", "2"),
        *("hostaccess", "new", "policy", "BLOCKED", "reject", "go away", *[""] * 12),
        *("new", "1", "BLACKLIST", BLOCKED_HOST, "BLOCKED", "", "", "", ""),
        *("smtproutes", "new", "ALL", f"{HOST}:{next_hop.port}", ""),
        *("destconfig", "new", "strict.example", "3", *[""] * 7, ""),
        *("smtpauthconfig", "new", "jane@built.example", SECRET, SECRET, "", "", ""),
        *("deliveryconfig", "set", "retry_first", "1h", "", "showchanges", "commit", "built from a pipe", "quit"),
    )
    assert SECRET not in said
    assert "Changes committed: " in said
    wait_for(public, greeting=b"220")
    with closing(Client(public, source=BLOCKED_HOST)) as blocked:
        assert blocked.reply().startswith("554 ")
    with closing(greeted(public)) as client:
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")
        assert "no joe here" in client.say("RCPT TO:<joe@built.example>")
        assert client.say("RCPT TO:<me@elsewhere.example>").startswith("550")
        assert client.say("RCPT TO:<a@built.example>").startswith("250")
        assert client.say("RCPT TO:<b@built.example>").startswith("250")
        assert client.say("RCPT TO:<c@built.example>").startswith("452")
    with closing(greeted(public)) as client:
        client.send("you@built.example", subject="through the new listener")
    eventually(lambda: any(b"through the new listener" in each for visit in next_hop.visits for each in visit.messages))
    with closing(greeted(private)) as client:
        assert client.say("MAIL FROM:<jane@built.example>").startswith("530")
        client.start_tls()
        client.say("EHLO me.example")
        assert client.say("MAIL FROM:<jane@built.example>").startswith("530")
        login = base64.b64encode(f"\0jane@built.example\0{SECRET}".encode()).decode()
        assert client.say(f"AUTH PLAIN {login}").startswith("235")
        client.send("you@strict.example", sender="jane@built.example", subject="needs TLS")
        client.send("you@open.example", sender="jane@built.example", subject="needs none")
    eventually(lambda: any(b"needs none" in each for visit in next_hop.visits for each in visit.messages))
    eventually(lambda: "<you@strict.example>  deferred" in one_line(gate, "showrecipients", "host", "strict.example"))
    assert not any(b"needs TLS" in each for visit in next_hop.visits for each in visit.messages)


def test_the_queue_and_what_runs_obey_at_once(gate: Gateway, next_hop: Hop) -> None:
    assert "Suspended: delivery." in one_line(gate, "suspenddel")
    for number in range(3):
        with closing(greeted(gate.ports["public"])) as client:
            client.send("queued@inside.example", sender=f"sender{number}@me.example", subject=f"message {number}")
    assert "Status:       Suspended" in one_line(gate, "workqueue")
    assert one_line(gate, "showrecipients", "host", "inside.example").count("RID 0") == 3
    assert "1 message with 1 recipient: deleted." in one_line(
        gate, "deleterecipients", "from", "sender0@me.example", "Y"
    )
    assert "1 message with 1 recipient: bounced." in one_line(gate, "bouncerecipients", "from", "sender1@*", "Y")
    mid = one_line(gate, "showrecipients", "from", "sender2@me.example").split()[1]
    assert "Subject: message 2" in one_line(gate, "showmessage", mid)
    assert "inside.example" in one_line(gate, "tophosts", "1")
    assert "Suspended:    delivery" in one_line(gate, "hoststatus", "inside.example")
    assert "Resumed: delivery." in one_line(gate, "resumedel")
    eventually(lambda: any(b"message 2" in each for visit in next_hop.visits for each in visit.messages))
    assert not any(b"message 0" in each for visit in next_hop.visits for each in visit.messages)
    found = one_line(gate, "grep", "-i", f"mid {mid} .*sender2", "mail_logs")
    assert "From: <sender2@me.example>" in found
    assert one_line(gate, "tail", "mail_logs", "3").count("\n") == 3


def test_what_is_deferred_goes_when_the_operator_says_so(gate: Gateway, next_hop: Hop) -> None:
    next_hop.answers["RCPT"] = "451 4.7.1 later"
    with closing(greeted(gate.ports["public"])) as client:
        client.send("later@inside.example", subject="wanted now")
    eventually(lambda: "<later@inside.example>  deferred" in one_line(gate, "showrecipients", "host", "inside.example"))
    next_hop.answers.clear()
    assert "1 message with 1 recipient: being tried again." in one_line(gate, "delivernow", "host", "inside.example")
    eventually(lambda: any(b"wanted now" in each for visit in next_hop.visits for each in visit.messages))


def test_a_suspended_listener_is_deaf_until_it_is_resumed(gate: Gateway) -> None:
    one_line(gate, "suspendlistener", "public")
    with closing(Client(gate.ports["public"])) as client:
        assert client.reply().startswith("421")
    one_line(gate, "resumelistener", "public")
    with closing(Client(gate.ports["public"])) as client:
        assert client.reply().startswith("220")


def test_shutdown_ends_the_gateway_in_order(gate: Gateway) -> None:
    assert "The gateway is shutting down." in one_line(gate, "shutdown", "y")
    assert gate.wait() == 0
