"""Certificates, keys and trusted authorities of a payload, ready to be asked for by the services that use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sealgate.net.tls.credential import Credential, CredentialError, read_credential

Texts = Mapping[str, Mapping[str, str]]
"""By name: the PEM texts that were read, or the `fault` met in reading them."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What could be read, and why the rest could not."""

    credentials: Mapping[str, Credential]
    trust: Mapping[str, bytes]
    faults: Mapping[str, str]

    def credentials_of(self, profiles: tuple[str, ...], service: str) -> list[Credential]:
        """The credentials of these profiles; `CredentialError` says which cannot be had, and what that stops."""
        for profile in profiles:
            if profile not in self.credentials:
                reason = self.faults.get(profile, f"there is no certificate profile '{profile}'")
                raise CredentialError(f"{service} is not started: {reason}")
        return [self.credentials[profile] for profile in profiles]

    def trust_of(self, file: str | None, service: str) -> bytes | None:
        """The authorities of a file, None for those of the system; `CredentialError` if the file was not read."""
        if file is None:
            return None
        if file not in self.trust:
            raise CredentialError(f"{service} is not started: {self.faults.get(file, f'{file} was not read')}")
        return self.trust[file]


def read_keys(material: Texts, trust: Texts) -> Keys:
    """Read what a payload carries; what is unreadable becomes a fault, for those who ask for it."""
    credentials: dict[str, Credential] = {}
    faults = {name: texts["fault"] for name, texts in (*material.items(), *trust.items()) if "fault" in texts}
    for profile, texts in material.items():
        if profile not in faults:
            try:
                credentials[profile] = read_credential(profile, texts["certificate"].encode(), texts["key"].encode())
            except CredentialError as error:
                faults[profile] = str(error)
    authorities = {file: texts["pem"].encode() for file, texts in trust.items() if "pem" in texts}
    return Keys(credentials, authorities, faults)
