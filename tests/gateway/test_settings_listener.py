"""What each setting of a listener, of its certificates and of the limits does, seen by clients of a running gateway."""

from __future__ import annotations

import copy
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.peers import certificate
from tests.peers.certificate import KeyPair
from tests.peers.ports import free_port
from tests.running import Gateway, Settings, eventually, gateway
from tests.smtp_client import Client, any_certificate, greeted

LISTENERS = {"public": 0, "private": 1, "private-tls": 2}

Change = Callable[..., None]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("listener-settings")) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def listener(gate: Gateway, first: Settings) -> Change:
    """The first configuration with other values for one listener, and more in other tables: it takes effect at once."""

    def change(name: str, tables: dict[str, Any] | None = None, /, **values: Any) -> None:
        settings = copy.deepcopy(first)
        settings["listeners"][LISTENERS[name]].update(values)
        for table, rows in (tables or {}).items():
            settings[table] = settings[table] | rows if isinstance(rows, dict) else settings[table] + rows
        gate.load(settings)

    return change


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Closes what is entered."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyPair]:
    """An RSA and an ECDSA certificate for one.example, and one for two.example."""
    kinds = {"one-rsa": ("one.example", False), "one-ec": ("one.example", True), "two": ("two.example", True)}
    return {
        profile: certificate.self_signed(tmp_path_factory.mktemp(profile), name, elliptic=elliptic)
        for profile, (name, elliptic) in kinds.items()
    }


def refuses(port: int, host: str) -> bool:
    """Whether nobody listens there."""
    try:
        Client(port, host).close()
    except ConnectionRefusedError:
        return True
    return False


def at_most_tls12(ciphers: str = "ALL") -> ssl.SSLContext:
    context = any_certificate()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    return context


# -- where it listens, and how it is called


def test_a_listener_that_is_not_enabled_is_not_there(gate: Gateway, listener: Change) -> None:
    listener("public", enabled=False)
    eventually(lambda: refuses(gate.ports["public"], "127.0.0.1"))
    listener("public", enabled=True)
    greeted(gate.ports["public"]).close()


def test_it_listens_on_its_addresses_and_no_other(gate: Gateway, listener: Change) -> None:
    listener("public", addresses=["127.0.0.2", "::1"], port=(port := free_port()))
    for address in ("127.0.0.2", "::1"):
        greeted(port, address).close()
    assert refuses(port, "127.0.0.1")
    eventually(lambda: refuses(gate.ports["public"], "127.0.0.1"))


def test_the_log_calls_a_listener_by_its_name(gate: Gateway, listener: Change) -> None:
    listener("public", name="front-door")
    position = len(gate.log())
    greeted(gate.ports["public"]).close()
    gate.wait_for_log(r"New SMTP ICID \d+ interface front-door \(127\.0\.0\.1\)", after=position)


# -- certificates


def profiles(pairs: dict[str, KeyPair]) -> list[dict[str, str]]:
    """The first one by its files, the others by their texts."""
    texts = [
        {"name": name, "certificate": pair.certificate.read_text(), "key": pair.key.read_text()}
        for name, pair in pairs.items()
    ]
    files = {"certificate_file": str(pairs["one-rsa"].certificate), "key_file": str(pairs["one-rsa"].key)}
    return [{"name": "one-rsa", **files}, *texts[1:]]


@pytest.mark.parametrize(
    ("name", "ciphers", "shown"),
    [
        ("one.example", "ECDHE+aRSA", "one-rsa"),
        ("one.example", "ECDHE+ECDSA", "one-ec"),
        ("two.example", "ECDHE+ECDSA", "two"),
        ("TWO.example", "ECDHE+ECDSA", "two"),
        ("unknown.example", "ECDHE+ECDSA", "one-ec"),
    ],
)
def test_the_certificate_is_chosen_by_server_name_and_key_family(
    gate: Gateway, listener: Change, pairs: dict[str, KeyPair], name: str, ciphers: str, shown: str
) -> None:
    order = ["one-ec", "one-rsa", "two"]  # the first is the one for clients that ask for another name
    listener("public", {"certificates": profiles(pairs)}, certificates=order)
    with closing(greeted(gate.ports["public"])) as client:
        client.start_tls(at_most_tls12(ciphers), name)
        assert isinstance(client.socket, ssl.SSLSocket)
        there = client.socket.getpeercert(binary_form=True)
    assert there == ssl.PEM_cert_to_DER_cert(pairs[shown].certificate.read_text())


