"""What each setting of delivery, of destinations and of DNS does, seen by the next hops of a running gateway."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes

import pytest

from sealgate.event.facts import MessagePending
from sealgate.journal.tail import records
from tests.gateway.next_hops import Change, Send, arrived, domain_of
from tests.peers.dns import Zone, name_server
from tests.peers.hop import SILENCE, Hop, hop
from tests.peers.ports import HOST
from tests.running import Gateway, Settings, eventually, gateway


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("delivery-settings"), workers=2) as running:
        yield running


# -- TLS


@pytest.mark.parametrize("chosen", ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256"])
def test_a_chosen_suite_is_the_one_negotiated(peer: Hop, delivery: Change, send: Send, chosen: str) -> None:
    delivery(peer, {"tls": {"outbound_smtp": {"versions": ["1.2"], "ciphers": chosen}}}, tls="required")
    send()
    arrived(peer)
    assert peer.visits[0].cipher == chosen


@pytest.mark.parametrize("profile", ["self-signed-rsa", "self-signed-ec", None])
def test_the_certificate_of_delivery_is_shown_to_servers_that_ask(
    first: Settings, peer: Hop, delivery: Change, send: Send, profile: str | None
) -> None:
    known = {each["name"]: each["certificate"] for each in first["certificates"]}
    assert peer.tls is not None
    peer.tls.verify_mode = ssl.CERT_OPTIONAL
    peer.tls.load_verify_locations(cadata="".join(known.values()))
    delivery(peer, tls="required", **({"certificate": profile} if profile else {}))
    send()
    arrived(peer)
    assert peer.visits[0].certificate == (ssl.PEM_cert_to_DER_cert(known[profile]) if profile else None)


def test_a_destination_has_a_level_of_its_own(
    gate: Gateway, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    own = domain_of(request)
    with hop() as peer:  # it takes no STARTTLS
        delivery(peer, {"destinations": [{"domain": own, "tls": "required"}]})
        send(recipient=f"first@{own}")
        gate.wait_for_log("TLS was required but could not be successfully negotiated")
        assert peer.messages == []
        delivery(peer, {"destinations": [{"domain": f"other.{own}", "tls": "required"}]})
        arrived(peer)


# -- how many


def test_a_message_that_waits_is_tried_after_doubling_waits_up_to_the_longest(
    gate: Gateway, peer: Hop, delivery: Change, send: Send
) -> None:
    peer.answers["RCPT"] = "450 4.2.1 not now"
    since = max(record.at for record in records(gate.home / "logs"))
    delivery(peer, retry_first=0.4, retry_max=0.8)
    send()
    eventually(lambda: sum(said.startswith("RCPT") for visit in peer.visits for said in visit.commands) >= 4)
    waits = [
        (record.event.until - record.at).total_seconds()
        for record in records(gate.home / "logs")
        if record.at > since and isinstance(record.event, MessagePending)
    ][:3]
    for wait, longest in zip(waits, (0.4, 0.8, 0.8), strict=True):
        assert 0.7 * longest < wait <= longest  # the last quarter is left to chance
    peer.answers.clear()
    arrived(peer)


@pytest.mark.parametrize("most", [1, 3])
def test_a_destination_has_so_many_connections_over_all_workers(
    peer: Hop, delivery: Change, send: Send, most: int
) -> None:
    peer.slowness = 0.3
    delivery(peer, connections_per_destination=most, idle_timeout=0.0)
    for _ in range(8):  # each over a connection of its own, so that both workers get some
        send()
    arrived(peer, 8)
    assert peer.most_at_once == most


def test_a_connection_carries_so_many_messages(peer: Hop, delivery: Change, send: Send) -> None:
    delivery(peer, connections_per_destination=1, messages_per_connection=2, idle_timeout=20.0)
    send(5)
    arrived(peer, 5)
    assert [len(visit.messages) for visit in peer.visits] == [2, 2, 1]
    assert peer.visits[0].commands[-1] == "QUIT"


def test_an_idle_connection_waits_so_long_for_another_message(peer: Hop, delivery: Change, send: Send) -> None:
    delivery(peer, idle_timeout=0.3)
    begun = time.monotonic()
    send()
    arrived(peer)
    assert peer.visits[0].ended.wait(10)
    assert time.monotonic() - begun > 0.25
    assert peer.visits[0].commands[-1] == "QUIT"
    delivery(peer, idle_timeout=60.0)
    send()
    arrived(peer, 2)
    assert not peer.visits[1].ended.wait(2)


# -- how long


def test_a_host_that_does_not_connect_is_given_up(gate: Gateway, delivery: Change, send: Send) -> None:
    with ExitStack() as held, hop() as listening:
        full = held.enter_context(socket.socket())
        full.bind((HOST, 0))
        full.listen(0)
        for _ in range(4):  # the kernel keeps these, and drops whoever comes after them
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        position = len(gate.log())
        listening.server_address = full.getsockname()
        delivery(listening, connect_timeout=0.6)
        send()
        gate.wait_for_log(r"Connection Error: DCID \d+ .*no connection within 0\.6 seconds", after=position, within=15)


@pytest.mark.parametrize("where", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_does_not_answer_a_command_is_given_up(
    gate: Gateway, peer: Hop, delivery: Change, send: Send, where: str
) -> None:
    peer.answers[where] = SILENCE
    position = len(gate.log())
    delivery(peer, command_timeout=0.5, data_timeout=60.0)
    send()
    gate.wait_for_log(r"did not answer within 0\.5 seconds", after=position, within=15)
    assert peer.visits[0].ended.wait(10)
    peer.answers.clear()
    gate.command("queue", "retry")
    arrived(peer)


def test_a_server_that_does_not_answer_the_message_is_given_up_later(
    gate: Gateway, peer: Hop, delivery: Change, send: Send
) -> None:
    peer.answers["end"] = SILENCE
    position = len(gate.log())
    delivery(peer, command_timeout=0.5, data_timeout=1.5)
    send()
    gate.wait_for_log(r"did not answer within 1\.5 seconds", after=position, within=15)
    assert peer.messages == []
    peer.answers.clear()
    gate.command("queue", "retry")
    arrived(peer)


# -- from where


def test_connections_come_from_the_source_address(peer: Hop, delivery: Change, send: Send) -> None:
    delivery(peer, source_v4="127.0.0.9", source_v6="2001:db8::9")
    send()
    arrived(peer)
    assert peer.visits[0].source == "127.0.0.9"


def test_connections_to_ipv6_hosts_come_from_the_other_one(gate: Gateway, delivery: Change, send: Send) -> None:
    with hop("::1") as peer:
        position = len(gate.log())
        delivery(peer, source_v4="127.0.0.9", source_v6="2001:db8::9")
        send()
        gate.wait_for_log(r"Connection Error: .*interface: 2001:db8::9", after=position)  # no machine has it
        delivery(peer, source_v4="127.0.0.9", source_v6="::1")
        gate.command("queue", "retry")
        arrived(peer)
        assert peer.visits[0].source == "::1"


# -- DNS


MX_PORT = 25


@pytest.mark.needs("root")
def test_mx_hosts_are_tried_by_preference(delivery: Change, send: Send, request: pytest.FixtureRequest) -> None:
    own = domain_of(request)
    zone: Zone = {
        (own, "MX"): ["30 last.example.", "10 first.example.", "20 second.example."],
        ("first.example", "A"): ["127.25.0.1"],  # nobody listens there
        ("second.example", "A"): ["127.25.0.2"],
        ("last.example", "A"): ["127.25.0.3"],
    }
    with name_server(zone) as names, hop("127.25.0.2", MX_PORT) as second, hop("127.25.0.3", MX_PORT) as last:
        delivery(None, {"dns": {"servers": [names.place]}})
        send()
        arrived(second)
        assert last.visits == []
        assert next(asked for asked in names.questions if asked[1] != "PTR") == (own, "MX")


@pytest.mark.needs("root")
def test_a_domain_without_mx_is_its_own_host(delivery: Change, send: Send, request: pytest.FixtureRequest) -> None:
    zone: Zone = {(domain_of(request), "A"): ["127.25.0.4"]}
    with name_server(zone) as names, hop("127.25.0.4", MX_PORT) as peer:
        delivery(None, {"dns": {"servers": [names.place]}})
        send()
        arrived(peer)


@pytest.mark.needs("root")
def test_name_servers_are_asked_in_their_order(delivery: Change, send: Send, request: pytest.FixtureRequest) -> None:
    own = domain_of(request)
    with (
        name_server({(own, "A"): "SERVFAIL", (own, "MX"): "SERVFAIL"}) as failing,
        name_server({(own, "A"): ["127.25.0.5"]}) as working,
        name_server({(own, "A"): ["127.25.0.6"]}) as idle,
        hop("127.25.0.5", MX_PORT) as peer,
    ):
        delivery(None, {"dns": {"servers": [failing.place, working.place, idle.place]}})
        send()
        arrived(peer)
        assert failing.questions
        assert idle.questions == []


@pytest.mark.parametrize(("kind", "status"), [("null-mx", "5.1.10"), ("no-such-domain", "5.1.2")])
def test_a_domain_that_takes_no_mail_bounces_at_once(
    gate: Gateway, peer: Hop, delivery: Change, send: Send, request: pytest.FixtureRequest, kind: str, status: str
) -> None:
    own = domain_of(request)
    zone: Zone = {(own, "MX"): ["0 ."]} if kind == "null-mx" else {}
    with name_server(zone) as names:
        routes = [{"domain": "me.example", "hosts": [f"{HOST}:{peer.port}"]}]
        settings = {"postmaster": "chief@house.example"}
        position = len(gate.log())
        delivery(None, {"dns": {"servers": [names.place]}, "routes": routes, "gateway": settings})
        send()
        arrived(peer)
        (notice,) = peer.messages
        assert message_from_bytes(notice).get_content_type() == "multipart/report"
        for part in (f"you@{own}", "Action: failed", "chief@house.example", status):
            assert part.encode() in notice
        gate.wait_for_log(rf"Bounced: DCID \d+ MID \d+ to RID 0 - {status} ", after=position)


@pytest.mark.needs("root")
def test_a_name_server_that_fails_makes_the_message_wait(
    gate: Gateway, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    own = domain_of(request)
    with name_server({(own, "MX"): "SERVFAIL", (own, "A"): "SERVFAIL"}) as names, hop("127.25.0.7", MX_PORT) as peer:
        position = len(gate.log())
        delivery(None, {"dns": {"servers": [names.place]}})
        send()
        gate.wait_for_log(r"Delayed: DCID \d+ MID \d+ to RID 0 - 4\.4\.3 - DNS problem .*SERVFAIL", after=position)
        assert "Bounced" not in gate.log()[position:]
        names.zone = {(own, "A"): ["127.25.0.7"]}
        gate.command("queue", "retry")
        arrived(peer)


def test_a_name_server_that_says_nothing_is_given_up(
    gate: Gateway, delivery: Change, send: Send, request: pytest.FixtureRequest
) -> None:
    own = domain_of(request)
    with name_server({(own, kind): "silence" for kind in ("MX", "A", "AAAA")}) as names:
        for timeout in (1.0, 3.0):
            position = len(gate.log())
            delivery(None, {"dns": {"servers": [names.place], "timeout": timeout}})
            begun = time.monotonic()
            send()
            gate.wait_for_log("4.4.3 - DNS problem .*no name server answered in time", after=position, within=8)
            assert timeout * 0.9 < time.monotonic() - begun < timeout + 2
