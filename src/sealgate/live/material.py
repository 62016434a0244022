"""Certificates and keys as texts: read once, by one process, so that every other works with the same bytes."""

from __future__ import annotations

from pathlib import Path

from sealgate.config.schema import CertificateProfile, Configuration


def read_material(configuration: Configuration) -> dict[str, dict[str, str]]:
    """Every certificate profile's PEM texts; one whose files cannot be read carries a `fault` instead."""
    return {profile.name: _read(profile) for profile in configuration.certificates}


def read_trust(configuration: Configuration) -> dict[str, dict[str, str]]:
    """The CA certificates of every file that a setting names; by content, so that a changed file counts."""
    files = {configuration.delivery.trust_file, *(each.client_trust_file for each in configuration.listeners)}
    return {file: _read_trust(file) for file in files if file is not None}


def _read_trust(file: str) -> dict[str, str]:
    try:
        return {"pem": Path(file).read_text("ascii")}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not PEM text"
        return {"fault": f"cannot read the CA certificates in {file}: {reason}"}


def _read(profile: CertificateProfile) -> dict[str, str]:
    if profile.certificate is not None and profile.key is not None:
        return {"certificate": profile.certificate, "key": profile.key}
    texts: dict[str, str] = {}
    for what, name in (("certificate", profile.certificate_file), ("key", profile.key_file)):
        try:
            texts[what] = Path(name or "").read_text("ascii")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not PEM text"
            return {"fault": f"certificate profile '{profile.name}': cannot read the {what} file {name}: {reason}"}
    return texts
