"""Where mail goes, over which TLS, and how long it is tried."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sealgate.config.schema.base import Count, Flag, Names, Otherwise, Row, Seconds, Settings
from sealgate.config.schema.kinds import (
    AcceptedDomain,
    AnyDomain,
    File,
    HostName,
    Ipv4,
    Ipv6,
    Mailbox,
    Name,
    NameServer,
    NextHop,
    split_host_port,
)
from sealgate.tls.level import TlsLevel

Level = Literal["no", "preferred", "preferred-verify", "required", "required-verify"]

OF_DELIVERY = Otherwise("as under delivery")

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
    certificate: Annotated[Name | None, Names("certificates"), Otherwise("no certificate is shown")] = Field(
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
    delay_warning: Seconds = Field(
        default=14_400,
        ge=0,
        le=2_592_000,
        description="How long a message waits until its sender is told once that it is late; 0 is never.",
    )
    double_bounces: Annotated[Mailbox | None, Otherwise("they are dropped, with a line in the log")] = Field(
        default=None, description="Who gets notices that cannot be delivered to the sender of the message."
    )
    host_down: Seconds = Field(
        default=60,
        ge=0,
        le=86400,
        description="How long a host that could not be reached is passed over while there are others, and its mail put "
        "off where there are none.",
    )
    max_recipients: Count = Field(
        default=100,
        ge=1,
        le=10_000,
        description="The most recipients of one transaction; servers take 100 at least (RFC 5321 §4.5.3.1.8).",
    )
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
    family: Literal["ipv4-first", "ipv6-first", "ipv4", "ipv6"] = Field(
        default="ipv6-first",
        description="Which addresses of a host are tried, and which of them first. The others follow when the first "
        "cannot be reached.",
    )
    hostname: Annotated[HostName | None, Otherwise("the name of the gateway")] = Field(
        default=None, description="What the gateway calls itself in EHLO when it delivers."
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
    """What holds for mail to one domain where it differs from delivery as a whole. The exact domain beats .domain, and
    a longer .domain a shorter one."""

    identity: ClassVar[str] = "domain"

    domain: AcceptedDomain = Field(description="The recipients' domain.")
    tls: Annotated[Level | None, OF_DELIVERY] = Field(default=None, description="The TLS of this destination.")
    server_name: Annotated[HostName | None, Otherwise("the name of the host")] = Field(
        default=None,
        description="The name that is sent in the handshake (SNI), and that a certificate may be for as well.",
    )
    connections: Annotated[Count | None, OF_DELIVERY] = Field(
        default=None, ge=1, le=10_000, description="The most connections to this domain, over all workers."
    )
    messages_per_connection: Annotated[Count | None, OF_DELIVERY] = Field(
        default=None, ge=1, le=100_000, description="How many messages one connection carries before it is closed."
    )
    max_recipients: Annotated[Count | None, OF_DELIVERY] = Field(
        default=None, ge=1, le=10_000, description="The most recipients of one transaction."
    )
    hostname: Annotated[HostName | None, OF_DELIVERY] = Field(
        default=None, description="What the gateway calls itself in EHLO to this destination."
    )
    source_v4: Annotated[Ipv4 | None, OF_DELIVERY] = Field(
        default=None, description="The local address of connections to IPv4 hosts of this destination."
    )
    source_v6: Annotated[Ipv6 | None, OF_DELIVERY] = Field(
        default=None, description="The local address of connections to IPv6 hosts of this destination."
    )


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
    reverse: Flag = Field(
        default=True,
        description="Whether the name of a host that connects is looked up: its PTR record, and the addresses of that "
        "name. The greeting does not wait for it.",
    )
    reverse_timeout: Seconds = Field(
        default=5, ge=0.1, le=60, description="How long a host waits at most, behind the greeting, for its name."
    )
