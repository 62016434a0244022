"""Clients that send far more than they wait for: the others must not notice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.running import Gateway, eventually, gateway
from tests.smtp_client import Client, greeted


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("pipelining")) as running:
        yield running


def turns(gate: Gateway, count: int = 5) -> float:
    """Seconds in which that many others are greeted, one after the other."""
    begun = time.monotonic()
    for _ in range(count):
        with closing(Client(gate.ports["public"])) as other:
            assert other.reply().startswith("220")
    return time.monotonic() - begun


def flood(client: Client, stop: threading.Event) -> None:
    """NOOP after NOOP until `stop`, or the end of the connection."""
    with suppress(OSError):
        while not stop.is_set():
            client.socket.sendall(b"NOOP\r\n" * 40_000)


def drain(client: Client) -> None:
    """Read whatever comes, to the end."""
    with suppress(OSError):
        while client.socket.recv(1 << 20):
            pass


def test_a_flood_of_commands_holds_up_nobody(gate: Gateway) -> None:
    stop = threading.Event()
    with closing(greeted(gate.ports["public"])) as client:
        threads = [threading.Thread(target=flood, args=(client, stop)), threading.Thread(target=drain, args=(client,))]
        for thread in threads:
            thread.start()
        try:
            during = sorted(turns(gate, 1) for _ in range(7))
        finally:
            stop.set()
            with suppress(OSError):
                client.socket.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
    # The median: whatever else this machine does, others wait for a few turns and not for everything that was sent.
    assert during[3] < 0.25, during


@pytest.mark.parametrize("tls", [False, True])
def test_every_command_of_a_flood_is_answered_in_its_order(gate: Gateway, tls: bool) -> None:
    """Whoever closes its side behind them hears the answers all the same."""
    with closing(greeted(gate.ports["public"])) as client:
        if tls:
            client.start_tls()
        client.socket.sendall(b"NOOP\r\n" * 5000 + b"HELP\r\n" + b"NOOP\r\n" * 500 + b"VRFY x\r\n")
        if not tls:
            client.socket.shutdown(socket.SHUT_WR)
        codes = [client.reply()[:3] for _ in range(5502)]
    assert codes == ["250"] * 5000 + ["214"] + ["250"] * 500 + ["252"]


def test_who_does_not_read_its_replies_is_told_no_more(gate: Gateway) -> None:
    with closing(socket.socket()) as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.connect(("127.0.0.1", gate.ports["public"]))
        silent.settimeout(1)
        before = held_by(gate)
        with pytest.raises(TimeoutError):  # neither is it read
            silent.sendall(b"HELP\r\n" * 3_000_000)
        assert held_by(gate) - before < 1_000_000
        assert turns(gate) < 5


def held_by(gate: Gateway) -> int:
    """Bytes of memory of the one worker."""
    worker = eventually(lambda: gate.children().get("worker-1"))
    return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * 4096


def test_the_end_of_a_flood_is_obeyed(gate: Gateway) -> None:
    """STARTTLS behind more commands than one turn has: nothing behind it is obeyed, and TLS begins anew."""
    with closing(greeted(gate.ports["public"])) as client:
        client.socket.sendall(b"NOOP\r\n" * 1000)
        for _ in range(1000):
            assert client.reply().startswith("250")
        client.start_tls()
        assert client.say("EHLO me.example").startswith("250")
    with closing(greeted(gate.ports["public"])) as client:
        client.socket.sendall(b"NOOP\r\n" * 999 + b"STARTTLS\r\nNOOP\r\n")
        for _ in range(999):
            assert client.reply().startswith("250")
        assert client.reply() == ""
