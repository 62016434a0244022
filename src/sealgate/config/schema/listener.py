"""Where mail comes in, and how much of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from sealgate.config.schema.access import AuthDemand, ClientCertificateDemand, TlsDemand
from sealgate.config.schema.base import Count, Flag, Names, Octets, Otherwise, Row, Seconds, Settings
from sealgate.config.schema.kinds import File, IpAddress, Name

Extension = Literal["8BITMIME", "CHUNKING", "DSN", "PIPELINING", "SIZE", "SMTPUTF8"]


def _demand(given: Mapping[str, Any]) -> TlsDemand:
    return "required" if given.get("kind") == "private" or given.get("implicit_tls") else "preferred"


class Listener(Row):
    """One SMTP service on one port."""

    name: Name = Field(description="The name of this listener in logs and reports.")
    enabled: Flag = Field(default=True, description="Whether the listener runs.")
    kind: Literal["public", "private"] = Field(
        default="public",
        description="A public listener takes mail for the accepted domains. A private one also relays to anywhere, "
        "for hosts whose mail flow policy says relay and for clients that have logged in.",
    )
    addresses: tuple[IpAddress, ...] = Field(
        default=("0.0.0.0", "::"),
        min_length=1,
        description="The addresses it listens on; 0.0.0.0 and :: are all of their family.",
    )
    port: Count = Field(ge=1, le=65535, description="The port it listens on.")
    implicit_tls: Flag = Field(
        default=False, description="Whether TLS begins with the connection (RFC 8314) instead of with STARTTLS."
    )
    tls: Annotated[TlsDemand, Otherwise("required on a private listener or with implicit_tls, else preferred")] = Field(
        default_factory=_demand,
        description="Whether STARTTLS is offered, and whether mail is taken without it. A listener that the "
        "Internet's MX records point to must not require it (RFC 3207 §4).",
    )
    certificates: Annotated[tuple[Name, ...], Names("certificates")] = Field(
        default=(),
        description="The certificate profiles it shows. The first one is shown to clients that ask for no name or "
        "an unknown one; an RSA and an ECDSA certificate for the same names stand side by side.",
    )
    client_certificate: ClientCertificateDemand = Field(
        default="none",
        description="Whether clients are asked for a certificate. One that is shown must be valid; with require, a "
        "client without one is refused.",
    )
    client_trust_file: Annotated[File | None, Otherwise("the CA certificates of the system")] = Field(
        default=None, description="The CA certificates in PEM form that client certificates are verified with."
    )
    policy: Annotated[Name | None, Names("policies"), Otherwise("accept, as this listener says")] = Field(
        default=None, description="The mail flow policy of hosts that are in no sender group."
    )
    auth: AuthDemand = Field(
        default="off",
        description="Whether clients may, or must, log in before they send (SMTP AUTH, RFC 4954). It is offered inside "
        "TLS only.",
    )
    sender_must_match: Flag = Field(
        default=True, description="Whether a client that has logged in may use only the senders of its account."
    )
    hidden_extensions: tuple[Extension, ...] = Field(
        default=(), description="Extensions of SMTP that are not offered, for clients or partners that misuse them."
    )
    bare_line_endings: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="What becomes of a message with a CR or LF that is not part of a CRLF. Allowed ones pass "
        "unchanged and never end the message; the next server may read them otherwise (SMTP smuggling).",
    )
    reply_style: Literal["rfc2034", "asyncos"] = Field(
        default="rfc2034",
        description="How replies carry their enhanced status code: 5.7.0 with ENHANCEDSTATUSCODES offered, or #5.7.0 "
        "without.",
    )
    max_message_size: Octets = Field(
        default=100 << 20, ge=64 << 10, le=1 << 40, description="The largest message that is taken (SIZE, RFC 1870)."
    )
    max_recipients: Count = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="The most recipients of one message; senders count on 100 at least (RFC 5321 §4.5.3.1.8).",
    )
    max_messages: Count = Field(default=10_000, ge=1, le=100_000, description="The most messages of one connection.")
    max_bad_recipients: Count = Field(
        default=100, ge=1, le=100_000, description="How many refused recipients end a session."
    )
    max_line: Octets = Field(
        default=2048,
        ge=512,
        le=65536,
        description="The longest command line, with its CRLF; senders count on 512 at least (RFC 5321 §4.5.3.1.4).",
    )
    max_bad_commands: Count = Field(default=5, ge=1, le=1000, description="How many commands in error end a session.")
    idle_timeout: Seconds = Field(
        default=300,
        ge=0.1,
        le=86400,
        description="How long a session waits for its client; clients count on 300 at least (RFC 5321 §4.5.3.2.7).",
    )
    session_timeout: Seconds = Field(default=3600, ge=0.1, le=604800, description="How long a session lasts at most.")


class LimitSettings(Settings):
    """What the whole gateway takes at once, over all listeners and workers."""

    connections: Count = Field(default=1000, ge=1, le=100_000, description="The most SMTP connections.")
    connections_per_host: Count = Field(
        default=100, ge=1, le=100_000, description="The most SMTP connections from one address, or one IPv6 /64."
    )
    handshakes: Count = Field(default=200, ge=1, le=100_000, description="The most TLS handshakes under way.")
    handshakes_per_host: Count = Field(
        default=50, ge=1, le=100_000, description="The most TLS handshakes under way with one address, or one IPv6 /64."
    )
    handshake_timeout: Seconds = Field(
        default=30, ge=0.1, le=600, description="How long a TLS handshake takes at most."
    )
    auth_failures: Count = Field(
        default=10,
        ge=1,
        le=10_000,
        description="How many wrong logins of one host, or for one account, within auth_window are answered; then all "
        "logins of that host, or for that account from hosts that have failed, are put off.",
    )
    auth_window: Seconds = Field(
        default=900, ge=1, le=86400, description="How long a wrong login is held against host and account."
    )
    queue_messages: Count = Field(
        default=500_000,
        ge=1,
        le=100_000_000,
        description="The most messages in the queue, in equal shares of the workers; more are put off with 452.",
    )
    disk_reserve: Octets = Field(
        default=256 << 20,
        ge=16 << 20,
        le=1 << 40,
        description="Free space on the disk of the spool below which new mail is put off with 452, so that the queue "
        "can still be emptied.",
    )
    hello_size: Octets = Field(
        default=65536,
        ge=4096,
        le=131072,
        description="The largest ClientHello that is read; one with post-quantum key shares has about 2,000 bytes.",
    )
