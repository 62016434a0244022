"""Who may do what on a listener: the host access table and the recipient access table. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from sealgate.config.check_access import is_for
from sealgate.config.lookup import patterns_of
from sealgate.config.network import network_of
from sealgate.config.schema import Configuration, Listener, MailFlowPolicy, RecipientRule
from sealgate.config.schema.access import AuthDemand, ClientCertificateDemand, TlsDemand
from sealgate.config.schema.kinds import EVERY_HOST
from sealgate.mail.address import Address
from sealgate.mail.host import PeerName

T = TypeVar("T")

NO_GROUP = "UNKNOWNLIST"
"""What the log calls hosts that are in no sender group."""

_NONE_GIVEN = MailFlowPolicy(name="ACCEPTED")


@dataclass(frozen=True, slots=True)
class Terms:
    """How one host is received: its mail flow policy, with all that the policy leaves open filled in by the listener.

    `group` and `match` say which row of the host access table decided. `relays`: it may send to anywhere. `unsure`: a
    row that turns hosts away by name could not be tried, for DNS did not answer; None is no limit.
    """

    listener: str
    policy: MailFlowPolicy
    group: str
    match: str
    relays: bool
    tls: TlsDemand
    client_certificate: ClientCertificateDemand
    auth: AuthDemand
    max_message_size: int
    max_recipients: int
    max_messages: int
    max_bad_recipients: int
    unsure: bool = False

    @property
    def decision(self) -> str:
        """The word of the log."""
        if self.policy.action in ("reject", "refuse"):
            return self.policy.action.upper()
        return "RELAY" if self.relays else "ACCEPT"


def terms_for(configuration: Configuration, listener: Listener, ip: str, name: PeerName | None) -> Terms | None:
    """The terms of a host; None if its `name`, which is not known yet, could decide."""
    address = _address(ip)
    policies = configuration.policy_of
    unsure = False
    for group in configuration.sender_groups:
        if not is_for(group, listener):
            continue
        policy = policies[group.policy]
        match = _member(group.members, address, name)
        if match is not None:
            return _filled(listener, policy, group.name, match, unsure=unsure)
        if any(_is_name(member) for member in group.members):
            if name is None:
                return None
            unsure = unsure or (name.unsure and policy.action in ("reject", "refuse"))
    policy = policies[listener.policy] if listener.policy else _NONE_GIVEN
    return _filled(listener, policy, NO_GROUP, EVERY_HOST, unsure=unsure)


def terms_of_probe(listener: Listener, demand: ClientCertificateDemand) -> Terms:
    """The terms of the gateway itself, when it tries a listener: past the table, TLS offered, nothing counted.

    And no mail taken: whoever came in as a trial would be past every limit, and in no log.
    """
    tls: TlsDemand = "required" if listener.tls == "required" else "preferred"
    policy = MailFlowPolicy(name="PROBE", tls=tls, client_certificate=demand)
    return replace(_filled(listener, policy, "PROBE", "probe", unsure=False), max_messages=0)


def _address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Without the zone that means something here only, and without the IPv6 clothing of an IPv4 address."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _member(
    members: Iterable[str], address: ipaddress.IPv4Address | ipaddress.IPv6Address, name: PeerName | None
) -> str | None:
    """The first member that this host is."""
    known = name.name.lower().removesuffix(".") if name is not None and name.name and name.verified else None
    for member in members:
        network = network_of(member)
        if network is not None:
            if address in network:
                return member
        elif member == EVERY_HOST or (known is not None and _is_called(known, member)):
            return member
    return None


def _is_called(name: str, member: str) -> bool:
    return name.endswith(member) if member.startswith(".") else name == member


def _is_name(member: str) -> bool:
    return member != EVERY_HOST and network_of(member) is None


def _filled(listener: Listener, policy: MailFlowPolicy, group: str, match: str, *, unsure: bool) -> Terms:
    return Terms(
        listener=listener.name,
        policy=policy,
        group=group,
        match=match,
        relays=policy.action == "relay" and listener.kind == "private",
        tls="required" if listener.implicit_tls else _first(policy.tls, listener.tls),
        client_certificate=_first(policy.client_certificate, listener.client_certificate),
        auth=_first(policy.auth, listener.auth),
        max_message_size=_first(policy.max_message_size, listener.max_message_size),
        max_recipients=_first(policy.max_recipients, listener.max_recipients),
        max_messages=_first(policy.max_messages, listener.max_messages),
        max_bad_recipients=_first(policy.max_bad_recipients, listener.max_bad_recipients),
        unsure=unsure,
    )


def _first(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def rule_for(configuration: Configuration, recipient: Address) -> RecipientRule | None:
    """The closest row of the recipient access table, or None if none is for this recipient."""
    listed = configuration.recipient_rule_of
    return next((listed[pattern] for pattern in _patterns(recipient) if pattern in listed), None)


def names_address(patterns: Iterable[str], address: Address) -> bool:
    """Whether one of these patterns (an address, user@, a domain, .domain) is for this address."""
    return not {pattern.lower() for pattern in patterns}.isdisjoint(_patterns(address))


def _patterns(address: Address) -> Iterator[str]:
    """Every way in which a row may name this address, the closest one first, whatever its case and needless quotes."""
    local = address.local_key
    yield f"{local}@{address.domain_key}"
    yield f"{local}@"
    yield from patterns_of(address.domain_key)
