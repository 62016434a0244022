"""What the tests of the TLS core share: the linked OpenSSL as measured, and servers of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from OpenSSL import SSL

from sealgate.net.tls.engine import set_groups
from sealgate.net.tls.library import measure_library
from sealgate.tls.library import Library
from sealgate.tls.plan import TlsPlan
from tests.peers import certificate


@pytest.fixture(scope="session")
def library() -> Library:
    """The OpenSSL that the gateway runs on."""
    return measure_library()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Callable[[TlsPlan], SSL.Connection]:
    """A server in memory under a plan, with an RSA and an ECDSA certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    pairs = [
        certificate.self_signed(folder, "rsa.example"),
        certificate.self_signed(folder, "ec.example", elliptic=True),
    ]

    def start(plan: TlsPlan) -> SSL.Connection:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(plan.minimum)
        context.set_max_proto_version(plan.maximum)
        context.set_cipher_list(plan.cipher_list.encode())
        context.set_tls13_ciphersuites(plan.tls13_suites.encode())
        context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        set_groups(context, plan.groups)
        for pair in pairs:
            context.use_certificate_file(str(pair.certificate))
            context.use_privatekey_file(str(pair.key))
        connection = SSL.Connection(context, None)
        connection.set_accept_state()
        return connection

    return start
