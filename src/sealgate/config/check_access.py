"""Rules of the access tables: what policies, sender groups and accounts may not ask for together."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.network import WIDEST_RELAY, is_wide, network_of
from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration, Listener, MailFlowPolicy, SenderGroup
from sealgate.config.schema.kinds import EVERY_HOST


def access_problems(configuration: Configuration) -> Iterator[Problem]:
    """Every problem of the access tables."""
    policies = {policy.name: policy for policy in configuration.policies}
    for index, group in enumerate(configuration.sender_groups):
        policy = policies.get(group.policy)
        if policy is not None and policy.action == "relay":
            yield from _relaying(f"sender_groups[{index}]", group, configuration)
        if not configuration.dns.reverse:
            yield from _unnamed(f"sender_groups[{index}]", group)
    for index, listener in enumerate(configuration.listeners):
        yield from _open_listener(f"listeners[{index}]", listener, policies)
        if listener.kind == "public" and listener.auth != "off":
            yield Problem(f"listeners[{index}].auth", "a login lets a client relay, and a public listener never relays")
        if listener.auth != "off" and listener.tls == "off":
            yield Problem(f"listeners[{index}].auth", "a passphrase is taken inside TLS only, and tls is off")
    for index, policy in enumerate(configuration.policies):
        for listener in listeners_of(configuration, policy):
            yield from _policy_on(f"policies[{index}]", policy, listener)


def listeners_of(configuration: Configuration, policy: MailFlowPolicy) -> list[Listener]:
    """The listeners where hosts may come under this policy."""
    groups = [group for group in configuration.sender_groups if group.policy == policy.name]
    return [
        listener
        for listener in configuration.listeners
        if listener.policy == policy.name or any(is_for(group, listener) for group in groups)
    ]


def is_for(group: SenderGroup, listener: Listener) -> bool:
    """Whether a row of the host access table is read on this listener."""
    return not group.listeners or listener.name in group.listeners


def _relaying(path: str, group: SenderGroup, configuration: Configuration) -> Iterator[Problem]:
    public = [listener.name for listener in configuration.listeners if listener.kind == "public"]
    for place, name in enumerate(group.listeners):
        if name in public:
            yield Problem(
                f"{path}.listeners[{place}]",
                f"its policy {group.policy!r} relays, and the public listener {name!r} never does; name private ones",
            )
    for place, member in enumerate(group.members):
        network = network_of(member)
        if member == EVERY_HOST or (network is not None and is_wide(network, WIDEST_RELAY)):
            yield Problem(
                f"{path}.members[{place}]",
                f"{member} is more of the Internet than one organisation holds: with the policy {group.policy!r}, "
                "which relays, this would be an open relay; name your own networks",
            )


def _unnamed(path: str, group: SenderGroup) -> Iterator[Problem]:
    for place, member in enumerate(group.members):
        if member != EVERY_HOST and network_of(member) is None:
            yield Problem(
                f"{path}.members[{place}]",
                f"no host can be known as {member}, for names are not looked up; set dns.reverse to true",
            )


def _open_listener(path: str, listener: Listener, policies: dict[str, MailFlowPolicy]) -> Iterator[Problem]:
    policy = policies.get(listener.policy or "")
    if policy is not None and policy.action == "relay":
        yield Problem(
            f"{path}.policy",
            f"{policy.name!r} relays, and this would be for every host: an open relay; make a sender group instead",
        )


def _policy_on(path: str, policy: MailFlowPolicy, listener: Listener) -> Iterator[Problem]:
    """What a policy asks for that a listener where it is used cannot give."""
    where = f"on listener {listener.name!r}"
    tls = "required" if listener.implicit_tls else policy.tls or listener.tls
    if policy.tls not in (None, "off") and listener.tls == "off":
        yield Problem(f"{path}.tls", f"{where} tls is off: there is nothing to offer")
    if policy.tls_senders and tls == "off":
        yield Problem(f"{path}.tls_senders", f"{where} tls is off, so no mail of these senders could ever come in")
    if policy.client_certificate not in (None, "none") and tls == "off":
        yield Problem(f"{path}.client_certificate", f"{where} tls is off, and certificates are shown only in TLS")
    if policy.client_certificate == "require" and tls == "preferred":
        yield Problem(
            f"{path}.client_certificate",
            f"{where} a client could leave out TLS and its certificate; set tls to required",
        )
    if policy.client_certificate is None and listener.client_certificate == "require" and tls != "required":
        yield Problem(
            f"{path}.tls",
            f"{where} clients must show a certificate, and these could leave out TLS and it; set tls to required, or "
            "client_certificate to none",
        )
    if policy.auth not in (None, "off"):
        if listener.kind == "public":
            yield Problem(f"{path}.auth", f"{where}, a public one, nobody relays: a login would be for nothing")
        if tls == "off":
            yield Problem(f"{path}.auth", f"{where} tls is off, and a passphrase is taken inside TLS only")
    elif policy.auth is None and listener.auth == "required" and tls == "off" and listener.tls != "off":
        yield Problem(
            f"{path}.tls", f"{where} clients must log in, which they can inside TLS only; set auth to off as well"
        )
