"""TLS servers of others on a loopback port, with the versions one chooses: what the probes are proven on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.peers.certificate import KeyPair
from tests.peers.ports import HOST, free_port, wait_for
from tests.peers.programs import SEARCH_PATH
from tests.peers.versions import Versions, openssl_name


@contextmanager
def openssl_server(pair: KeyPair, versions: Versions, *options: str) -> Iterator[int]:
    """The port of an `openssl s_server` (implicit TLS) that answers every request with a page."""
    port = free_port()
    words = ["openssl", "s_server", "-accept", f"{HOST}:{port}", "-www", "-cipher", "ALL:@SECLEVEL=0"]
    words += ["-min_protocol", openssl_name(versions.lowest), "-max_protocol", openssl_name(versions.highest)]
    with _running([*words, "-cert", str(pair.certificate), "-key", str(pair.key), *options], port):
        yield port


@contextmanager
def gnutls_server(pair: KeyPair, versions: Versions, *options: str) -> Iterator[int]:
    """The port of a `gnutls-serv` (implicit TLS) that answers every request with a page."""
    port = free_port()
    words = ["gnutls-serv", "--http", "--port", str(port), "--priority", versions.gnutls]
    with _running([*words, "--x509certfile", str(pair.certificate), "--x509keyfile", str(pair.key), *options], port):
        yield port


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    server = subprocess.Popen(
        command,
        env={**os.environ, "PATH": SEARCH_PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield
    finally:
        server.terminate()
        server.wait(timeout=10)
