"""What all tests share: programs that may be missing, the long forms, and the peers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import pytest
from hypothesis import settings

from tests.peers import certificate
from tests.peers import exim as private_exim
from tests.peers import opensmtpd as private_opensmtpd
from tests.peers import postfix as private_postfix
from tests.peers.programs import why_missing

Server = TypeVar("Server")

settings.register_profile("soak", max_examples=5000, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make soak` is `pytest --soak`."""
    parser.addoption("--soak", action="store_true", help="run the long forms of the tests that have one")


def pytest_configure(config: pytest.Config) -> None:
    """Property tests try many more examples in a soak."""
    if config.getoption("--soak"):
        settings.load_profile("soak")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.needs("swaks", "root")`: run only where they are."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            require(name)


def require(name: str) -> None:
    """Skip the running test, saying why, when `name` is missing; under CI=true that is a failure."""
    if reason := why_missing(name):
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """True when the long form is asked for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def peer_certificate(tmp_path_factory: pytest.TempPathFactory) -> certificate.KeyPair:
    """An RSA certificate for peer.example and 127.0.0.1, its own trust anchor."""
    return certificate.self_signed(tmp_path_factory.mktemp("peer-certificate"))


@pytest.fixture
def postfix() -> Iterator[Callable[..., private_postfix.Postfix]]:
    """Start private Postfixes, `postfix(Service("encrypt", Versions("1.0", "1.2")))`: tests.peers.postfix.running."""
    yield from _starter("postfix", private_postfix.running)


@pytest.fixture
def exim() -> Iterator[Callable[..., private_exim.Exim]]:
    """Start private Exims: tests.peers.exim.running."""
    yield from _starter("exim", private_exim.running)


@pytest.fixture
def opensmtpd() -> Iterator[Callable[..., private_opensmtpd.OpenSmtpd]]:
    """Start private OpenSMTPDs: tests.peers.opensmtpd.running."""
    yield from _starter("opensmtpd", private_opensmtpd.running)


def _starter(name: str, running: Callable[..., AbstractContextManager[Server]]) -> Iterator[Callable[..., Server]]:
    require(name)
    with ExitStack() as servers:

        def start(*what: Any, **how: Any) -> Server:
            return servers.enter_context(running(*what, **how))

        yield start
