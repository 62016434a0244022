"""Who may send through a listener and to whom: the host access table and the recipient access table."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sealgate.config.schema.base import Count, Names, Octets, Otherwise, Row
from sealgate.config.schema.kinds import AddressPattern, HostPattern, Name, ReplyText

TlsDemand = Literal["off", "preferred", "required"]
ClientCertificateDemand = Literal["none", "request", "require"]
AuthDemand = Literal["off", "offered", "required"]

OF_LISTENER = Otherwise("that of the listener")
NO_LIMIT = Otherwise("no limit")


class MailFlowPolicy(Row):
    """What a host may do. What is not given here is as the listener says."""

    name: Name = Field(description="The name by which sender groups and listeners choose this policy.")
    action: Literal["accept", "relay", "reject", "refuse"] = Field(
        default="accept",
        description="Accept takes mail for the accepted domains, relay also to anywhere. Reject greets with 554 and "
        "ends; refuse closes the connection without a word.",
    )
    reply: Annotated[ReplyText | None, Otherwise("a sentence of the gateway")] = Field(
        default=None, description="The text behind 554 for a host that is rejected."
    )
    tls: Annotated[TlsDemand | None, OF_LISTENER] = Field(
        default=None,
        description="Whether these hosts are offered STARTTLS, and whether they must use it. Where TLS begins with the "
        "connection it is always required.",
    )
    tls_senders: tuple[AddressPattern, ...] = Field(
        default=(),
        description="Envelope senders whose mail is taken inside TLS only, where TLS is otherwise preferred.",
    )
    client_certificate: Annotated[ClientCertificateDemand | None, OF_LISTENER] = Field(
        default=None,
        description="Whether these hosts are asked for a certificate. One that is shown must be valid; with require, "
        "a host without one sends no mail.",
    )
    auth: Annotated[AuthDemand | None, OF_LISTENER] = Field(
        default=None, description="Whether these hosts may, or must, log in before they send."
    )
    max_message_size: Annotated[Octets | None, OF_LISTENER] = Field(
        default=None, ge=64 << 10, le=1 << 40, description="The largest message that is taken (SIZE, RFC 1870)."
    )
    max_recipients: Annotated[Count | None, OF_LISTENER] = Field(
        default=None, ge=1, le=100_000, description="The most recipients of one message."
    )
    max_messages: Annotated[Count | None, OF_LISTENER] = Field(
        default=None, ge=1, le=100_000, description="The most messages of one connection."
    )
    max_bad_recipients: Annotated[Count | None, OF_LISTENER] = Field(
        default=None, ge=1, le=100_000, description="How many refused recipients end a session."
    )
    connections: Annotated[Count | None, NO_LIMIT] = Field(
        default=None, ge=1, le=100_000, description="The most connections at once from one host."
    )
    connections_per_hour: Annotated[Count | None, NO_LIMIT] = Field(
        default=None, ge=1, le=10_000_000, description="The most connections of one host within an hour."
    )
    messages_per_hour: Annotated[Count | None, NO_LIMIT] = Field(
        default=None, ge=1, le=10_000_000, description="The most messages of one host within an hour."
    )
    recipients_per_hour: Annotated[Count | None, NO_LIMIT] = Field(
        default=None, ge=1, le=10_000_000, description="The most recipients of one host within an hour."
    )


class SenderGroup(Row):
    """Hosts with one mail flow policy. The groups are the rows of the host access table, read from the top."""

    ordered: ClassVar[bool] = True

    name: Name = Field(description="The name of this group in logs and reports.")
    listeners: Annotated[tuple[Name, ...], Names("listeners"), Otherwise("every listener")] = Field(
        default=(), description="The listeners that this row is for."
    )
    members: tuple[HostPattern, ...] = Field(
        min_length=1,
        description="Addresses, networks, host names, .domain for all hosts below a domain, and ALL for every host. A "
        "host has a name here only if its PTR record and an address record of that name agree.",
    )
    policy: Annotated[Name, Names("policies")] = Field(description="The mail flow policy of these hosts.")


class RecipientRule(Row):
    """A row of the recipient access table. The address beats user@, that the domain, and that the longest .domain."""

    identity: ClassVar[str] = "recipient"

    recipient: AddressPattern = Field(description="An address, user@ in every domain, a domain, or .domain.")
    action: Literal["accept", "reject"] = Field(
        default="reject", description="Whether mail for it is taken or refused, whatever accepted_domains says."
    )
    reply: Annotated[ReplyText | None, Otherwise("a sentence of the gateway")] = Field(
        default=None, description="The text behind 550 for a recipient that is rejected."
    )
