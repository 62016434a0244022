"""The host access table, mail flow policies and the recipient access table, seen by clients of a running gateway.

A client chooses who it is by its source address: every test has hosts of its own in 127.0.0.0/8.
"""

from __future__ import annotations

import copy
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from tests.peers import certificate
from tests.peers.certificate import KeyPair
from tests.peers.dns import Zone, name_server
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import Client, any_certificate, greeted

Change = Callable[..., None]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("access"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def hosts(gate: Gateway, first: Settings) -> Change:
    """Put hosts under a policy of these values, on every listener; `tables` are changes of other settings."""

    def change(*members: str, tables: dict[str, Any] | None = None, group: str = "TESTED", **policy: Any) -> None:
        settings = copy.deepcopy(first)
        settings["policies"].append({"name": "UNDER-TEST", **policy})
        settings["sender_groups"].insert(0, {"name": group, "members": list(members), "policy": "UNDER-TEST"})
        for table, rows in (tables or {}).items():
            settings[table] = settings.get(table, {}) | rows if isinstance(rows, dict) else rows
        gate.load(settings)

    return change


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Closes what is entered."""
    with ExitStack() as stack:
        yield stack


def first_words(gate: Gateway, source: str, listener: str = "public") -> str:
    with closing(Client(gate.ports[listener], source=source)) as client:
        return client.reply()


def offers(gate: Gateway, source: str) -> set[str]:
    with closing(Client(gate.ports["public"], source=source)) as client:
        client.reply()
        return {line[4:].split()[0] for line in client.say("EHLO me.example").splitlines()[1:]}


# -- who is let in


def test_a_rejected_host_is_told_so_and_a_refused_one_nothing(gate: Gateway, hosts: Change) -> None:
    position = len(gate.log())
    hosts("127.0.1.1", "127.0.1.64/26", action="reject", group="BLOCKLIST")
    assert first_words(gate, "127.0.1.1") == "554 5.7.1 mail from your host is not accepted here"
    assert first_words(gate, "127.0.1.65").startswith("554")
    assert first_words(gate, "127.0.1.2").startswith("220")
    line = gate.wait_for_log(r"ICID \d+ REJECT SG BLOCKLIST match 127\.0\.1\.64/26", after=position)
    assert "SBRS not enabled" in line
    gate.wait_for_log("Receiving Failed: Rejected by policy UNDER-TEST", after=position)
    hosts("127.0.1.1", action="reject", reply="ask postmaster@inside.example for help")
    assert first_words(gate, "127.0.1.1") == "554 5.7.1 ask postmaster@inside.example for help"
    hosts("127.0.1.1", action="refuse")
    assert first_words(gate, "127.0.1.1") == ""
    with (
        closing(Client(gate.ports["private-tls"], source="127.0.1.1")) as client,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        any_certificate().wrap_socket(client.socket, server_hostname="gate.inside.example")


def test_a_host_that_may_relay_does_so_on_private_listeners_only(gate: Gateway, hosts: Change) -> None:
    hosts("127.0.2.1", action="relay", tls="preferred")
    for listener, answer in (("public", "550 5.7.1"), ("private", "250")):
        with closing(greeted(gate.ports[listener], source="127.0.2.1")) as client:
            client.say("MAIL FROM:<me@me.example>")
            assert client.say("RCPT TO:<you@elsewhere.example>").startswith(answer)


def test_a_group_may_be_for_some_listeners(gate: Gateway, first: Settings) -> None:
    settings = copy.deepcopy(first)
    settings["policies"].append({"name": "BLOCKED", "action": "reject"})
    row = {"name": "HERE", "listeners": ["public"], "members": ["127.0.2.9"], "policy": "BLOCKED"}
    settings["sender_groups"].insert(0, row)
    gate.load(settings)
    assert first_words(gate, "127.0.2.9", "public").startswith("554")
    assert first_words(gate, "127.0.2.9", "private").startswith("220")


def test_the_policy_of_a_listener_is_for_hosts_in_no_group(gate: Gateway, first: Settings) -> None:
    settings = copy.deepcopy(first)
    settings["policies"] += [{"name": "STRANGERS", "max_recipients": 1}, {"name": "FRIENDS"}]
    settings["sender_groups"].insert(0, {"name": "KNOWN", "members": ["127.0.2.11"], "policy": "FRIENDS"})
    settings["listeners"][0]["policy"] = "STRANGERS"
    gate.load(settings)
    position = len(gate.log())
    for source, answer in (("127.0.2.10", "452 4.5.3"), ("127.0.2.11", "250")):
        with closing(greeted(gate.ports["public"], source=source)) as client:
            client.say("MAIL FROM:<me@me.example>")
            client.say("RCPT TO:<one@inside.example>")
            assert client.say("RCPT TO:<two@inside.example>").startswith(answer)
    gate.wait_for_log("ACCEPT SG UNKNOWNLIST match ALL", after=position)
    gate.wait_for_log("ACCEPT SG KNOWN match 127.0.2.11", after=position)


# -- TLS


def test_tls_is_off_preferred_or_required_by_policy(gate: Gateway, hosts: Change) -> None:
    hosts("127.0.3.1", tls="off")
    assert "STARTTLS" not in offers(gate, "127.0.3.1")
    assert "STARTTLS" in offers(gate, "127.0.3.2")
    hosts("127.0.3.1", tls="required")
    with closing(greeted(gate.ports["public"], source="127.0.3.1")) as client:
        assert client.say("MAIL FROM:<me@me.example>") == "530 5.7.0 Must issue a STARTTLS command first"
        client.start_tls()
        client.say("EHLO me.example")
        client.send("you@inside.example")
    with closing(greeted(gate.ports["public"], source="127.0.3.2")) as client:
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")


def test_listed_senders_need_tls_where_it_is_preferred(gate: Gateway, hosts: Change) -> None:
    hosts("127.0.3.3", tls_senders=["bank.example", "chief@inside.example"])
    position = len(gate.log())
    with closing(greeted(gate.ports["public"], source="127.0.3.3")) as client:
        answer = "530 5.7.0 This sender must issue a STARTTLS command first"
        assert client.say("MAIL FROM:<anyone@bank.example>") == answer
        assert client.say("MAIL FROM:<Chief@Inside.Example>") == answer
        assert client.say("MAIL FROM:<other@inside.example>").startswith("250")
        client.start_tls()
        client.say("EHLO me.example")
        client.send("you@inside.example", sender="anyone@bank.example")
    gate.wait_for_log(r"ICID \d+ From: <anyone@bank\.example> Rejected by TLS", after=position)


@pytest.mark.parametrize("demand", ["none", "request", "require"])
def test_a_policy_asks_for_certificates_where_the_listener_does_not(
    gate: Gateway,
    first: Settings,
    hosts: Change,
    peer_certificate: KeyPair,
    tmp_path_factory: pytest.TempPathFactory,
    demand: str,
) -> None:
    strangers = certificate.self_signed(tmp_path_factory.mktemp("strangers"))
    listeners = copy.deepcopy(first["listeners"])
    tables: dict[str, Any] = {"listeners": listeners}
    if demand != "none":
        listeners[0]["client_trust_file"] = str(peer_certificate.certificate)
    hosts("127.0.3.4", tables=tables, tls="required", client_certificate=demand)

    def welcome(source: str, pair: KeyPair | None) -> bool:
        context = any_certificate()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # the verdict comes within the handshake
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        with closing(greeted(gate.ports["public"], source=source)) as client:
            try:
                client.start_tls(context)
            except (ssl.SSLError, ConnectionResetError):
                return False
            return client.say("EHLO me.example").startswith("250")

    assert welcome("127.0.3.4", peer_certificate)
    assert welcome("127.0.3.4", None) is (demand != "require")
    assert welcome("127.0.3.4", strangers) is (demand == "none")
    assert welcome("127.0.3.5", strangers)  # another host, and not asked


# -- how much


def test_the_size_and_number_that_a_policy_allows(gate: Gateway, hosts: Change) -> None:
    hosts("127.0.4.1", max_message_size=70_000, max_recipients=2, max_messages=2, max_bad_recipients=3)
    with closing(Client(gate.ports["public"], source="127.0.4.1")) as client:
        client.reply()
        assert "250-SIZE 70000" in client.say("EHLO me.example").splitlines()
        assert client.say("MAIL FROM:<me@me.example> SIZE=70001").startswith("552 5.3.4")
        client.say("MAIL FROM:<me@me.example>")
        client.say("RCPT TO:<one@inside.example>")
        client.say("RCPT TO:<two@inside.example>")
        assert client.say("RCPT TO:<three@inside.example>").startswith("452 4.5.3")
        client.say("DATA")
        assert client.say(b"x" * 1000 + b"\r\n" + (b"y" * 998 + b"\r\n") * 70 + b".\r\n").startswith("552 5.3.4")
        client.send("one@inside.example")
        client.send("one@inside.example")
        assert client.say("MAIL FROM:<me@me.example>") == "421 4.7.0 Too many messages in this session, disconnecting."
        assert client.file.read() == b""
    position = len(gate.log())
    with closing(greeted(gate.ports["public"], source="127.0.4.1")) as client:
        client.say("MAIL FROM:<me@me.example>")
        for _ in range(2):
            assert client.say("RCPT TO:<you@elsewhere.example>").startswith("550")
        assert client.say("RCPT TO:<you@elsewhere.example>") == "421 4.7.0 Too many bad recipients, disconnecting."
        assert client.file.read() == b""
    gate.wait_for_log(r"Message aborted MID \d+ Too many bad recipients", after=position)  # and not by the client


def test_a_listener_has_its_own_numbers_of_messages_and_bad_recipients(gate: Gateway, first: Settings) -> None:
    settings = copy.deepcopy(first)
    settings["listeners"][0].update(max_messages=1, max_bad_recipients=1)
    gate.load(settings)
    with closing(greeted(gate.ports["public"])) as client:
        client.send("one@inside.example")
        assert client.say("MAIL FROM:<me@me.example>").startswith("421 4.7.0 Too many messages")
    with closing(greeted(gate.ports["public"])) as client:
        client.say("MAIL FROM:<me@me.example>")
        assert client.say("RCPT TO:<you@elsewhere.example>").startswith("421 4.7.0 Too many bad recipients")


def test_connections_of_one_host_under_a_policy_over_two_workers(
    gate: Gateway, hosts: Change, clients: ExitStack
) -> None:
    hosts("127.0.4.2", connections=3)
    words = []
    for _ in range(6):
        client = clients.enter_context(closing(Client(gate.ports["public"], source="127.0.4.2")))
        words.append(client.reply())
    assert sum(word.startswith("220") for word in words) == 3
    assert sum(word.startswith("421 4.4.5 Too many connections from your host") for word in words) == 3
    assert first_words(gate, "127.0.4.3").startswith("220")


def test_connections_messages_and_recipients_an_hour_over_two_workers(gate: Gateway, hosts: Change) -> None:
    hosts("127.0.4.4", connections_per_hour=4)
    words = [first_words(gate, "127.0.4.4") for _ in range(6)]
    assert [word[:3] for word in words] == ["220"] * 4 + ["421"] * 2
    hosts("127.0.4.5", messages_per_hour=3, recipients_per_hour=5)
    taken = []
    for _ in range(5):  # over connections of their own, so that both workers get some
        with closing(greeted(gate.ports["public"], source="127.0.4.5")) as client:
            taken.append(client.say("MAIL FROM:<me@me.example>"))
            if taken[-1].startswith("250"):
                taken[-1] += client.say("RCPT TO:<one@inside.example>")[:3]
                taken[-1] += client.say("RCPT TO:<two@inside.example>")
    assert [each[:3] for each in taken] == ["250"] * 3 + ["452"] * 2
    assert taken[2].endswith("452 4.7.0 Too many recipients received this hour")
    assert taken[3] == "452 4.7.0 Too many messages received this hour"


# -- recipients


def test_the_recipient_access_table_comes_before_the_accepted_domains(gate: Gateway, first: Settings) -> None:
    settings = copy.deepcopy(first)
    settings["recipient_access"] = [
        {"recipient": "former@inside.example", "reply": "has left; write to info@inside.example"},
        {"recipient": "spamtrap@"},
        {"recipient": "friends.example", "action": "accept"},
    ]
    gate.load(settings)
    position = len(gate.log())
    with closing(greeted(gate.ports["public"])) as client:
        client.say("MAIL FROM:<me@me.example>")
        answer = "550 5.1.1 has left; write to info@inside.example"
        assert client.say("RCPT TO:<Former@Inside.Example>") == answer
        assert client.say("RCPT TO:<spamtrap@inside.example>") == "550 5.1.1 recipient rejected"
        assert client.say("RCPT TO:<anyone@friends.example>").startswith("250")
        assert client.say("RCPT TO:<anyone@inside.example>").startswith("250")
    gate.wait_for_log(r"To: <spamtrap@inside\.example> Rejected by RAT", after=position)


# -- names


def pointer(ip: str) -> str:
    return ".".join(reversed(ip.split("."))) + ".in-addr.arpa"


def test_hosts_are_known_by_names_that_lead_back(gate: Gateway, hosts: Change) -> None:
    zone: Zone = {
        (pointer("127.0.5.1"), "PTR"): ["mail.spam.example."],
        ("mail.spam.example", "A"): ["127.0.5.1"],
        (pointer("127.0.5.2"), "PTR"): ["mail.spam.example."],  # a name that is not its own
    }
    with name_server(zone) as names:
        hosts(".spam.example", action="reject", tables={"dns": {"servers": [names.place]}})
        position = len(gate.log())
        with closing(Client(gate.ports["public"], source="127.0.5.1")) as client:
            assert client.reply().startswith("220")  # the greeting did not wait
            assert client.say("EHLO me.example").startswith("554 5.7.1")
            assert client.file.read() == b""
        gate.wait_for_log(r"ICID \d+ reverse dns host mail\.spam\.example verified yes", after=position)
        gate.wait_for_log(r"ICID \d+ REJECT SG TESTED match \.spam\.example", after=position)
        with closing(greeted(gate.ports["public"], source="127.0.5.2")) as client:
            client.send("you@inside.example")
        gate.wait_for_log(r"ICID \d+ reverse dns host mail\.spam\.example verified no", after=position)
        # Known by now, at the latest to the second worker at its second sight: there is no greeting any more.
        eventually(lambda: first_words(gate, "127.0.5.1").startswith("554"))


@pytest.mark.parametrize("answer", ["silence", "SERVFAIL"])
def test_a_name_server_that_fails_delays_no_greeting_and_lets_nobody_past_a_row_by_name(
    gate: Gateway, hosts: Change, answer: Any
) -> None:
    ip = "127.0.5.3" if answer == "silence" else "127.0.5.4"
    zone: Zone = {(pointer(ip), "PTR"): answer}
    with name_server(zone) as names:
        dns = {"servers": [names.place], "reverse_timeout": 1.0, "timeout": 20.0}
        hosts(".spam.example", action="reject", tables={"dns": dns})
        begun = time.monotonic()
        with closing(Client(gate.ports["public"], source=ip)) as client:
            assert client.reply().startswith("220")
            assert time.monotonic() - begun < 0.9
            assert client.say("EHLO me.example").startswith("250")
            assert time.monotonic() - begun < 5
            assert client.say("MAIL FROM:<me@me.example>").startswith("450 4.7.25")
        # Where no row turns hosts away by name nothing waits.
        hosts(".friends.example", max_recipients=5, tables={"dns": dns})
        with closing(greeted(gate.ports["public"], source=ip)) as client:
            client.send("you@inside.example")


def test_names_are_not_looked_up_if_that_is_switched_off(gate: Gateway, hosts: Change) -> None:
    with name_server({(pointer("127.0.5.6"), "PTR"): ["mail.example."]}) as names:
        hosts("127.0.5.7", tables={"dns": {"servers": [names.place], "reverse": False}})
        position = len(gate.log())
        assert first_words(gate, "127.0.5.6").startswith("220")
        gate.wait_for_log(r"ICID \d+ close", after=position)
        assert names.questions == []
        assert "reverse dns host unknown verified no" in gate.log()[position:]
