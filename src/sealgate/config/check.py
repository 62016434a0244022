"""Rules between settings: what each alone may be, and together may not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration, Listener
from sealgate.config.schema.kinds import split_host_port
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, plan_client, plan_server


def check(configuration: Configuration, library: Library) -> tuple[Problem, ...]:
    """Every problem; none means that the configuration can run on this build, if its sockets and files are there."""
    rules = (
        _tls(configuration, library),
        _names(configuration),
        _listeners(configuration),
        _routes(configuration),
    )
    return tuple(problem for rule in rules for problem in rule)


def _tls(configuration: Configuration, library: Library) -> Iterator[Problem]:
    services = configuration.tls
    for name in ("gui_https", "inbound_smtp"):
        yield from _plan(name, plan_server, getattr(services, name), library)
    for name in ("outbound_smtp", "other_clients"):
        yield from _plan(name, plan_client, getattr(services, name), library)


def _plan(name: str, make: object, service: object, library: Library) -> Iterator[Problem]:
    try:
        make(service.policy(), library)  # type: ignore[operator, attr-defined]
    except PlanError as error:
        yield Problem(f"tls.{name}", str(error))


def _names(configuration: Configuration) -> Iterator[Problem]:
    yield from _twice("certificates", [each.name for each in configuration.certificates], "certificate profile")
    yield from _twice("listeners", [each.name for each in configuration.listeners], "listener")
    yield from _twice("destinations", [each.domain for each in configuration.destinations], "destination")
    yield from _twice("routes", [each.domain for each in configuration.routes], "route")
    known = {each.name for each in configuration.certificates}
    for index, listener in enumerate(configuration.listeners):
        for name in listener.certificates:
            if name not in known:
                yield Problem(f"listeners[{index}].certificates", f"there is no certificate profile {name!r}")
    chosen = configuration.delivery.certificate
    if chosen is not None and chosen not in known:
        yield Problem("delivery.certificate", f"there is no certificate profile {chosen!r}")


def _twice(path: str, names: Iterable[str], what: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Problem(f"{path}[{index}]", f"a second {what} has the name {name!r}")
        seen.add(name)


def _listeners(configuration: Configuration) -> Iterator[Problem]:
    places: dict[tuple[str, int], str] = {}
    for index, listener in enumerate(configuration.listeners):
        path = f"listeners[{index}]"
        yield from _listener_tls(path, listener)
        yield from _relaying(path, listener)
        for address in listener.addresses if listener.enabled else ():
            other = places.setdefault((address, listener.port), listener.name)
            if other != listener.name:
                yield Problem(path, f"{address} port {listener.port} is taken by the listener {other!r}")


def _listener_tls(path: str, listener: Listener) -> Iterator[Problem]:
    if listener.tls == "off":
        if listener.implicit_tls:
            yield Problem(f"{path}.implicit_tls", "TLS from the first byte cannot be with tls off")
        if listener.client_certificate != "none":
            yield Problem(f"{path}.client_certificate", "clients can show certificates only in TLS, which is off")
    elif not listener.certificates:
        yield Problem(f"{path}.certificates", "TLS needs a certificate profile; name one, or set tls to off")


def _relaying(path: str, listener: Listener) -> Iterator[Problem]:
    if listener.kind == "public" and listener.relay_networks:
        yield Problem(
            f"{path}.relay_networks",
            "only a private listener relays; a public one takes the accepted domains",
        )
    for network in listener.relay_networks:
        if ipaddress.ip_network(network).prefixlen == 0:
            yield Problem(f"{path}.relay_networks", f"{network} is everybody: that would be an open relay")


def _routes(configuration: Configuration) -> Iterator[Problem]:
    for index, server in enumerate(configuration.dns.servers):
        try:
            ipaddress.ip_address(split_host_port(server, 53)[0])
        except ValueError:
            yield Problem(f"dns.servers[{index}]", f"{server!r} is no address of a name server")
    delivery = configuration.delivery
    if delivery.retry_first > delivery.retry_max:
        yield Problem("delivery.retry_first", "the first wait is longer than delivery.retry_max")
