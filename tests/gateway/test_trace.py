"""`sealgate trace` says what a gateway with the same configuration then does."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sealgate.directory.passphrase import hash_passphrase
from tests.peers.ports import HOST
from tests.running import Gateway, Settings, gateway
from tests.smtp_client import Client, any_certificate

TABLES: dict[str, Any] = {
    "policies": [
        {"name": "TURNED-AWAY", "action": "reject", "reply": "go away"},
        {"name": "SHUT", "action": "refuse"},
        {"name": "SECRET", "tls": "required", "max_message_size": 65536},
        {"name": "PLAIN", "tls": "off"},
        {"name": "BANK", "tls_senders": ["bank.example", ".bank.example"]},
        {"name": "RELAYED", "action": "relay", "tls": "preferred"},
    ],
    "sender_groups": [
        {"name": "BAD", "members": ["127.0.0.2"], "policy": "TURNED-AWAY"},
        {"name": "WORSE", "members": ["127.0.0.3"], "policy": "SHUT"},
        {"name": "PARTNERS", "members": ["127.0.0.4"], "policy": "SECRET"},
        {"name": "OLD", "members": ["127.0.0.5"], "policy": "PLAIN"},
        {"name": "WATCHED", "members": ["127.0.0.6"], "policy": "BANK"},
        {"name": "OWN", "listeners": ["private"], "members": ["127.0.0.7"], "policy": "RELAYED"},
    ],
    "recipient_access": [
        {"recipient": "left@inside.example", "action": "reject", "reply": "she has left"},
        {"recipient": "spam@", "action": "reject"},
        {"recipient": "guest@outside.example", "action": "accept"},
    ],
    "accounts": [
        {"name": "amy@inside.example", "passphrase": hash_passphrase("amy's passphrase")},
        {"name": "ben@inside.example", "passphrase": hash_passphrase("ben's"), "enabled": False},
    ],
}


def tables(settings: Settings) -> None:
    settings.update(TABLES)
    settings["dns"]["reverse"] = False
    settings["listeners"][1]["auth"] = "offered"
    settings["listeners"][0]["reply_style"] = "asyncos"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("trace")) as running:
        running.configure(tables)
        yield running


@dataclass(frozen=True)
class Case:
    """One client. `last` is what it hears in the end, as far as this test knows it."""

    host: str
    last: str
    listener: str = "public"
    sender: str = "me@me.example"
    recipient: str = "one@inside.example"
    tls: str = "none"
    login: str = ""
    size: int = 0

    def flags(self) -> list[str]:
        words = ["--from-host", self.host, "--listener", self.listener, "--tls", self.tls]
        words += ["--sender", self.sender or "<>", "--recipient", self.recipient]
        words += ["--login", self.login] if self.login else []
        return [*words, "--size", str(self.size)] if self.size else words


CASES = [
    Case("127.0.0.1", "250 recipient <one@inside.example> ok"),
    Case("127.0.0.1", "250 recipient <one@inside.example> ok", tls="1.3", sender=""),
    Case("127.0.0.1", "550 #5.7.1", recipient="one@elsewhere.example"),
    Case("127.0.0.1", "550 #5.1.1 she has left", recipient="left@inside.example", tls="1.2"),
    Case("127.0.0.1", "550 #5.1.1 recipient rejected", recipient="spam@inside.example"),
    Case("127.0.0.1", "250", recipient="guest@outside.example"),
    Case("127.0.0.1", "250", recipient="postmaster"),
    Case("127.0.0.2", "554 #5.7.1 go away"),
    Case("127.0.0.3", ""),
    Case("127.0.0.4", "530 #5.7.0"),
    Case("127.0.0.4", "250", tls="1.3"),
    Case("127.0.0.4", "552 #5.3.4", tls="1.3", size=65537),
    Case("127.0.0.5", "502", tls="1.3"),
    Case("127.0.0.5", "250"),
    Case("127.0.0.6", "250"),
    Case("127.0.0.6", "5", sender="chief@bank.example"),
    Case("127.0.0.6", "250", sender="chief@bank.example", tls="1.2"),
    Case("127.0.0.6", "5", sender="chief@mail.bank.example"),
    Case("127.0.0.7", "250", listener="private", recipient="one@elsewhere.example"),
    Case("127.0.0.8", "530 5.7.0", listener="private"),
    Case("127.0.0.8", "550 5.7.1", listener="private", recipient="one@elsewhere.example", tls="1.3"),
    Case("127.0.0.8", "250", "private", "amy@inside.example", "one@elsewhere.example", "1.3", "amy@inside.example"),
    Case("127.0.0.8", "5", "private", "ben@inside.example", "one@elsewhere.example", "1.3", "amy@inside.example"),
    Case("127.0.0.8", "535", "private", "ben@inside.example", "one@elsewhere.example", "1.3", "ben@inside.example"),
    Case("127.0.0.8", "5", "private", tls="none", login="amy@inside.example"),
    Case("127.0.0.1", "250", listener="private-tls", tls="1.3"),
]


def said_by(gate: Gateway, case: Case) -> str:
    """The last reply that a client hears on the wire."""
    with closing(Client(gate.ports[case.listener], HOST, source=case.host)) as client:
        context = any_certificate()
        if case.tls != "none":
            context.minimum_version = context.maximum_version = getattr(
                ssl.TLSVersion, f"TLSv{case.tls.replace('.', '_')}"
            )
        if case.listener == "private-tls":
            client.socket = context.wrap_socket(client.socket, server_hostname="gate.inside.example")
            client.file = client.socket.makefile("rb")
        greeting = client.reply()
        if not greeting.startswith("220"):
            return greeting
        client.say("EHLO client.example")
        if case.tls != "none" and case.listener != "private-tls":
            answer = client.say("STARTTLS")
            if not answer.startswith("220"):
                return answer
            client.socket = context.wrap_socket(client.socket, server_hostname="gate.inside.example")
            client.file = client.socket.makefile("rb")
            client.say("EHLO client.example")
        passphrase = f"{case.login.partition('@')[0]}'s passphrase"
        login = base64.b64encode(f"\0{case.login}\0{passphrase}".encode()).decode()
        size = f" SIZE={case.size}" if case.size else ""
        commands = [f"AUTH PLAIN {login}"] if case.login else []
        answer = ""
        for command in (*commands, f"MAIL FROM:<{case.sender}>{size}", f"RCPT TO:<{case.recipient}>"):
            answer = client.say(command)
            if answer[0] != "2":
                break
        return answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.host}-{case.last[:12]}-{case.tls}")
def test_the_answer_is_what_the_gateway_says(gate: Gateway, case: Case) -> None:
    traced = json.loads(gate.command("trace", "--json", *case.flags()).stdout)
    (visit,) = traced["inbound"]
    assert visit["said"].startswith(case.last)
    assert visit["accepted"] is (visit["said"][:1] == "2")
    assert said_by(gate, case) == visit["said"]


def test_it_is_said_in_words(gate: Gateway, tmp_path: Path) -> None:
    words = ["trace", "--from-host", "127.0.0.6", "--recipient", "one@inside.example", "--sender"]
    shown = gate.command(*words, "chief@bank.example", "--tls", "none", "--listener", "public").stdout
    for line in (
        "Host: 127.0.0.6, without a name: ACCEPT by group WATCHED (match 127.0.0.6), policy BANK",
        "decided by tls_senders of the policy BANK",
        "=> not taken",
    ):
        assert line in shown
    assert "Way:" not in shown
    shown = gate.command(*words, "me@me.example").stdout
    assert "decided by the accepted domain inside.example" in shown
    assert "Way: inside.example: by the route inside.example to 127.0.0.1 port 1" in shown
    assert "TLS: preferred, by delivery; versions 1.2-1.3, ciphers default" in shown
    assert shown.count("=> taken") == 3


def test_a_name_that_nobody_would_look_up_is_said(gate: Gateway) -> None:
    flags = Case("::ffff:127.0.0.2", "").flags()
    answer = gate.command("trace", *flags, "--name", "mx.partner.example")
    assert "dns.reverse is off" in answer.stderr
    assert "Host: 127.0.0.2, without a name: REJECT by group BAD" in answer.stdout
    assert "554 #5.7.1 go away" in answer.stdout


def test_a_file_can_be_asked_before_it_is_loaded(gate: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    text = gate.command("showconfig", "--secrets").stdout
    words = ["trace", "--from-host", "127.0.0.6", "--recipient", "one@inside.example", "--sender", "me@me.example"]
    file.write_text(text.replace('"inside.example"', '"other.example"'))
    assert "550" in gate.command(*words, "--config", str(file)).stdout
    assert "550" not in gate.command(*words).stdout
    file.write_text("[gateway]\nhostname = 5\n")
    refused = gate.command(*words, "--config", str(file), check=False)
    assert refused.returncode == 1
    assert "gateway.hostname" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from-host", "127.0.0.999"], "not an IP address"),
        (["--sender", "nobody"], "not an address"),
        (["--tls", "1.4"], "not 1.0 to 1.3"),
        (["--hello", "a\r\nMAIL"], "not a name"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(gate: Gateway, words: list[str], said: str) -> None:
    good = ["--from-host", "127.0.0.1", "--sender", "a@b.example", "--recipient", "c@d.example"]
    refused = gate.command("trace", *good, *words, check=False)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
