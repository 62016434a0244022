"""Rules between settings: what each alone may be, and together may not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sealgate.config.check_access import access_problems, listeners_of
from sealgate.config.check_gui import gui_problems
from sealgate.config.check_operators import operator_problems
from sealgate.config.problem import Problem
from sealgate.config.references import unknown_names
from sealgate.config.schema import Configuration, Listener, TlsService, TlsSettings
from sealgate.config.schema.base import Row
from sealgate.config.schema.delivery import MX
from sealgate.config.schema.gui import CLASSIC, NGUI
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, TlsPlan, plan_client, plan_server


def check(configuration: Configuration, library: Library) -> tuple[Problem, ...]:
    """Every problem; none means that the configuration can run on this build, if its sockets and files are there."""
    rules = (
        *(_unique, _certificates, _references, _listeners, gui_problems, _endpoints),
        *(access_problems, operator_problems, _delivery, _routes),
    )
    found = [problem for rule in rules for problem in rule(configuration)]
    return (*found, *_tls(configuration, library))


def planned(tls: TlsSettings, library: Library) -> Iterator[tuple[str, TlsService, TlsPlan | PlanError]]:
    """Each TLS service with its path, and what OpenSSL would be told for it, or why nothing can be."""
    services = (
        ("gui_https", tls.gui_https, plan_server),
        ("inbound_smtp", tls.inbound_smtp, plan_server),
        ("outbound_smtp", tls.outbound_smtp, plan_client),
        ("other_clients", tls.other_clients, plan_client),
    )
    for name, service, plan in services:
        try:
            yield f"tls.{name}", service, plan(service.policy(), library)
        except PlanError as error:
            yield f"tls.{name}", service, error


def _tls(configuration: Configuration, library: Library) -> Iterator[Problem]:
    for path, _, plan in planned(configuration.tls, library):
        if isinstance(plan, PlanError):
            yield Problem(path, str(plan))


_OF_ANY_CASE = ("accounts", "recipient_access")
"""Tables whose rows are found whatever case a client writes: two that differ in case alone would hide each other."""


def _unique(configuration: Configuration) -> Iterator[Problem]:
    tables: tuple[tuple[str, tuple[Row, ...]], ...] = (
        ("certificates", configuration.certificates),
        ("listeners", configuration.listeners),
        ("policies", configuration.policies),
        ("sender_groups", configuration.sender_groups),
        ("recipient_access", configuration.recipient_access),
        ("accounts", configuration.accounts),
        ("operators", configuration.operators),
        ("destinations", configuration.destinations),
        ("routes", configuration.routes),
    )
    for table, rows in tables:
        seen: Counter[str] = Counter()
        for index, row in enumerate(rows):
            name = str(getattr(row, row.identity))
            known = name.lower() if table in _OF_ANY_CASE else name
            if seen[known]:
                yield Problem(f"{table}[{index}].{row.identity}", f"{name!r} stands here a second time; keep one row")
            seen[known] += 1


def _certificates(configuration: Configuration) -> Iterator[Problem]:
    """Each profile is whole, in one of its two ways."""
    for index, profile in enumerate(configuration.certificates):
        stored = profile.certificate is not None, profile.key is not None
        filed = profile.certificate_file is not None, profile.key_file is not None
        if (stored, filed) not in (((True, True), (False, False)), ((False, False), (True, True))):
            sentence = "give either certificate and key, or certificate_file and key_file"
            yield Problem(f"certificates[{index}]", f"{profile.name!r} is not one whole profile; {sentence}")


def _references(configuration: Configuration) -> Iterator[Problem]:
    yield from unknown_names(configuration.model_dump(mode="json"))


def _listeners(configuration: Configuration) -> Iterator[Problem]:
    for index, listener in enumerate(configuration.listeners):
        path = f"listeners[{index}]"
        yield from _listener_tls(path, listener)
        if listener.client_trust_file is not None and not _asks_for_certificates(configuration, listener):
            yield Problem(f"{path}.client_trust_file", "nothing is verified with it while client_certificate is none")
        if listener.idle_timeout > listener.session_timeout:
            yield Problem(f"{path}.idle_timeout", "it is longer than session_timeout, which ends the session first")


def _asks_for_certificates(configuration: Configuration, listener: Listener) -> bool:
    """Whether some client of this listener is asked for one, by the listener or by a mail flow policy."""
    policies = [policy for policy in configuration.policies if listener in listeners_of(configuration, policy)]
    demands = [listener.client_certificate, *(policy.client_certificate for policy in policies)]
    return any(demand not in (None, "none") for demand in demands)


def _listener_tls(path: str, listener: Listener) -> Iterator[Problem]:
    if listener.tls != "off" and not listener.certificates:
        yield Problem(f"{path}.certificates", "TLS needs a certificate; name a certificate profile, or set tls to off")
    if listener.implicit_tls and listener.tls != "required":
        yield Problem(f"{path}.tls", "with implicit_tls there is no session without TLS; set tls to required")
    if listener.client_certificate != "none" and listener.tls == "off":
        yield Problem(f"{path}.client_certificate", "clients show certificates only in TLS, and tls is off")
    if listener.client_certificate == "require" and listener.tls == "preferred":
        yield Problem(
            f"{path}.client_certificate", "a client could leave out TLS and its certificate; set tls to required"
        )


def _endpoints(configuration: Configuration) -> Iterator[Problem]:
    """No two of what is enabled want the same address and port; 0.0.0.0 and :: want every one of their family."""
    taken: list[tuple[str, str, int]] = []
    for path, owner, address, port in _places(configuration):
        for name, other, used in taken:
            if port == used and _overlap(address, other):
                sentence = f"{address} port {port} is already listened on by {name} at {other}; change one of them"
                yield Problem(path, sentence)
        taken.append((owner, address, port))


def _places(configuration: Configuration) -> Iterator[tuple[str, str, str, int]]:
    """Every address and port that is listened on, with its setting and who listens there."""
    for index, listener in enumerate(configuration.listeners):
        for place, address in enumerate(listener.addresses if listener.enabled else ()):
            yield f"listeners[{index}].addresses[{place}]", repr(listener.name), address, listener.port
    gui = configuration.gui
    for address in gui.addresses if gui.enabled else ():
        yield "gui.port", CLASSIC, address, gui.port
        if gui.ngui_port != gui.port:
            yield "gui.ngui_port", NGUI, address, gui.ngui_port


def _overlap(address: str, other: str) -> bool:
    same_family = (":" in address) == (":" in other)
    return address == other or (same_family and bool({address, other} & {"0.0.0.0", "::"}))


def _delivery(configuration: Configuration) -> Iterator[Problem]:
    delivery = configuration.delivery
    if delivery.retry_first > delivery.retry_max:
        yield Problem("delivery.retry_first", "the first wait is longer than retry_max, the longest one")


def _routes(configuration: Configuration) -> Iterator[Problem]:
    own = {
        (address, listener.port): listener.name
        for listener in configuration.listeners
        if listener.enabled
        for address in listener.addresses
    }
    for index, route in enumerate(configuration.routes):
        if MX in route.hosts and len(route.hosts) > 1:
            yield Problem(f"routes[{index}].hosts", "mx stands alone: a route either asks DNS or names hosts")
            continue
        for place, target in enumerate(route.targets or ()):
            if target in own:
                yield Problem(
                    f"routes[{index}].hosts[{place}]",
                    f"this is the gateway's own listener {own[target]!r}: mail would go round; name the next server",
                )
