"""What a configuration allows that an administrator should know: nothing here keeps it from running."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.check import planned
from sealgate.config.lookup import route_for
from sealgate.config.network import WIDE_RELAY, is_wide, network_of
from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration, Listener
from sealgate.tls.library import Library
from sealgate.tls.plan import TlsPlan
from sealgate.tls.verdict import weaknesses as policy_weaknesses
from sealgate.tls.version import ProtocolVersion


def weaknesses(configuration: Configuration, library: Library) -> tuple[Problem, ...]:
    """Every remark, with the setting that it is about."""
    found = [*_gateway(configuration), *_tls(configuration, library), *_gui(configuration)]
    for index, listener in enumerate(configuration.listeners):
        if listener.enabled:
            found += _listener(f"listeners[{index}]", listener)
    return (*found, *_access(configuration), *_delivery(configuration))


def _gateway(configuration: Configuration) -> Iterator[Problem]:
    gateway = configuration.gateway
    if "." not in gateway.hostname:
        yield Problem("gateway.hostname", "a name without a dot is refused by many peers (RFC 5321 §2.3.5)")
    if not any(listener.enabled for listener in configuration.listeners):
        yield Problem("listeners", "no listener is enabled: no mail comes in")
    for index, domain in enumerate(gateway.accepted_domains):
        recipient_domain = f"any{domain}" if domain.startswith(".") else domain
        if route_for(configuration, recipient_domain) is None:
            yield Problem(
                f"gateway.accepted_domains[{index}]",
                f"mail for {domain} goes by MX; if that is this gateway, mail goes round until it bounces: add a route",
            )


def _tls(configuration: Configuration, library: Library) -> Iterator[Problem]:
    for path, service, plan in planned(configuration.tls, library):
        for sentence in policy_weaknesses(service.policy()):
            yield Problem(f"{path}.versions", sentence)
        for note in plan.notes if isinstance(plan, TlsPlan) else ():
            yield Problem(f"{path}.ciphers", note)


def _gui(configuration: Configuration) -> Iterator[Problem]:
    if not configuration.gui.enabled:
        yield Problem("gui.enabled", "there are neither pages nor a REST API; sealgate cli is the way to this gateway")
    elif configuration.tls.gui_https.selection.highest <= ProtocolVersion.TLS1_1:
        yield Problem("tls.gui_https.versions", "no current browser opens the pages: they all need TLS 1.2 or 1.3")


def _listener(path: str, listener: Listener) -> Iterator[Problem]:
    if listener.tls == "off":
        yield Problem(f"{path}.tls", "all mail comes in clear text, for anyone on the way to read and change")
    if listener.kind == "private" and listener.tls == "preferred":
        yield Problem(f"{path}.tls", "clients that do not ask for TLS send in clear text")
    if listener.kind == "public" and listener.tls == "required":
        yield Problem(
            f"{path}.tls", "servers without STARTTLS cannot send here; an MX must not require it (RFC 3207 §4)"
        )
    if listener.bare_line_endings == "allow":
        yield Problem(
            f"{path}.bare_line_endings",
            "bare CR and LF pass on, and the next server may see the end of a message in them (SMTP smuggling)",
        )
    if listener.auth != "off" and not listener.sender_must_match:
        yield Problem(f"{path}.sender_must_match", "whoever can log in may send in the name of anyone")


def _access(configuration: Configuration) -> Iterator[Problem]:
    relaying = {policy.name for policy in configuration.policies if policy.action == "relay"}
    for index, group in enumerate(configuration.sender_groups):
        for place, member in enumerate(group.members if group.policy in relaying else ()):
            path = f"sender_groups[{index}].members[{place}]"
            network = network_of(member)
            if network is None:
                yield Problem(path, f"whoever owns the name {member} and its addresses may send to anyone through here")
            elif is_wide(network, WIDE_RELAY):
                yield Problem(path, f"every host in {member} may send to anyone through here")
    for index, rule in enumerate(configuration.recipient_access):
        if rule.action == "accept" and rule.recipient.endswith("@"):
            yield Problem(
                f"recipient_access[{index}].recipient",
                f"anyone may send to {rule.recipient} in every domain of the Internet through here",
            )
    for index, account in enumerate(configuration.accounts):
        if not account.senders and "@" not in account.name:
            yield Problem(
                f"accounts[{index}].senders",
                f"the login {account.name!r} is no address: where senders must match, it can send nothing",
            )


def _delivery(configuration: Configuration) -> Iterator[Problem]:
    if configuration.delivery.tls == "no":
        yield Problem("delivery.tls", "mail leaves in clear text even to servers that offer TLS")
    for index, destination in enumerate(configuration.destinations):
        if destination.tls == "no":
            yield Problem(f"destinations[{index}].tls", f"mail to {destination.domain} leaves in clear text")
