"""Which TLS each service speaks, and the certificates they show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sealgate.config.schema.base import Row, Settings, Words
from sealgate.config.schema.kinds import CertificatePem, Ciphers, File, Name, PrivateKeyPem
from sealgate.tls.failure import ErrorCodes
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.version import Selection, parse_version


def _unbroken(versions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(version.number for version in Selection.of(parse_version(each) for each in versions))


Versions = Annotated[
    tuple[Literal["1.0", "1.1", "1.2", "1.3"], ...],
    AfterValidator(_unbroken),
    Words("a list of TLS versions without a gap between them, from 1.0, 1.1, 1.2, 1.3"),
]


class TlsService(Settings):
    """The TLS of one service."""

    versions: Versions = Field(
        default=("1.2", "1.3"),
        description="The versions this service speaks, one unbroken run. TLS 1.0 and 1.1 are deprecated (RFC 8996) "
        "and lower the security level of the service; TLS 1.3 alone shuts out every peer that ends at 1.2.",
    )
    ciphers: Ciphers = Field(
        default="default",
        description="The cipher suites for TLS 1.2 and older. The three suites of TLS 1.3 are fixed and are no part "
        "of this string.",
    )

    @property
    def selection(self) -> Selection:
        """The versions as a run."""
        return Selection.of(parse_version(each) for each in self.versions)

    def policy(self, client_certificate: ClientCertificate = ClientCertificate.NONE) -> TlsPolicy:
        """What is asked of the TLS core for this service."""
        return TlsPolicy(self.selection, self.ciphers, client_certificate)


class TlsSettings(Settings):
    """The four services that speak TLS, and how the log shows their errors."""

    gui_https: TlsService = Field(
        default=TlsService(), description="The TLS of GUI HTTPS: Classic UI, NGUI and REST API."
    )
    inbound_smtp: TlsService = Field(default=TlsService(), description="The TLS of Inbound SMTP: all listeners.")
    outbound_smtp: TlsService = Field(default=TlsService(), description="The TLS of Outbound SMTP: delivery.")
    other_clients: TlsService = Field(
        default=TlsService(),
        description="The TLS of Other TLS Client Services: LDAP, alerts, syslog and webhooks.",
    )
    error_codes: Literal["native", "classic"] = Field(
        default="native",
        description="The numbers of TLS errors in the mail log: native is what OpenSSL 3 gives, classic is what "
        "OpenSSL 1.1.1 gave, for log analysers that know those.",
    )

    @property
    def codes(self) -> ErrorCodes:
        """`error_codes` as the TLS core knows it."""
        return ErrorCodes(self.error_codes)


class CertificateProfile(Row):
    """A certificate with its private key, known by name: kept in the configuration, or in two files."""

    name: Name = Field(description="The name by which listeners and delivery choose this certificate.")
    certificate: CertificatePem | None = Field(
        default=None, description="The certificate in PEM form, followed by the rest of its chain."
    )
    key: PrivateKeyPem | None = Field(
        default=None, repr=False, description="The private key in PEM form, without a passphrase."
    )
    certificate_file: File | None = Field(
        default=None, description="The file of the certificate and its chain, instead of `certificate`."
    )
    key_file: File | None = Field(default=None, description="The file of the private key, instead of `key`.")
