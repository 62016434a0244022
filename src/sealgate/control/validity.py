"""Certificates outside their time: what a commit brings into use must be valid now."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

from sealgate.config.problem import Problem
from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.live.keys import read_keys


def out_of_time(
    payload: dict[str, Any], configuration: Configuration, known: Collection[CertificateProfile], now: datetime.datetime
) -> tuple[Problem, ...]:
    """A sentence for each certificate that comes into use and has expired, or is not valid yet.

    One that is `known`, for it was in use before, is no reason to refuse another change: it may be the very change
    that is needed.
    """
    credentials = read_keys(payload["material"], payload["trust"]).credentials
    problems = []
    for index, profile in enumerate(configuration.certificates):
        credential = credentials.get(profile.name)
        if credential is None or profile not in used(configuration) or profile in known:
            continue
        leaf, path = credential.chain[0], f"certificates[{index}]"
        if leaf.not_valid_after_utc <= now:
            problems.append(Problem(path, f"{profile.name!r} expired on {leaf.not_valid_after_utc:%Y-%m-%d}; renew it"))
        elif leaf.not_valid_before_utc > now:
            sentence = f"{profile.name!r} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            problems.append(Problem(path, f"{sentence}; wait, or look at this machine's clock"))
    return tuple(problems)


def used(configuration: Configuration) -> list[CertificateProfile]:
    """The profiles that something uses."""
    names = {name for listener in configuration.listeners for name in listener.certificates}
    names |= {configuration.delivery.certificate or "", *configuration.gui.certificates}
    return [profile for profile in configuration.certificates if profile.name in names]
