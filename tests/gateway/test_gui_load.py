"""Many, slow and silent clients of GUI HTTPS: who makes room, who is ended, and that nobody else waits."""

from __future__ import annotations

import copy
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests import https_client
from tests.https_client import Client
from tests.peers.ports import HOST
from tests.running import Gateway, NextHop, Settings, eventually, gateway, next_hop
from tests.smtp_client import any_certificate, greeted

LIVE = "/api/v1/health/live"

Change = Callable[..., None]


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextHop]:
    with next_hop(tmp_path_factory.mktemp("hop")) as running:
        yield running


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, hop: NextHop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("load"), next_hop=hop.port) as running:
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def gui(gate: Gateway, first: Settings) -> Iterator[Change]:
    """The first configuration with other values for the GUI; it takes effect at once."""

    def change(**values: float) -> None:
        settings = copy.deepcopy(first)
        settings["gui"].update(values)
        gate.load(settings)

    change()
    yield change
    change()


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Closes what is entered."""
    with ExitStack() as stack:
        yield stack


def silent(port: int, source: str = HOST) -> socket.socket:
    """Connects and says nothing."""
    return socket.create_connection((HOST, port), timeout=10, source_address=(source, 0))


def is_open(sock: socket.socket) -> bool:
    sock.settimeout(0.2)
    try:
        return sock.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_who_has_shown_least_makes_room(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    gui(connections=3, connections_per_host=3)
    port = gate.gui_ports[0]
    position = len(gate.log())
    stranger = clients.enter_context(Client(port))
    assert stranger.get(LIVE).status == 200
    quiet = clients.enter_context(silent(port))
    quieter = clients.enter_context(silent(port))
    gate.wait_for_log("HCID .*New|New HTTPS", after=position)
    third = clients.enter_context(Client(port))  # takes the place of the silent one that came first
    assert third.get(LIVE).status == 200
    assert not is_open(quiet)
    assert is_open(quieter)
    assert stranger.get(LIVE).status == 200
    gate.wait_for_log("GUI HTTPS: 1 connections turned away: they made room for others", after=position)


def test_a_host_makes_room_among_its_own(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    gui(connections=200, connections_per_host=2)
    port = gate.gui_ports[0]
    other = clients.enter_context(silent(port, "127.0.0.4"))
    crowd = [clients.enter_context(silent(port, "127.0.0.5")) for _ in range(5)]
    eventually(lambda: [is_open(each) for each in crowd] == [False, False, False, True, True])
    assert is_open(other)


def test_a_slow_client_is_ended(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    gui(request_timeout=0.5)
    silent_in_tls = clients.enter_context(Client(gate.gui_ports[0]))
    head = clients.enter_context(Client(gate.gui_ports[0]))
    head.socket.sendall(b"GET / HTTP/1.1\r\nHost: loc")
    body = clients.enter_context(Client(gate.gui_ports[0]))
    body.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123")
    begun = time.monotonic()
    assert silent_in_tls.is_over()
    assert head.is_over()
    assert body.is_over()
    assert time.monotonic() - begun < 5


def test_dripping_bytes_gain_no_time(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    gui(request_timeout=1)
    slow = clients.enter_context(Client(gate.gui_ports[0]))
    begun = time.monotonic()
    drops = iter(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000)
    eventually(lambda: not takes(slow, next(drops)))
    assert time.monotonic() - begun < 8


def takes(client: Client, byte: int) -> bool:
    """Whether the server still listens after one more byte."""
    try:
        client.socket.sendall(bytes([byte]))
    except OSError:
        return False
    return is_open(client.socket)


def test_a_connection_waits_so_long_for_another_request(gate: Gateway, gui: Change, clients: ExitStack) -> None:
    gui(idle_timeout=0.5)
    client = clients.enter_context(Client(gate.gui_ports[0]))
    assert client.get(LIVE).status == 200
    assert client.is_over()


def test_a_thousand_slow_and_silent_clients_delay_nobody(
    gate: Gateway, gui: Change, hop: NextHop, clients: ExitStack
) -> None:
    """From the very host that the administrator comes from."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    clients.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    context = any_certificate()
    for number in range(1000):
        sock = clients.enter_context(silent(gate.gui_ports[number % 2]))
        try:
            match number % 4:
                case 1:
                    sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # a hello that goes no further
                case 2:
                    sock.sendall(b"GET / HTTP/1.1\r\n")
                case 3 if number % 20 == 3:
                    inside = clients.enter_context(context.wrap_socket(sock))
                    inside.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n")
        except OSError:
            continue  # it has made room already
    for port in gate.gui_ports:
        for _ in range(5):
            begun = time.monotonic()
            assert https_client.ask(port, "GET", LIVE).status == 200
            assert time.monotonic() - begun < 1
    begun = time.monotonic()
    client = greeted(gate.ports["public"])
    try:
        client.send("somebody@inside.example")
    finally:
        client.close()
    assert time.monotonic() - begun < 1
    hop.wait_for_messages(1)
    assert "is killed" not in gate.log()
