"""GUI HTTPS of a revision made usable: its contexts, and the names that it is called by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealgate.config.schema import Configuration, GuiSettings
from sealgate.config.schema.gui import CLASSIC
from sealgate.live.keys import Keys
from sealgate.net.tls.context import ContextError, ServerContexts, build_server
from sealgate.net.tls.credential import Credential, CredentialError
from sealgate.tls.library import Library
from sealgate.tls.plan import PlanError, plan_server


@dataclass(frozen=True, slots=True)
class LiveGui:
    """The GUI: its settings, its contexts while it is served, or why it cannot be.

    `names` are those that browsers may call it by, in lower case, `*.` before some. `hsts` is what browsers are told of
    it, in seconds. `doubt` is why a commit is refused although it could be served.
    """

    settings: GuiSettings
    contexts: ServerContexts | None = None
    names: frozenset[str] = frozenset()
    hsts: int = 0
    fault: str | None = None
    doubt: str | None = None


def build_gui(configuration: Configuration, keys: Keys, library: Library, previous: LiveGui | None) -> LiveGui:
    """Contexts of `previous` whose plan and keys are the same are kept, so that their tickets stay good."""
    settings = configuration.gui
    if not settings.enabled:
        return LiveGui(settings)
    try:
        chosen = keys.credentials_of(settings.certificates, CLASSIC)
        plan = plan_server(configuration.tls.gui_https.policy(), library)
        before = previous.contexts if previous is not None else None
        kept = before is not None and before.made_of(plan, chosen, None)
        contexts = before if kept else build_server(plan, chosen, None, CLASSIC)
    except (PlanError, ContextError, CredentialError) as error:
        return LiveGui(settings, fault=str(error))
    names = frozenset(name.lower() for name in ("localhost", configuration.gateway.hostname, *settings.hostnames))
    doubt = _doubt(settings, chosen)
    hsts = 0 if doubt else int(settings.hsts_max_age)
    return LiveGui(settings, contexts, names.union(*(each.names for each in chosen)), hsts, doubt=doubt)


def _doubt(settings: GuiSettings, chosen: Sequence[Credential]) -> str | None:
    """RFC 6797 §8.4: under HSTS a browser lets nobody past a certificate that it does not trust."""
    own = [each.profile for each in chosen if each.chain[0].issuer == each.chain[0].subject]
    if not settings.hsts_max_age or not own:
        return None
    return (
        f"{CLASSIC}: certificate profile '{own[0]}' is self-signed, and with hsts_max_age browsers let nobody past it; "
        "set hsts_max_age to 0, or use a certificate of an authority"
    )
