"""Where mail goes, over which TLS, and how long it is tried."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sealgate.config.schema.base import Count, Otherwise, Row, Seconds, Settings
from sealgate.config.schema.kinds import (
    AcceptedDomain,
    AnyDomain,
    File,
    Ipv4,
    Ipv6,
    Name,
    NameServer,
    NextHop,
    split_host_port,
)
from sealgate.tls.level import TlsLevel

Level = Literal["no", "preferred", "preferred-verify", "required", "required-verify"]

MX = "mx"
SMTP_PORT = 25


class DeliverySettings(Settings):
    """How mail leaves, unless a destination says otherwise."""

    tls: Level = Field(
        default="preferred",
        description="The TLS of destinations that are not listed. Preferred goes on in clear text only if the peer "
        "does not take STARTTLS; required keeps the mail queued; verify also wants a valid certificate for the "
        "destination.",
    )
    certificate: Annotated[Name | None, Otherwise("no certificate is shown")] = Field(
        default=None, description="The certificate profile shown to servers that ask for a client certificate."
    )
    trust_file: Annotated[File | None, Otherwise("the CA certificates of the system")] = Field(
        default=None, description="The CA certificates in PEM form that servers are verified with."
    )
    lifetime: Seconds = Field(
        default=432_000,
        ge=0.1,
        le=2_592_000,
        description="How long a message is tried before it bounces; senders expect 4 days at least "
        "(RFC 5321 §4.5.4.1).",
    )
    retry_first: Seconds = Field(
        default=60, ge=0.1, le=86400, description="How long to wait after the first failed attempt; each wait doubles."
    )
    retry_max: Seconds = Field(default=3600, ge=0.1, le=604_800, description="The longest wait between attempts.")
    connections_per_destination: Count = Field(
        default=20, ge=1, le=10_000, description="The most connections to one domain, over all workers."
    )
    messages_per_connection: Count = Field(
        default=100, ge=1, le=100_000, description="How many messages one connection carries before it is closed."
    )
    idle_timeout: Seconds = Field(
        default=5, ge=0, le=3600, description="How long an open connection waits for another message."
    )
    connect_timeout: Seconds = Field(default=30, ge=0.1, le=3600, description="How long to wait for a connection.")
    command_timeout: Seconds = Field(
        default=300,
        ge=0.1,
        le=3600,
        description="How long to wait for the greeting, a handshake and the reply to a command (RFC 5321 §4.5.3.2).",
    )
    data_timeout: Seconds = Field(
        default=600,
        ge=0.1,
        le=3600,
        description="How long to wait for the reply to a whole message (RFC 5321 §4.5.3.2.6).",
    )
    source_v4: Annotated[Ipv4 | None, Otherwise("the system chooses")] = Field(
        default=None, description="The local address of connections to IPv4 hosts."
    )
    source_v6: Annotated[Ipv6 | None, Otherwise("the system chooses")] = Field(
        default=None, description="The local address of connections to IPv6 hosts."
    )

    @property
    def level(self) -> TlsLevel:
        """`tls` as a level that can be compared."""
        return TlsLevel.of(self.tls)


class Destination(Row):
    """What holds for mail to one domain. The exact domain beats .domain, and a longer .domain a shorter one."""

    identity: ClassVar[str] = "domain"

    domain: AcceptedDomain = Field(description="The recipients' domain.")
    tls: Level = Field(description="The TLS of this destination.")

    @property
    def level(self) -> TlsLevel:
        """`tls` as a level that can be compared."""
        return TlsLevel.of(self.tls)


class Route(Row):
    """An SMTP route. The exact domain beats .domain, a longer .domain a shorter one, and both beat *."""

    identity: ClassVar[str] = "domain"

    domain: AnyDomain = Field(description="The recipients' domain.")
    hosts: tuple[NextHop, ...] = Field(
        min_length=1,
        description="The hosts that take its mail, tried in this order; the port is 25 unless given. The single word "
        "mx asks DNS, for a domain that a wider route would catch.",
    )

    @property
    def targets(self) -> tuple[tuple[str, int], ...] | None:
        """Hosts and ports, or None for MX."""
        if self.hosts == (MX,):
            return None
        return tuple(split_host_port(host, SMTP_PORT) for host in self.hosts)


class DnsSettings(Settings):
    """Who is asked for MX records and addresses."""

    servers: Annotated[tuple[NameServer, ...], Otherwise("those of the system")] = Field(
        default=(), description="The name servers, tried in this order."
    )
    timeout: Seconds = Field(
        default=10, ge=0.1, le=300, description="How long one question takes at most, over all name servers."
    )
