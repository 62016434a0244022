"""What certificate profiles hold, for an operator to look at: everything but the keys."""

from __future__ import annotations

import datetime
from typing import Any

from sealgate.config.schema import CertificateProfile, Configuration
from sealgate.config.usage import users_of
from sealgate.live.material import read_material
from sealgate.net.tls.certificate import doubts, facts_of
from sealgate.net.tls.credential import Credential, CredentialError, read_credential
from sealgate.net.tls.request import request_for


def told_certificates(
    configuration: Configuration, now: datetime.datetime, only: str | None = None
) -> list[dict[str, Any]]:
    """Each profile in values that JSON knows; `only` one, with its chain and a request for a new certificate."""
    profiles = [each for each in configuration.certificates if only in (None, each.name)]
    material = read_material(configuration)
    return [_told(configuration, each, material[each.name], now, whole=only is not None) for each in profiles]


def _told(
    configuration: Configuration,
    profile: CertificateProfile,
    texts: dict[str, str],
    now: datetime.datetime,
    *,
    whole: bool,
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": profile.name,
        "used_by": list(users_of(configuration, profile.name)),
        "files": [profile.certificate_file, profile.key_file] if profile.certificate_file else None,
        "fault": texts.get("fault"),
    }
    if told["fault"] is not None:
        return told
    try:
        credential = read_credential(profile.name, texts["certificate"].encode(), texts["key"].encode())
    except CredentialError as error:
        return {**told, "fault": str(error)}
    told |= _facts(credential, configuration.gateway.hostname, now)
    return told | {"chain": texts["certificate"], "request": request_for(credential)} if whole else told


def _facts(credential: Credential, host: str, now: datetime.datetime) -> dict[str, Any]:
    leaf = credential.chain[0]
    facts = facts_of(leaf)
    return {
        "common_name": facts.common_name,
        "issuer": facts.issuer,
        "names": list(facts.names),
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "days": facts.days_left(now),
        "valid": facts.not_before <= now < facts.not_after,
        "key": facts.key,
        "self_signed": facts.self_signed,
        "sha256": facts.sha256,
        "serial": facts.serial,
        "intermediates": len(credential.chain) - 1,
        "doubts": list(doubts(leaf, host, now)),
    }
