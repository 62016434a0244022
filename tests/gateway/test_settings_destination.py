"""What delivery does otherwise for one destination, and what it does when mail does not get away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.next_hops import Change, Send, arrived, domain_of
from tests.peers.certificate import Authority, KeyPair
from tests.peers.dns import Zone, name_server
from tests.peers.hop import Hop, hop
from tests.peers.ports import HOST, free_port
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import greeted


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("destinations"), workers=2) as running:
        yield running


def recipients_of(peer: Hop) -> list[int]:
    """How many recipients each MAIL was followed by."""
    counts: list[int] = []
    for visit in peer.visits:
        for command in visit.commands:
            if command.startswith("MAIL"):
                counts.append(0)
            elif command.startswith("RCPT"):
                counts[-1] += 1
    return counts


def send_to_many(gate: Gateway, domain: str, count: int) -> None:
    with closing(greeted(gate.ports["public"])) as client:
        assert client.say("MAIL FROM:<me@me.example>").startswith("250")
        for number in range(count):
            assert client.say(f"RCPT TO:<n{number}@{domain}>").startswith("250")
        assert client.say("DATA").startswith("354")
        assert client.say("Subject: hello", "", "Hello.", ".").startswith("250")


# -- how many


@pytest.mark.parametrize("of_destination", [False, True])
def test_a_transaction_has_so_many_recipients(
    gate: Gateway, peer: Hop, delivery: Change, request: pytest.FixtureRequest, of_destination: bool
) -> None:
    own = domain_of(request)
    rows = [{"domain": own, "max_recipients": 3}] if of_destination else []
    delivery(peer, {"destinations": rows}, max_recipients=100 if of_destination else 3, connections_per_destination=1)
    send_to_many(gate, own, 7)
    arrived(peer, 3)
    assert recipients_of(peer) == [3, 3, 1]


def test_recipients_that_are_too_many_for_the_hop_follow_at_once(
    gate: Gateway, peer: Hop, delivery: Change, request: pytest.FixtureRequest
) -> None:
    peer.answers["RCPT"] = lambda command, _: "452 4.5.3 too many" if recipients_of(peer)[-1] > 2 else "250 ok"
    delivery(peer)
    send_to_many(gate, domain_of(request), 5)
    arrived(peer, 3)
    assert recipients_of(peer) == [5, 3, 1]


def test_a_destination_has_its_own_number_of_connections(
    peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    peer.slowness = 0.2
    rows = [{"domain": domain_of(request), "connections": 2}]
    delivery(peer, {"destinations": rows}, connections_per_destination=9, idle_timeout=0.0)
    for _ in range(8):
        send()
    arrived(peer, 8)
    assert peer.most_at_once == 2


def test_a_connection_to_a_destination_carries_its_own_number_of_messages(
    peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    rows = [{"domain": domain_of(request), "messages_per_connection": 2, "connections": 1}]
    delivery(peer, {"destinations": rows}, messages_per_connection=50, idle_timeout=20.0)
    send(5)
    arrived(peer, 5)
    assert [len(visit.messages) for visit in peer.visits] == [2, 2, 1]


# -- who we are, and who they are


@pytest.mark.parametrize("of_destination", [False, True])
def test_the_gateway_calls_itself_by_a_name_of_its_own(
    peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest, of_destination: bool
) -> None:
    rows = [{"domain": domain_of(request), "hostname": "mail.out.example"}] if of_destination else []
    delivery(peer, {"destinations": rows}, hostname="other.out.example" if of_destination else "mail.out.example")
    send()
    arrived(peer)
    assert peer.visits[0].commands[0] == "EHLO mail.out.example"


@pytest.mark.parametrize(("address", "source"), [("127.0.0.1", "127.0.0.6"), ("::1", "::1")])
def test_connections_to_a_destination_come_from_its_own_address(
    delivery: Change, send: Send, request: pytest.FixtureRequest, address: str, source: str
) -> None:
    setting = "source_v6" if ":" in address else "source_v4"
    other = "2001:db8::9" if ":" in address else "127.0.0.9"
    with hop(address) as peer:
        delivery(peer, {"destinations": [{"domain": domain_of(request), setting: source}]}, **{setting: other})
        send()
        arrived(peer)
        assert peer.visits[0].source == source


def test_the_server_name_of_a_destination_is_asked_for_and_may_be_in_the_certificate(
    gate: Gateway,
    peer: Hop,
    delivery: Change,
    send: Send,
    request: pytest.FixtureRequest,
    peer_certificate: KeyPair,
) -> None:
    trust = {"tls": "required-verify", "trust_file": str(peer_certificate.certificate)}
    position = len(gate.log())
    delivery(peer, **trust)
    send()
    gate.wait_for_log("TLS was required but could not be successfully negotiated", after=position)
    assert peer.visits[0].server_name is None  # the host is an address
    delivery(peer, {"destinations": [{"domain": domain_of(request), "server_name": "peer.example"}]}, **trust)
    arrived(peer)
    assert peer.visits[-1].server_name == "peer.example"


def test_the_client_certificate_comes_with_its_intermediate(
    peer: Hop, delivery: Change, send: Send, first: Settings, tmp_path: Path
) -> None:
    """The peer knows only the root: it can verify the certificate only if the one between them is sent."""
    assert peer.tls is not None
    root = Authority(tmp_path, "root.example")
    between = Authority(tmp_path, "between.example", under=root)
    issued = between.issue("client.example")
    leaf = issued.certificate.read_text()
    peer.tls.load_verify_locations(root.certificate)
    peer.tls.verify_mode = ssl.CERT_REQUIRED
    chain = leaf + between.certificate.read_text()
    profile = {"name": "client", "certificate": chain, "key": issued.key.read_text()}
    delivery(peer, {"certificates": [*first["certificates"], profile]}, tls="required", certificate="client")
    send()
    arrived(peer)
    assert peer.visits[0].certificate == ssl.PEM_cert_to_DER_cert(leaf)


@pytest.mark.parametrize(
    ("family", "six", "four", "taken_by"),
    [
        ("ipv6-first", True, True, 6),
        ("ipv4-first", True, True, 4),
        ("ipv6-first", False, True, 4),
        ("ipv4-first", True, False, 6),
        ("ipv4", True, True, 4),
        ("ipv6", True, True, 6),
    ],
)
def test_the_families_of_a_host_are_tried_as_the_setting_says(
    delivery: Change,
    send: Send,
    request: pytest.FixtureRequest,
    family: str,
    six: bool,
    four: bool,
    taken_by: int,
) -> None:
    zone: Zone = {("both.example", "A"): [HOST], ("both.example", "AAAA"): ["::1"]}
    with hop() as first, hop("::1", first.port) as second, name_server(zone) as names:
        for peer, listens in ((first, four), (second, six)):
            if not listens:
                peer.answers["greeting"] = "421 4.3.2 not here"
        routes = [{"domain": domain_of(request), "hosts": [f"both.example:{first.port}"]}]
        delivery(None, {"dns": {"servers": [names.place]}, "routes": routes}, family=family)
        send()
        taker, other = (first, second) if taken_by == 4 else (second, first)
        arrived(taker)
        assert len(other.visits) == (not (six and four))


def test_the_next_host_of_a_route_takes_what_the_first_cannot_secure(
    gate: Gateway, peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    hosts = [f"{HOST}:{free_port()}"]
    with hop() as clear:  # it takes no STARTTLS
        hosts += [f"{HOST}:{clear.port}", f"{HOST}:{peer.port}"]
        delivery(None, {"routes": [{"domain": domain_of(request), "hosts": hosts}]}, tls="required")
        send()
        arrived(peer)
        assert peer.visits[0].cipher
        assert clear.messages == []


def test_mail_for_a_domain_whose_best_host_is_the_gateway_comes_back(
    gate: Gateway, peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    own = domain_of(request)
    zone: Zone = {(own, "MX"): ["10 gate.inside.example."], ("gate.inside.example", "A"): [HOST]}
    with name_server(zone) as names:
        routes = [{"domain": "me.example", "hosts": [f"{HOST}:{peer.port}"]}]
        position = len(gate.log())
        delivery(None, {"dns": {"servers": [names.place]}, "routes": routes})
        send()
        gate.wait_for_log(r"Bounced: .* - 5\.4\.6 - .*gate\.inside\.example, which is this gateway", after=position)
        arrived(peer)
        assert b"Status: 5.4.6" in peer.messages[0]


# -- mail that does not get away


def notices_to(first: Settings, peer: Hop) -> dict[str, Any]:
    """Routes that bring the notices of senders at me.example, and of the house, to this hop."""
    routes = [{"domain": domain, "hosts": [f"{HOST}:{peer.port}"]} for domain in ("me.example", "house.example")]
    return {"routes": [*first["routes"], *routes]}


@pytest.mark.parametrize("by", ["settings", "operator"])
def test_a_host_that_is_down_is_left_alone_until_it_is_time_or_somebody_knows_better(
    gate: Gateway, delivery: Change, send: Send, request: pytest.FixtureRequest, by: str
) -> None:
    port = free_port()
    routes = {"routes": [{"domain": domain_of(request), "hosts": [f"{HOST}:{port}"]}]}
    position = len(gate.log())
    delivery(None, routes, host_down=500.0, retry_first=0.2, retry_max=0.2)
    send()
    gate.wait_for_log(rf"Host {HOST} \[{HOST}\]:{port} is down till .*refused", after=position)
    gate.wait_for_log("pending till", after=position)
    attempts = gate.log()[position:].count("Connection Error")
    assert attempts == 1
    with hop(port=port) as back:
        if by == "settings":
            delivery(None, routes, host_down=400.0)
        else:
            gate.command("queue", "retry")
        arrived(back)


def test_the_sender_of_a_message_that_waits_is_told_once(
    gate: Gateway, first: Settings, peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    with hop() as busy:
        busy.answers["RCPT"] = "450 4.2.1 not now"
        tables = notices_to(first, peer)
        tables["routes"].append({"domain": domain_of(request), "hosts": [f"{HOST}:{busy.port}"]})
        position = len(gate.log())
        delivery(None, tables, delay_warning=0.6, retry_first=0.3, retry_max=0.3, lifetime=7200.0)
        send()
        gate.wait_for_log(r"MID \d+ was generated for delay of MID \d+", after=position)
        arrived(peer)
        seen = len(recipients_of(busy))
        eventually(lambda: len(recipients_of(busy)) >= seen + 2)
        busy.answers.clear()
        arrived(busy)
    (notice,) = peer.messages
    assert message_from_bytes(notice)["Subject"] == "Delayed Mail, Still Being Tried"
    assert b"Action: delayed" in notice
    assert b"Will-Retry-Until: " in notice


def test_a_notice_that_nobody_takes_goes_to_the_mailbox_for_double_bounces(
    gate: Gateway, first: Settings, peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    with hop() as refusing:
        refusing.answers["RCPT"] = "550 5.1.1 no such user"
        tables = notices_to(first, peer)
        tables["routes"].append({"domain": domain_of(request), "hosts": [f"{HOST}:{refusing.port}"]})
        own = domain_of(request)
        position = len(gate.log())
        delivery(None, tables)
        send(sender=f"nobody@{own}")
        gate.wait_for_log(r"to RID \[0\] no notice: it has no sender", after=position)
        delivery(None, tables, double_bounces="chief@house.example")
        send(sender=f"nobody@{own}")
        arrived(peer)
    (notice,) = peer.messages
    assert message_from_bytes(notice)["To"] == "<chief@house.example>"
    assert f"you@{own}".encode() in notice  # the recipient of the message that nobody got


# -- what a client asks, all the way to the next hop


def test_delivery_status_requests_pass_through(
    gate: Gateway, peer: Hop, delivery: Change, request: pytest.FixtureRequest
) -> None:
    peer.extensions = ("DSN",)
    delivery(peer)
    with closing(greeted(gate.ports["public"])) as client:
        assert client.say("MAIL FROM:<me@me.example> RET=HDRS ENVID=QQ+2B1").startswith("250")
        said = f"RCPT TO:<you@{domain_of(request)}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;you@old.example"
        assert client.say(said).startswith("250")
        assert client.say("DATA").startswith("354")
        assert client.say("Subject: hello", "", ".").startswith("250")
    arrived(peer)
    assert peer.visits[0].commands[1:3] == ["MAIL FROM:<me@me.example> RET=HDRS ENVID=QQ+2B1", said]


def test_bare_line_ends_pass_by_bdat_and_only_by_bdat(
    gate: Gateway, first: Settings, peer: Hop, delivery: Change, request: pytest.FixtureRequest
) -> None:
    body = b"Subject: hello\r\n\r\nbare\n.\nMAIL FROM:<evil@x.example>\r\n"
    listeners = [{**each, "bare_line_endings": "allow"} for each in first["listeners"]]
    for extensions in (("CHUNKING",), ()):
        peer.extensions = extensions
        position = len(gate.log())
        delivery(peer, {"listeners": listeners}, idle_timeout=0.0)
        with closing(greeted(gate.ports["public"])) as client:
            assert client.say("MAIL FROM:<>").startswith("250")
            assert client.say(f"RCPT TO:<you@{domain_of(request)}>").startswith("250")
            assert client.say(b"BDAT %d LAST\r\n" % len(body) + body).startswith("250")
        if extensions:
            arrived(peer)
            assert peer.messages[0].endswith(body)
        else:
            gate.wait_for_log(r"Bounced: .* - 5\.6\.1 - .*CHUNKING", after=position)
    assert len(peer.messages) == 1


def test_internationalised_addresses_pass_to_a_hop_that_takes_them(
    gate: Gateway, peer: Hop, delivery: Change, request: pytest.FixtureRequest
) -> None:
    own = domain_of(request)
    for extensions in (("SMTPUTF8", "8BITMIME"), ()):
        peer.extensions = extensions
        position = len(gate.log())
        delivery(peer, idle_timeout=0.0)
        with closing(greeted(gate.ports["public"])) as client:
            assert client.say("MAIL FROM:<> SMTPUTF8 BODY=8BITMIME").startswith("250")
            assert client.say(f"RCPT TO:<jürgen@{own}>").startswith("250")
            assert client.say("DATA").startswith("354")
            assert client.say("Subject: Grüße", "", ".").startswith("250")
        if extensions:
            arrived(peer)
            assert peer.visits[0].commands[1:3] == ["MAIL FROM:<> BODY=8BITMIME SMTPUTF8", f"RCPT TO:<jürgen@{own}>"]
            assert "Subject: Grüße".encode() in peer.messages[0]
        else:
            gate.wait_for_log(r"Bounced: .* - 5\.6\.[79] - .*SMTPUTF8", after=position)
    assert len(peer.messages) == 1
