"""Mail that finds its way by a real name server (NSD): MX by preference, implicit and null, names without address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.conftest import require
from tests.peers import exim, nsd
from tests.peers.dns import name_server
from tests.peers.exim import Exim
from tests.peers.hop import Hop, hop
from tests.peers.server import Service
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import greeted

pytestmark = pytest.mark.needs("nsd", "root")

SMTP = 25
FIRST, SECOND, SIX, DEAD = "127.26.0.1", "127.26.0.2", "::1", "127.26.0.9"

ZONE = f"""
    preferred      MX    10 first
    preferred      MX    20 second
    down           MX    10 dead
    down           MX    20 second
    implicit       A     {SECOND}
    alias          CNAME preferred
    aliased-host   MX    10 other-name
    other-name     CNAME second
    six            MX    10 six-host
    six-host       AAAA  {SIX}
    half           MX    10 nothing
    half           MX    20 second
    null           MX    0 .
    half-null      MX    0 .
    half-null      MX    10 second
    void           MX    10 nothing
    nothing        TXT   "no address here"
    strange        MX    10 lost.other.example.
    first          A     {FIRST}
    second         A     {SECOND}
    dead           A     {DEAD}
"""
OTHER_ZONE = "lost A 127.26.0.2"


@pytest.fixture(scope="module")
def first() -> Iterator[Exim]:
    """The host that is preferred: a real server."""
    require("exim")
    with exim.running(Service(port=SMTP), domains=("*.mail.example",), address=FIRST) as running:
        yield running


@pytest.fixture(scope="module")
def hops() -> Iterator[dict[str, Hop]]:
    """Hosts by their addresses, and where notices go."""
    with ExitStack() as stack:
        found = {address: stack.enter_context(hop(address, SMTP)) for address in (SECOND, SIX)}
        yield {**found, "notices": stack.enter_context(hop())}


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, first: Exim, hops: dict[str, Hop]) -> Iterator[Gateway]:
    with (
        nsd.running({"mail.example": ZONE, "other.example": OTHER_ZONE}) as names,
        gateway(tmp_path_factory.mktemp("dns")) as running,
    ):

        def prepare(settings: Settings) -> None:
            settings["gateway"]["accepted_domains"] = [".example"]
            settings["delivery"] = {"retry_first": 600.0, "host_down": 0.0}
            settings["dns"] = {"servers": [names], "timeout": 3.0}
            notices = f"127.0.0.1:{hops['notices'].port}"
            settings["routes"] = [{"domain": "sender.example", "hosts": [notices]}]

        running.configure(prepare)
        yield running


def send(gate: Gateway, domain: str, mark: str = "") -> None:
    with closing(greeted(gate.ports["public"])) as client:
        client.send(f"you@{domain}", sender="me@sender.example", subject=mark or domain)


def arrived(peer: Hop, mark: str) -> bytes:
    found: list[bytes] = eventually(lambda: [each for each in peer.messages if f"Subject: {mark}".encode() in each])
    assert len(found) == 1
    return found[0]


def test_the_preferred_host_takes_the_mail_over_tls(gate: Gateway, first: Exim, hops: dict[str, Hop]) -> None:
    send(gate, "preferred.mail.example")
    send(gate, "alias.mail.example")
    subjects = {str(message["Subject"]) for message in first.wait_for_messages(2)}
    assert subjects == {"preferred.mail.example", "alias.mail.example"}
    assert "X=TLS1.3" in first.wait_for_log("P=esmtps")
    assert not any(b"preferred" in message for message in hops[SECOND].messages)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("down", SECOND),  # the preferred host does not answer
        ("implicit", SECOND),  # no MX: the domain is its own host (RFC 5321 §5.1)
        ("aliased-host", SECOND),  # an MX should not name an alias (RFC 2181 §10.3), and some do
        ("six", SIX),
        ("half", SECOND),  # the preferred host has no address
        ("half-null", SECOND),  # a null MX record beside another one says nothing (RFC 7505 §3)
    ],
)
def test_a_domain_finds_its_host(gate: Gateway, hops: dict[str, Hop], name: str, address: str) -> None:
    send(gate, f"{name}.mail.example")
    arrived(hops[address], f"{name}.mail.example")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("null", "5.1.10"),  # it takes no mail (RFC 7505 §4.1)
        ("nobody", "5.1.2"),  # there is no such name
        ("void", "5.4.4"),  # no host of it has an address (RFC 3463 §3.5)
    ],
)
def test_a_domain_without_mail_bounces_at_once(gate: Gateway, hops: dict[str, Hop], name: str, status: str) -> None:
    send(gate, f"{name}.mail.example")
    notice = eventually(lambda: [each for each in hops["notices"].messages if f"you@{name}.".encode() in each])[0]
    assert f"Status: {status}".encode() in notice


def test_a_zone_nobody_serves_makes_the_message_wait(gate: Gateway, hops: dict[str, Hop]) -> None:
    """NSD answers REFUSED for it, which says nothing of the domain."""
    position = len(gate.log())
    send(gate, "you.unserved.example")
    gate.wait_for_log(r"Delayed: .* 4\.4\.3 - DNS problem", after=position)
    assert "you@you.unserved.example" in gate.command("queue", "list").stdout


@pytest.mark.parametrize("answer", ["SERVFAIL", "silence"])
def test_a_name_server_that_fails_is_passed_over(gate: Gateway, hops: dict[str, Hop], answer: str) -> None:
    domain, mark = "strange.mail.example", f"strange {answer}"
    kinds = [(name, kind) for name in (domain, "lost.other.example") for kind in ("MX", "A", "AAAA")]
    before = gate.settings()
    with name_server(dict.fromkeys(kinds, answer)) as failing:  # type: ignore[arg-type]
        gate.configure(lambda settings: settings["dns"]["servers"].insert(0, failing.place))
        send(gate, domain, mark)
        arrived(hops[SECOND], mark)
        assert (domain, "MX") in failing.questions
    gate.load(before)
