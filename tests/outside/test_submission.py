"""Clients of others log in to send, ask for notices and use UTF-8 addresses; real next hops get what they asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from sealgate.directory.passphrase import hash_passphrase
from tests.conftest import require
from tests.peers import clients, exim, opensmtpd, postfix
from tests.peers.hop import Hop, hop
from tests.peers.server import MailServer, Relay
from tests.peers.versions import Versions
from tests.running import Gateway, Settings, eventually, gateway

LOGIN, PASSPHRASE = "scanner", "correct-horse-battery"
SENDER = "sender@outside.example"
"""What swaks and msmtp send as."""

Start = Callable[..., AbstractContextManager[postfix.Postfix | exim.Exim | opensmtpd.OpenSmtpd]]
SERVERS: dict[str, Start] = {"postfix": postfix.running, "exim": exim.running, "opensmtpd": opensmtpd.running}
MODERN = Versions("1.2", "1.3")


@pytest.fixture(scope="module")
def hand() -> Iterator[Hop]:
    """A next hop that offers what the gateway offers, and remembers every command."""
    with hop() as running:
        running.extensions = ("DSN", "SMTPUTF8", "8BITMIME")
        yield running


@pytest.fixture(scope="module")
def hops() -> Iterator[dict[str, MailServer]]:
    """A real next hop that knows SMTPUTF8, and one that does not."""
    require("exim")
    require("opensmtpd")
    with ExitStack() as stack:
        yield {
            "exim.example": stack.enter_context(exim.running(domains=("exim.example",))),
            "opensmtpd.example": stack.enter_context(opensmtpd.running(domains=("opensmtpd.example",))),
        }


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, hand: Hop, hops: dict[str, MailServer]) -> Iterator[Gateway]:
    def prepare(settings: Settings) -> None:
        senders = [SENDER, ".outside.example", "outside.example"]
        settings["accounts"] = [{"name": LOGIN, "passphrase": hash_passphrase(PASSPHRASE), "senders": senders}]
        for listener in settings["listeners"][1:]:
            listener["auth"] = "offered"
        settings["sender_groups"][0]["members"] = ["127.0.9.9"]  # nobody relays by address alone
        settings["limits"] = {"auth_failures": 1000}
        settings["routes"] = [
            *({"domain": domain, "hosts": [f"127.0.0.1:{server.port}"]} for domain, server in hops.items()),
            {"domain": "*", "hosts": [f"127.0.0.1:{hand.port}"]},
        ]

    with gateway(tmp_path_factory.mktemp("submission"), workers=2) as running:
        running.configure(prepare)
        yield running


def arrived(hand: Hop, recipient: str) -> bytes:
    found = eventually(lambda: [each for each in hand.messages if f"for <{recipient}>".encode() in each], why=str)
    assert len(found) == 1
    message: bytes = found[0]
    return message


# -- logging in


@pytest.mark.needs("swaks", "perl:Net::SSLeay")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("listener", "tls"), [("private", "--tls"), ("private-tls", "--tlsc")])
def test_swaks_logs_in(gate: Gateway, hand: Hop, mechanism: str, listener: str, tls: str) -> None:
    recipient = f"swaks-{mechanism}-{listener}@elsewhere.example".lower()
    options = [tls, "--auth", mechanism, "--auth-user", LOGIN, "--auth-password"]
    refused = clients.swaks(gate.ports[listener], recipient, *options, "wrong")
    assert refused.returncode != 0
    assert "535 5.7.8" in refused.stdout
    sent = clients.swaks(gate.ports[listener], recipient, *options, PASSPHRASE)
    assert sent.returncode == 0, sent.stdout
    assert b"with ESMTPSA (TLSv1.3" in arrived(hand, recipient)


@pytest.mark.needs("msmtp")
@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize(("listener", "tls"), [("private", "starttls"), ("private-tls", "implicit")])
def test_msmtp_logs_in(gate: Gateway, hand: Hop, mechanism: str, listener: str, tls: str) -> None:
    recipient = f"msmtp-{mechanism}-{listener}@elsewhere.example"
    options = [f"--auth={mechanism}", f"--user={LOGIN}"]
    for passphrase, taken in (("wrong", False), (PASSPHRASE, True)):
        said = clients.msmtp(
            gate.ports[listener], recipient, *options, f"--passwordeval=echo {passphrase}", tls=tls, versions=MODERN
        )
        assert (said.returncode == 0) is taken, said.stdout
        assert ("535 5.7.8" in said.stdout) is not taken
    assert b"with ESMTPSA" in arrived(hand, recipient)


@pytest.mark.needs("postfix")
@pytest.mark.parametrize("kind", SERVERS)
def test_a_mail_server_logs_in_to_relay(gate: Gateway, hand: Hop, kind: str) -> None:
    recipient = f"{kind}@elsewhere.example"
    relay = Relay(gate.ports["private"], "encrypt", MODERN, login=(LOGIN, PASSPHRASE))
    with SERVERS[kind](domains=(), relay=relay) as server:
        server.submit(SENDER, recipient)
        assert b"with ESMTPSA" in arrived(hand, recipient)


@pytest.mark.needs("postfix")
@pytest.mark.parametrize("kind", SERVERS)
def test_a_mail_server_with_a_wrong_passphrase_keeps_its_mail(gate: Gateway, hand: Hop, kind: str) -> None:
    recipient = f"{kind}-wrong@elsewhere.example"
    position = len(gate.log())
    relay = Relay(gate.ports["private"], "encrypt", MODERN, login=(LOGIN, "wrong"))
    with SERVERS[kind](domains=(), relay=relay) as server:
        server.submit(SENDER, recipient)
        gate.wait_for_log(rf"{LOGIN}.*(fail|wrong|refus)", after=position)
    assert not any(recipient.encode() in message for message in hand.messages)


# -- notices


@pytest.mark.needs("postfix")
def test_what_postfix_asks_to_be_told_is_asked_of_the_next_hop(gate: Gateway, hand: Hop) -> None:
    relay = Relay(gate.ports["private"], "encrypt", MODERN, login=(LOGIN, PASSPHRASE))
    with postfix.running(domains=(), relay=relay) as server:
        server.submit(
            SENDER, "notify@elsewhere.example", options=("-N", "success,delay", "-V", "envelope-7", "-R", "hdrs")
        )
        arrived(hand, "notify@elsewhere.example")
    commands = [command for visit in hand.visits for command in visit.commands]
    (rcpt,) = [command for command in commands if command.startswith("RCPT TO:<notify@")]
    assert "NOTIFY=SUCCESS,DELAY" in rcpt.upper()
    assert "ORCPT=RFC822;NOTIFY@ELSEWHERE.EXAMPLE" in rcpt.upper()
    (mail,) = [command for command in commands if "ENVID=envelope-7" in command]
    assert "RET=HDRS" in mail


# -- SMTPUTF8


@pytest.mark.needs("postfix")
def test_a_utf8_address_reaches_exim_and_comes_back_from_opensmtpd(
    gate: Gateway, hand: Hop, hops: dict[str, MailServer]
) -> None:
    relay = Relay(gate.ports["private"], "encrypt", MODERN, login=(LOGIN, PASSPHRASE))
    with postfix.running(domains=(), relay=relay, settings={"smtputf8_enable": "yes"}) as server:
        server.submit(SENDER, "jürgen@exim.example", "Subject: Grüße\n\nHallo.\n")
        server.submit(SENDER, "jürgen@opensmtpd.example")
        (message,) = hops["exim.example"].wait_for_messages(1)
        assert "Grüße".encode() in hops["exim.example"].raw_messages()[0]
        assert "with utf8esmtps" in str(message["Received"])
        notice = eventually(lambda: [each for each in hand.messages if b"multipart/report" in each], why=str)[0]
    assert b"5.6.7" in notice
    assert hops["opensmtpd.example"].messages() == []
