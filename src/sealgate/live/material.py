"""Certificates and keys as texts: read once, by one process, so that every other works with the same bytes."""

from __future__ import annotations

import os
import stat

from sealgate.config.schema import CertificateProfile, Configuration

LARGEST = 4 * 1024 * 1024
"""Bytes of a file of certificates or of a key. The CA certificates of a whole system are a quarter of a MB."""


class _Unusable(ValueError):
    """A file that cannot be what is looked for; the end of a sentence."""


def read_material(configuration: Configuration) -> dict[str, dict[str, str]]:
    """Every certificate profile's PEM texts; one whose files cannot be read carries a `fault` instead."""
    return {profile.name: _read(profile) for profile in configuration.certificates}


def read_trust(configuration: Configuration) -> dict[str, dict[str, str]]:
    """The CA certificates of every file that a setting names; by content, so that a changed file counts."""
    files = {configuration.delivery.trust_file, *(each.client_trust_file for each in configuration.listeners)}
    return {file: _read_trust(file) for file in files if file is not None}


def _read_trust(file: str) -> dict[str, str]:
    try:
        return {"pem": _text_of(file)}
    except (OSError, ValueError) as error:
        return {"fault": f"cannot read the CA certificates in {file}: {_reason(error)}"}


def _read(profile: CertificateProfile) -> dict[str, str]:
    if profile.certificate is not None and profile.key is not None:
        return {"certificate": profile.certificate, "key": profile.key}
    texts: dict[str, str] = {}
    for what, name in (("certificate", profile.certificate_file), ("key", profile.key_file)):
        try:
            texts[what] = _text_of(name or "")
        except (OSError, ValueError) as error:
            sentence = f"cannot read the {what} file {name}: {_reason(error)}"
            return {"fault": f"certificate profile '{profile.name}': {sentence}"}
    return texts


def _text_of(path: str) -> str:
    """What is in a file. Only of one that ends: nothing waits here for a pipe, or reads a device."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _Unusable("it is no file")
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _Unusable(f"it has more than {LARGEST >> 20} MB")
    return data.decode("ascii").replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, _Unusable) else "it is not PEM text"
