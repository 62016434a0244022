"""Rules about GUI HTTPS: what its settings may not be together."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration


def gui_problems(configuration: Configuration) -> Iterator[Problem]:
    """Every problem of the GUI by itself; places that others want too are found with those of the listeners."""
    gui = configuration.gui
    if gui.enabled and not gui.certificates:
        yield Problem(
            "gui.certificates", "HTTPS needs a certificate; name a certificate profile, or set enabled to false"
        )
    if gui.port == gui.ngui_port:
        yield Problem("gui.ngui_port", f"Classic UI has port {gui.port} already; give NGUI another one")
    if gui.session_timeout > gui.session_lifetime:
        yield Problem("gui.session_timeout", "it is longer than session_lifetime, which ends the session first")


def gui_gone(before: Configuration, after: Configuration) -> Iterator[Problem]:
    """For whoever comes by it: it must not be shut behind him."""
    if before.gui.enabled and not after.gui.enabled:
        yield Problem(
            "gui.enabled",
            "this would shut the door that you came in by; switch it off in sealgate cli, on the machine itself",
        )
