"""SMTP AUTH on a running gateway: inside TLS only, right and wrong logins, senders, throttling, submission."""

from __future__ import annotations

import base64
import copy
import re
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes
from typing import Any

import pytest

from sealgate.directory.passphrase import hash_passphrase
from tests.peers.hop import Hop, hop
from tests.peers.ports import HOST
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import Client, any_certificate, greeted

PASSPHRASE = "correct horse battery staple"
LOGIN = "me@inside.example"

Change = Callable[..., None]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("login"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    settings = gate.settings()
    hashed = hash_passphrase(PASSPHRASE)
    settings["accounts"] = [
        {"name": LOGIN, "passphrase": hashed},
        {"name": "scanner", "passphrase": hashed, "senders": [".inside.example", "noreply@"]},
        {"name": "gone", "passphrase": hashed, "enabled": False},
    ]
    for listener in settings["listeners"][1:]:
        listener["auth"] = "offered"
    settings["sender_groups"][0]["members"] = ["127.0.9.9"]  # nobody relays by address alone
    return settings


@pytest.fixture
def change(gate: Gateway, first: Settings) -> Change:
    """The settings of this module, with other values for the private listener and other tables."""

    def load(tables: dict[str, Any] | None = None, /, **values: Any) -> None:
        settings = copy.deepcopy(first)
        settings["listeners"][1].update(values)
        for table, rows in (tables or {}).items():
            settings[table] = settings.get(table, {}) | rows if isinstance(rows, dict) else rows
        gate.load(settings)

    return load


def plain(name: str, passphrase: str) -> str:
    return base64.b64encode(f"\0{name}\0{passphrase}".encode()).decode()


def secure(gate: Gateway, source: str | None = None) -> Client:
    """A client inside TLS."""
    client = greeted(gate.ports["private"], source=source)
    client.start_tls()
    client.say("EHLO me.example")
    return client


def log_in(client: Client, name: str = LOGIN, passphrase: str = PASSPHRASE) -> str:
    return client.say(f"AUTH PLAIN {plain(name, passphrase)}")


def test_auth_is_offered_inside_tls_only(gate: Gateway, change: Change) -> None:
    change(tls="preferred")
    with closing(Client(gate.ports["private"])) as client:
        client.reply()
        assert "AUTH" not in client.say("EHLO me.example")
        assert client.say(f"AUTH PLAIN {plain(LOGIN, PASSPHRASE)}").startswith("538 5.7.11 Encryption required")
        client.start_tls()
        assert "AUTH PLAIN LOGIN" in client.say("EHLO me.example")
        assert log_in(client) == "235 2.7.0 Authentication successful"
    with closing(greeted(gate.ports["public"])) as client:
        client.start_tls()
        assert "AUTH" not in client.say("EHLO me.example")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_right_login_relays_anywhere(gate: Gateway, change: Change, mechanism: str) -> None:
    change()
    position = len(gate.log())
    with smtplib.SMTP(HOST, gate.ports["private"], local_hostname="me.example") as client:
        client.starttls(context=any_certificate())
        client.ehlo()
        client.user, client.password = LOGIN, PASSPHRASE
        client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
        client.sendmail(LOGIN, ["you@elsewhere.example"], "Subject: hello\n\nHello.\n")
    line = gate.wait_for_log("SMTP Auth: .* succeeded", after=position)
    assert line.endswith(f"succeeded for user: {LOGIN} using AUTH mechanism: {mechanism}")


@pytest.mark.parametrize(
    ("name", "passphrase"), [(LOGIN, "wrong"), ("nobody", PASSPHRASE), ("gone", PASSPHRASE), (LOGIN, "")]
)
def test_a_wrong_login_is_one_answer_for_all_reasons(gate: Gateway, change: Change, name: str, passphrase: str) -> None:
    change()
    position = len(gate.log())
    with closing(secure(gate, "127.0.6.1")) as client:
        answer = log_in(client, name, passphrase)
        if passphrase:
            assert answer == "535 5.7.8 Authentication failed"
            gate.wait_for_log(f"SMTP Auth: .* failed for user: {name}", after=position)
        assert not answer.startswith("235")
        client.say("MAIL FROM:<me@inside.example>")
        assert client.say("RCPT TO:<you@elsewhere.example>").startswith("550 5.7.1")
    assert PASSPHRASE not in gate.log()
    assert plain(name, passphrase) not in gate.log()


def test_where_a_login_is_required_nothing_comes_before_it(gate: Gateway, change: Change) -> None:
    change(auth="required")
    with closing(secure(gate)) as client:
        assert client.say("MAIL FROM:<me@inside.example>") == "530 5.7.0 Authentication required"
        log_in(client)
        client.send("you@inside.example", sender=LOGIN)


def test_a_policy_may_ask_for_a_login_where_the_listener_does_not(gate: Gateway, change: Change) -> None:
    policies = [{"name": "ROAMING", "auth": "required"}]
    groups = [{"name": "ROAMERS", "listeners": ["private"], "members": ["127.0.6.2"], "policy": "ROAMING"}]
    change({"policies": policies, "sender_groups": groups}, auth="off")
    with closing(secure(gate, "127.0.6.2")) as client:
        assert client.say("MAIL FROM:<me@inside.example>").startswith("530")
        assert log_in(client).startswith("235")
    with closing(secure(gate, "127.0.6.3")) as client:
        assert client.say("MAIL FROM:<me@inside.example>").startswith("250")


def test_a_login_sends_as_itself_unless_that_is_not_asked(gate: Gateway, change: Change) -> None:
    change()
    position = len(gate.log())
    with closing(secure(gate)) as client:
        log_in(client)
        assert client.say("MAIL FROM:<chief@inside.example>").startswith("553 5.7.1")
        assert client.say("MAIL FROM:<>").startswith("250")
    gate.wait_for_log(r"From: <chief@inside\.example> Rejected by login", after=position)
    with closing(secure(gate)) as client:
        log_in(client, "scanner")
        assert client.say("MAIL FROM:<scanner@inside.example>").startswith("553")
        assert client.say("MAIL FROM:<floor-2@scan.inside.example>").startswith("250")
        client.say("RSET")
        assert client.say("MAIL FROM:<noreply@anywhere.example>").startswith("250")
    change(sender_must_match=False)
    with closing(secure(gate)) as client:
        log_in(client)
        assert client.say("MAIL FROM:<chief@inside.example>").startswith("250")


def test_a_login_ends_with_its_tls_and_its_account(gate: Gateway, change: Change) -> None:
    change()
    with closing(secure(gate)) as client:
        assert log_in(client).startswith("235")
        assert log_in(client).startswith("503")
        client.say("EHLO me.example")
        assert log_in(client).startswith("503")  # EHLO does not end it
    change({"accounts": []})
    with closing(secure(gate)) as client:
        assert log_in(client).startswith("535")


def test_failures_put_off_their_host_and_leave_others_alone(gate: Gateway, change: Change) -> None:
    change({"limits": {"auth_failures": 4, "auth_window": 2.0}})
    for number in range(6):  # over connections of their own: the count is the gateway's
        with closing(secure(gate, "127.0.6.4")) as client:
            expected = "535" if number < 4 else "454 4.7.0 Temporary authentication failure"
            assert log_in(client, "scanner", f"guess {number}").startswith(expected)
    with closing(secure(gate, "127.0.6.4")) as client:
        assert log_in(client).startswith("454")  # whatever it says now
    with closing(secure(gate, "127.0.6.5")) as client:
        assert log_in(client, "scanner").startswith("235")  # the owner, from a host that has not failed
        assert log_in(client, "scanner").startswith("503")

    def let_in_again() -> bool:
        time.sleep(0.2)
        with closing(secure(gate, "127.0.6.4")) as client:
            return log_in(client).startswith("235")

    eventually(let_in_again, within=10)


def test_what_is_submitted_gets_the_date_and_message_id_it_lacks(gate: Gateway, change: Change) -> None:
    with hop() as peer:
        change({"routes": [{"domain": "*", "hosts": [f"{HOST}:{peer.port}"]}], "delivery": {"tls": "no"}})
        with closing(secure(gate)) as client:
            log_in(client)
            client.send("bare@elsewhere.example", sender=LOGIN)
            bare = arrived(peer, "bare@")
            client.say(f"MAIL FROM:<{LOGIN}>")
            client.say("RCPT TO:<full@elsewhere.example>")
            client.say("DATA")
            client.say("Date: Mon, 23 Nov 2026 14:04:10 +0000", "Message-ID: <own@me.example>", "", "Hello.", ".")
            full = arrived(peer, "full@")
        with closing(greeted(gate.ports["public"])) as client:
            client.send("passing@inside.example")
            passing = arrived(peer, "passing@")
    added = message_from_bytes(bare)
    assert re.fullmatch(r"<\d+\.\d{14}@gate\.inside\.example>", added["Message-ID"])
    assert added["Date"] is not None
    assert added["Subject"] == "hello"
    assert "with ESMTPSA" in added["Received"]
    kept = message_from_bytes(full)
    assert kept.get_all("Message-ID") == ["<own@me.example>"]
    assert kept.get_all("Date") == ["Mon, 23 Nov 2026 14:04:10 +0000"]
    other = message_from_bytes(passing)  # a stranger's message is passed on as it is
    assert other["Date"] is None
    assert other["Message-ID"] is None


def arrived(peer: Hop, recipient: str) -> bytes:
    message: bytes = eventually(lambda: [each for each in peer.messages if f"for <{recipient}".encode() in each])[0]
    return message
