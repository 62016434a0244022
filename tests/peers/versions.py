"""A range of TLS versions, and how the peers write it."""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("1.0", "1.1", "1.2", "1.3")


@dataclass(frozen=True, slots=True)
class Versions:
    """The TLS versions a peer speaks, lowest to highest, as "1.0" … "1.3"."""

    lowest: str = "1.0"
    highest: str = "1.3"

    @property
    def all(self) -> tuple[str, ...]:
        """Each of them."""
        return VERSIONS[VERSIONS.index(self.lowest) : VERSIONS.index(self.highest) + 1]

    @property
    def postfix(self) -> str:
        """As Postfix writes it."""
        return f">={openssl_name(self.lowest)}, <={openssl_name(self.highest)}"

    @property
    def gnutls(self) -> str:
        """As a GnuTLS priority string; all suites that go with these versions."""
        return "NORMAL:-VERS-ALL" + "".join(f":+VERS-TLS{version}" for version in self.all)


def openssl_name(version: str) -> str:
    """As OpenSSL and Postfix write one version: they leave the dot and zero of 1.0 away."""
    return f"TLSv{version.removesuffix('.0')}"
