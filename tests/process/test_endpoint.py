from __future__ import annotations

import fcntl
import socket

import pytest

from sealgate.process.endpoint import Endpoint, EndpointError, bind, bind_all
from tests.process.house import free_port


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_a_bound_endpoint_accepts(address: str) -> None:
    endpoint = Endpoint("public", address, free_port(address))
    with bind(endpoint) as sock:
        assert not sock.getblocking()
        with socket.create_connection(("::1" if ":" in address else "127.0.0.1", endpoint.port), timeout=5):
            pass


def test_both_families_may_have_all_addresses_of_one_port() -> None:
    port = free_port("::")
    with bind(Endpoint("a", "0.0.0.0", port)), bind(Endpoint("a", "::", port)):
        pass


def test_it_is_not_inherited_by_programs() -> None:
    with bind(Endpoint("public", "127.0.0.1", free_port())) as sock:
        assert fcntl.fcntl(sock, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_a_port_in_use() -> None:
    with bind(Endpoint("public", "127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(
            EndpointError, match=f"^cannot listen on 127.0.0.1 port {port} for listener 'b': it is in use"
        ):
            bind(Endpoint("b", "127.0.0.1", port))


@pytest.mark.parametrize(
    ("address", "port", "sentence"),
    [
        ("192.0.2.1", 25252, "this machine does not have that address"),
        ("not an address", 25252, "cannot listen on not an address"),
        ("1::2::3", 25252, "cannot listen on 1::2::3"),
        ("127.0.0.1", 70000, "port must be 0-65535"),
    ],
)
def test_what_cannot_be_bound(address: str, port: int, sentence: str) -> None:
    with pytest.raises(EndpointError, match=sentence):
        bind(Endpoint("public", address, port))


def test_all_that_can_be_bound_is_and_the_rest_is_told() -> None:
    good, bad = Endpoint("a", "127.0.0.1", free_port()), Endpoint("b", "192.0.2.1", 25252)
    bound, problems = bind_all([good, bad])
    assert [each.endpoint for each in bound] == [good]
    assert [(each.endpoint, "does not have" in each.sentence) for each in problems] == [(bad, True)]
    bound[0].socket.close()
