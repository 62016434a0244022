"""What a change takes from those who come in by GUI HTTPS: the operator who makes it may be one of them."""

from __future__ import annotations

from collections.abc import Iterator

from sealgate.config.problem import Problem
from sealgate.config.schema import Configuration

_WAY_BACK = "if yours is one, use commit confirmed, which comes back by itself"


def narrowings(before: Configuration, after: Configuration) -> Iterator[Problem]:
    """Of versions and ciphers that are withdrawn; nothing where there are no pages, before or after."""
    if not (before.gui.enabled and after.gui.enabled):
        return
    was, becomes = before.tls.gui_https, after.tls.gui_https
    gone = [f"TLS {version}" for version in was.versions if version not in becomes.versions]
    if gone:
        who = f"a browser or program that needs {' or '.join(gone)} gets in no more"
        yield Problem("tls.gui_https.versions", f"{who}; {_WAY_BACK}")
    if was.ciphers != becomes.ciphers:
        who = "a browser or program of TLS 1.2 or older that has none of these suites gets in no more"
        yield Problem("tls.gui_https.ciphers", f"{who}; {_WAY_BACK}")
