"""A revision made usable: TLS contexts for listeners, delivery and the GUI, beside the settings they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealgate.config.check_access import listeners_of
from sealgate.config.schema import Configuration, Listener
from sealgate.live.gui import LiveGui, build_gui
from sealgate.live.keys import Keys, read_keys
from sealgate.net.tls.context import ClientContext, ContextError, ServerContexts, build_client, build_server
from sealgate.net.tls.credential import CredentialError
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
    """One listener: its settings, its contexts if it speaks TLS, or why it cannot be served.

    There are contexts for each way in which its clients may be asked for a certificate: mail flow policies differ.
    """

    settings: Listener
    contexts: Mapping[ClientCertificate, ServerContexts]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class LiveRevision:
    """All that a process reads of the configuration while it works."""

    number: int
    configuration: Configuration
    listeners: Mapping[str, LiveListener]
    outbound: ClientContext | None
    outbound_fault: str | None
    gui: LiveGui


class Current:
    """The revision in force. Everything asks it at the moment of need; a swap is one assignment."""

    def __init__(self, revision: LiveRevision) -> None:
        self.revision = revision

    def listener(self, name: str) -> LiveListener | None:
        """The listener of that name in the revision in force, or None if it has been removed."""
        return self.revision.listeners.get(name)


def build(payload: Mapping[str, Any], library: Library, previous: LiveRevision | None) -> LiveRevision:
    """Make a payload live, as far as it goes: a part with bad TLS material carries its fault instead of contexts.

    Contexts of `previous` whose plan and keys are the same are kept, so that their tickets stay good.
    """
    configuration = Configuration.model_validate(payload["configuration"])
    keys = read_keys(payload["material"], payload["trust"])
    listeners = {
        settings.name: _listener(settings, configuration, keys, library, previous)
        for settings in configuration.listeners
        if settings.enabled
    }
    outbound, outbound_fault = _outbound(configuration, keys, library, previous)
    gui = build_gui(configuration, keys, library, None if previous is None else previous.gui)
    return LiveRevision(payload["revision"], configuration, listeners, outbound, outbound_fault, gui)


def faults_of(revision: LiveRevision) -> tuple[str, ...]:
    """Every reason why a part of this revision cannot be served; a commit with any is refused."""
    found = [listener.fault for listener in revision.listeners.values() if listener.fault]
    if revision.outbound_fault:
        found.append(revision.outbound_fault)
    return (*found, *(each for each in (revision.gui.fault, revision.gui.doubt) if each))


def _listener(
    settings: Listener,
    configuration: Configuration,
    keys: Keys,
    library: Library,
    previous: LiveRevision | None,
) -> LiveListener:
    service = f"listener '{settings.name}'"
    if settings.tls == "off":
        return LiveListener(settings, {})
    before = previous.listeners.get(settings.name) if previous is not None else None
    contexts: dict[ClientCertificate, ServerContexts] = {}
    try:
        chosen = keys.credentials_of(settings.certificates, service)
        trust = keys.trust_of(settings.client_trust_file, service)
        for demand in demands_of(settings, configuration):
            plan = plan_server(configuration.tls.inbound_smtp.policy(demand), library)
            old = before.contexts.get(demand) if before is not None else None
            kept = old is not None and old.made_of(plan, chosen, trust)
            contexts[demand] = old if old is not None and kept else build_server(plan, chosen, trust, service)
    except (PlanError, ContextError, CredentialError) as error:
        return LiveListener(settings, {}, str(error))
    return LiveListener(settings, contexts)


def demands_of(settings: Listener, configuration: Configuration) -> set[ClientCertificate]:
    """Every way in which some client of this listener is asked for a certificate."""
    policies = [each for each in configuration.policies if settings in listeners_of(configuration, each)]
    given = [each.client_certificate for each in policies if each.client_certificate is not None]
    return {ClientCertificate(each) for each in (settings.client_certificate, *given)}


def _outbound(
    configuration: Configuration, keys: Keys, library: Library, previous: LiveRevision | None
) -> tuple[ClientContext | None, str | None]:
    service = "delivery"
    settings = configuration.delivery
    try:
        plan = plan_client(configuration.tls.outbound_smtp.policy(), library)
        chosen = keys.credentials_of((settings.certificate,) if settings.certificate else (), service)
        trust = keys.trust_of(settings.trust_file, service)
        before = previous.outbound if previous is not None else None
        if before is not None and before.made_of(plan, chosen, trust):
            return before, None
        return build_client(plan, chosen[0] if chosen else None, trust, service), None
    except (PlanError, ContextError, CredentialError) as error:
        return None, str(error)
