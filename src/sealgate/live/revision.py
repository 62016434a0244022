"""A revision made usable: TLS contexts for each listener and for delivery, beside the settings they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealgate.config.schema import Configuration, Listener
from sealgate.net.tls.context import ClientContext, ContextError, ServerContexts, build_client, build_server
from sealgate.net.tls.credential import Credential, CredentialError, read_credential
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, plan_client, plan_server
from sealgate.tls.policy import ClientCertificate


class LiveError(ValueError):
    """A revision that cannot run, with a sentence for every part that stands in the way."""

    def __init__(self, sentences: tuple[str, ...]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class LiveListener:
    """One listener: its settings, its contexts if it speaks TLS, or why it cannot be served."""

    settings: Listener
    contexts: ServerContexts | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class LiveRevision:
    """All that a worker reads of the configuration while it works."""

    number: int
    configuration: Configuration
    listeners: Mapping[str, LiveListener]
    outbound: ClientContext | None
    outbound_fault: str | None


class Current:
    """The revision in force. Everything asks it at the moment of need; a swap is one assignment."""

    def __init__(self, revision: LiveRevision) -> None:
        self.revision = revision

    def listener(self, name: str) -> LiveListener | None:
        """The listener of that name in the revision in force, or None if it has been removed."""
        return self.revision.listeners.get(name)


Material = Mapping[str, Mapping[str, str]]
"""Certificate profile -> {"certificate": PEM, "key": PEM}: what control read once and every process uses."""


def build(payload: Mapping[str, Any], library: Library, previous: LiveRevision | None) -> LiveRevision:
    """Make a payload live, as far as it goes: a part with bad TLS material carries its fault instead of contexts.

    Contexts of `previous` whose plan and keys are the same are kept, so that their tickets stay good.
    """
    configuration = Configuration.model_validate(payload["configuration"])
    credentials, faults = _credentials(payload["material"])
    listeners = {
        settings.name: _listener(settings, configuration, credentials, faults, library, previous)
        for settings in configuration.listeners
        if settings.enabled
    }
    outbound, outbound_fault = _outbound(configuration, credentials, faults, library, previous)
    return LiveRevision(payload["revision"], configuration, listeners, outbound, outbound_fault)


def faults_of(revision: LiveRevision) -> tuple[str, ...]:
    """Every reason why a part of this revision cannot be served; a commit with any is refused."""
    found = [listener.fault for listener in revision.listeners.values() if listener.fault]
    if revision.outbound_fault:
        found.append(revision.outbound_fault)
    return tuple(found)


def _credentials(material: Material) -> tuple[dict[str, Credential], dict[str, str]]:
    credentials: dict[str, Credential] = {}
    faults: dict[str, str] = {}
    for profile, texts in material.items():
        try:
            if "fault" in texts:
                raise CredentialError(texts["fault"])
            credentials[profile] = read_credential(profile, texts["certificate"].encode(), texts["key"].encode())
        except CredentialError as error:
            faults[profile] = str(error)
    return credentials, faults


def _chosen(
    names: tuple[str, ...], credentials: Mapping[str, Credential], faults: Mapping[str, str], service: str
) -> list[Credential]:
    for name in names:
        if name not in credentials:
            reason = faults.get(name, f"there is no certificate profile '{name}'")
            raise ContextError(f"{service} is not started: {reason}")
    return [credentials[name] for name in names]


def _listener(
    settings: Listener,
    configuration: Configuration,
    credentials: Mapping[str, Credential],
    faults: Mapping[str, str],
    library: Library,
    previous: LiveRevision | None,
) -> LiveListener:
    service = f"listener '{settings.name}'"
    if settings.tls == "off":
        return LiveListener(settings, None)
    try:
        policy = configuration.tls.inbound_smtp.policy(ClientCertificate(settings.client_certificate))
        plan = plan_server(policy, library)
        chosen = _chosen(settings.certificates, credentials, faults, service)
        before = previous.listeners.get(settings.name) if previous is not None else None
        trust = Path(settings.client_trust_file) if settings.client_trust_file else None
        if before is not None and before.contexts is not None and _same_server(before, settings, plan, chosen):
            return LiveListener(settings, before.contexts)
        return LiveListener(settings, build_server(plan, chosen, trust, service))
    except (PlanError, ContextError) as error:
        return LiveListener(settings, None, str(error))


def _same_server(before: LiveListener, settings: Listener, plan: object, chosen: list[Credential]) -> bool:
    contexts = before.contexts
    return (
        contexts is not None
        and contexts.plan == plan
        and contexts.fingerprints == tuple(each.fingerprint for each in chosen)
        and before.settings.client_trust_file == settings.client_trust_file
    )


def _outbound(
    configuration: Configuration,
    credentials: Mapping[str, Credential],
    faults: Mapping[str, str],
    library: Library,
    previous: LiveRevision | None,
) -> tuple[ClientContext | None, str | None]:
    service = "delivery"
    delivery = configuration.delivery
    try:
        plan = plan_client(configuration.tls.outbound_smtp.policy(), library)
        names = (delivery.certificate,) if delivery.certificate else ()
        chosen = _chosen(names, credentials, faults, service)
        fingerprint = tuple(each.fingerprint for each in chosen)
        if previous is not None and previous.outbound is not None:
            same_trust = previous.configuration.delivery.trust_file == delivery.trust_file
            if same_trust and previous.outbound.plan == plan and previous.outbound.fingerprint == fingerprint:
                return previous.outbound, None
        trust = Path(delivery.trust_file) if delivery.trust_file else None
        return build_client(plan, chosen[0] if chosen else None, trust, service), None
    except (PlanError, ContextError) as error:
        return None, str(error)