@pytest.mark.parametrize("chosen", ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256"])
def test_a_chosen_suite_is_the_one_negotiated(gate: Gateway, listener: Change, chosen: str) -> None:
    listener("public", {"tls": {"inbound_smtp": {"versions": ["1.2"], "ciphers": chosen}}})
    with closing(greeted(gate.ports["public"])) as client:
        client.start_tls()
        assert isinstance(client.socket, ssl.SSLSocket)
        assert (client.socket.cipher() or ())[0] == chosen
    with closing(greeted(gate.ports["public"])) as client, pytest.raises(ssl.SSLError):
        client.start_tls(at_most_tls12("ECDHE-RSA-AES256-GCM-SHA384"))


# -- client certificates


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return certificate.self_signed(tmp_path_factory.mktemp("strangers"), "stranger.example")


def private_session(gate: Gateway, shown: KeyPair | None, version: ssl.TLSVersion) -> str:
    """The answer to MAIL behind a handshake that may show a certificate."""
    context = any_certificate()
    context.minimum_version = context.maximum_version = version
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    with closing(greeted(gate.ports["private"])) as client:
        client.start_tls(context)
        client.say("EHLO me.example")
        return client.say("MAIL FROM:<me@me.example>")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("demand", ["none", "request", "require"])
def test_client_certificates(
    gate: Gateway,
    listener: Change,
    peer_certificate: KeyPair,
    strangers: KeyPair,
    demand: str,
    version: ssl.TLSVersion,
) -> None:
    trust = {} if demand == "none" else {"client_trust_file": str(peer_certificate.certificate)}
    listener("private", client_certificate=demand, **trust)
    assert private_session(gate, peer_certificate, version).startswith("250")
    for shown, welcomed in ((None, demand != "require"), (strangers, demand == "none")):
        if welcomed:
            assert private_session(gate, shown, version).startswith("250")
        else:
            # In TLS 1.3 the client's handshake is over before its certificate is judged: the alert comes later.
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                private_session(gate, shown, version)


# -- what is taken


def test_a_private_listener_relays_for_its_networks_only(gate: Gateway, first: Settings) -> None:
    for members, answer in ((["192.0.2.0/24", "127.0.0.2/32"], "550 5.7.1"), (["127.0.0.0/8"], "250")):
        settings = copy.deepcopy(first)
        settings["sender_groups"][0]["members"] = members
        gate.load(settings)
        with closing(greeted(gate.ports["private"])) as client:
            client.start_tls()
            client.say("EHLO me.example", "MAIL FROM:<me@me.example>")
            client.reply()
            assert client.say("RCPT TO:<you@elsewhere.example>").startswith(answer)


def test_replies_in_the_style_of_asyncos(gate: Gateway, listener: Change) -> None:
    listener("private", reply_style="asyncos")
    with closing(greeted(gate.ports["private"])) as client:
        assert "ENHANCEDSTATUSCODES" not in client.say("EHLO me.example")
        assert client.say("MAIL FROM:<me@me.example>") == "530 #5.7.0 Must issue a STARTTLS command first"


def test_hidden_extensions_are_not_offered(gate: Gateway, listener: Change) -> None:
    hidden = {"CHUNKING", "DSN", "SMTPUTF8", "SIZE", "8BITMIME", "PIPELINING"}
    for hide in ([], ["CHUNKING"], sorted(hidden)):
        listener("public", hidden_extensions=hide)
        with closing(greeted(gate.ports["public"])) as client:
            offered = {line[4:].split()[0] for line in client.say("EHLO me.example").splitlines()[1:]}
            assert offered & hidden == hidden - set(hide)
            refused = client.say("BDAT 5 LAST", b"12345").startswith("50") if "CHUNKING" in hide else False
            assert refused is ("CHUNKING" in hide)


def test_a_longer_command_line_is_refused(gate: Gateway, listener: Change) -> None:
    listener("public", max_line=600)
    with closing(greeted(gate.ports["public"])) as client:
        assert client.say(b"NOOP " + b"x" * 593 + b"\r\n").startswith("250")
        assert client.say(b"NOOP " + b"x" * 594 + b"\r\n").startswith("500 5.5.2 line too long")
        assert client.say("NOOP").startswith("250")


def test_a_third_recipient_is_one_too_many(gate: Gateway, listener: Change) -> None:
    listener("public", max_recipients=2)
    with closing(greeted(gate.ports["public"])) as client:
        client.say("MAIL FROM:<me@me.example>")
        answers = [client.say(f"RCPT TO:<you{number}@inside.example>") for number in range(3)]
    assert [answer[:9] for answer in answers] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


# -- how long


def test_an_idle_session_ends(gate: Gateway, listener: Change) -> None:
    listener("public", idle_timeout=0.4)
    with closing(greeted(gate.ports["public"])) as client:
        assert client.reply().startswith("421 4.4.2 Timed out")
        assert client.file.read() == b""


def test_a_busy_session_ends_too(gate: Gateway, listener: Change) -> None:
    listener("public", session_timeout=1.0, idle_timeout=0.9)
    with closing(greeted(gate.ports["public"])) as client:
        client.socket.settimeout(0.2)
        answers = ""
        while "421" not in answers:
            client.socket.sendall(b"NOOP\r\n")
            answers = client.file.readline().decode()
            assert answers[:3] in ("250", "421"), answers
        assert answers.startswith("421 4.4.2 Exceeded allowable connection time")


# -- how many


def wait_for_farewells(gate: Gateway) -> None:
    """Whoever was connected before has left."""
    eventually(lambda: len(re.findall(r"New SMTP ICID", gate.log())) == len(re.findall(r"ICID \d+ close", gate.log())))


def test_a_connection_too_many_is_turned_away(gate: Gateway, listener: Change, clients: ExitStack) -> None:
    listener("public", {"limits": {"connections": 2}})
    port = gate.ports["public"]
    wait_for_farewells(gate)
    for source in ("127.0.0.2", "127.0.0.3"):
        clients.enter_context(closing(greeted(port, source=source)))
    third = clients.enter_context(closing(Client(port, source="127.0.0.4")))
    assert third.reply() == "421 4.4.5 Too many connections to this host"
    assert third.file.read() == b""


def dawdle(port: int, source: str) -> Client:
    """A client that has been told to go ahead with TLS, and does not."""
    client = greeted(port, source=source)
    assert client.say("STARTTLS").startswith("220")
    return client


def test_a_handshake_too_many_is_turned_away(gate: Gateway, listener: Change, clients: ExitStack) -> None:
    listener("public", {"limits": {"handshakes": 1}})
    clients.enter_context(closing(dawdle(gate.ports["public"], "127.0.0.2")))
    second = clients.enter_context(closing(greeted(gate.ports["public"], source="127.0.0.3")))
    assert second.say("STARTTLS") == "421 4.4.5 Too many TLS sessions at this time"
    assert second.file.read() == b""


def test_a_host_with_too_many_handshakes_is_turned_away_alone(
    gate: Gateway, listener: Change, clients: ExitStack
) -> None:
    listener("public", {"limits": {"handshakes_per_host": 1}})
    clients.enter_context(closing(dawdle(gate.ports["public"], "127.0.0.2")))
    second = clients.enter_context(closing(greeted(gate.ports["public"], source="127.0.0.2")))
    assert second.say("STARTTLS") == "421 4.4.5 Too many TLS sessions at this time"
    other = clients.enter_context(closing(greeted(gate.ports["public"], source="127.0.0.3")))
    other.start_tls()


def large_hello() -> ssl.SSLContext:
    """A context whose ClientHello has about 6,000 bytes."""
    context = any_certificate()
    context.set_alpn_protocols([f"{number:0200}" for number in range(30)])
    return context


def test_a_hello_larger_than_the_limit_is_not_read(gate: Gateway, listener: Change) -> None:
    listener("public", {"limits": {"hello_size": 8192}})
    with closing(greeted(gate.ports["public"])) as client:
        client.start_tls(large_hello())
    listener("public", {"limits": {"hello_size": 4096}})
    position = len(gate.log())
    with closing(greeted(gate.ports["public"])) as client, pytest.raises((ssl.SSLError, ConnectionResetError)):
        client.start_tls(large_hello())
    assert "4096" in gate.wait_for_log(r"ICID \d+ TLS failed", after=position)


# -- the gateway itself


def test_postmaster_without_a_domain_is_the_one_of_the_settings(gate: Gateway, listener: Change) -> None:
    listener("public", {"gateway": {"postmaster": "chief@house.example"}})
    with closing(greeted(gate.ports["public"])) as client:
        client.say("MAIL FROM:<>")
        assert client.say("RCPT TO:<postmaster>") == "250 2.1.5 recipient <postmaster@house.example> ok"


def test_the_number_of_workers_changes_while_mail_comes_in(gate: Gateway, listener: Change) -> None:
    for count in (3, 1):
        listener("public", {"gateway": {"workers": count}})
        names = {"control", *(f"worker-{number}" for number in range(1, count + 1))}
        eventually(lambda names=names: set(gate.children()) == names, why=lambda: str(gate.children()))
        with closing(greeted(gate.ports["public"])) as client:
            client.send("you@inside.example")


def test_files_of_a_profile_are_read_where_they_are(gate: Gateway, listener: Change, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    profile = {"name": "elsewhere", "certificate_file": str(missing), "key_file": str(missing)}
    with pytest.raises(AssertionError, match=r"cannot read the certificate file .*missing\.pem"):
        listener("public", {"certificates": [profile]}, certificates=["elsewhere"])
    greeted(gate.ports["public"]).close()  # with the certificates it had
