"""The whole configuration of a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pydantic import Field

from sealgate.config.schema.access import MailFlowPolicy, RecipientRule, SenderGroup
from sealgate.config.schema.account import Account
from sealgate.config.schema.base import Settings
from sealgate.config.schema.delivery import DeliverySettings, Destination, DnsSettings, Route
from sealgate.config.schema.gateway import GatewaySettings
from sealgate.config.schema.gui import GuiSettings
from sealgate.config.schema.listener import LimitSettings, Listener
from sealgate.config.schema.logs import LogSettings
from sealgate.config.schema.operator import LocalOperator
from sealgate.config.schema.tls import CertificateProfile, TlsSettings


class Configuration(Settings):
    """All settings. `model_dump(mode="json")` travels, and `model_validate` brings it back equal."""

    gateway: GatewaySettings = Field(description="Who the gateway is, and which mail is its own.")
    tls: TlsSettings = Field(default=TlsSettings(), description="Which TLS each of the four services speaks.")
    certificates: tuple[CertificateProfile, ...] = Field(
        default=(), description="Certificates with their keys: both in the configuration, or both in files."
    )
    gui: GuiSettings = Field(default=GuiSettings(), description="The pages of administrators and the REST API.")
    listeners: tuple[Listener, ...] = Field(default=(), description="Where mail comes in.")
    policies: tuple[MailFlowPolicy, ...] = Field(
        default=(), description="Mail flow policies: what hosts may do. What one leaves open is as the listener says."
    )
    sender_groups: tuple[SenderGroup, ...] = Field(
        default=(),
        description="The host access table: hosts and their mail flow policy. The first group with a host decides.",
    )
    recipient_access: tuple[RecipientRule, ...] = Field(
        default=(),
        description="The recipient access table: what differs from accepted_domains. The closest row decides.",
    )
    accounts: tuple[Account, ...] = Field(default=(), description="Logins for SMTP AUTH.")
    operators: tuple[LocalOperator, ...] = Field(
        default=(),
        description="Who may administer the gateway. Root and the gateway's own user may on the machine itself, also "
        "while there is nobody here.",
    )
    limits: LimitSettings = Field(
        default=LimitSettings(), description="What the whole gateway takes at once, over all listeners and workers."
    )
    delivery: DeliverySettings = Field(
        default=DeliverySettings(), description="How mail leaves, unless a destination says otherwise."
    )
    destinations: tuple[Destination, ...] = Field(
        default=(),
        description="Domains with a TLS of their own. The exact domain beats .domain, and a longer .domain a "
        "shorter one.",
    )
    routes: tuple[Route, ...] = Field(
        default=(),
        description="SMTP routes; a domain without one goes by MX. The exact domain beats .domain, a longer .domain a "
        "shorter one, and both beat *.",
    )
    dns: DnsSettings = Field(default=DnsSettings(), description="Who is asked for MX records and addresses.")
    logs: LogSettings = Field(
        default=LogSettings(), description="How much is kept of the mail log and of the event record."
    )

    # Tables by the names of their rows, made once: mail asks them for every connection and recipient.

    @cached_property
    def policy_of(self) -> Mapping[str, MailFlowPolicy]:
        """Mail flow policies by name."""
        return {policy.name: policy for policy in self.policies}

    @cached_property
    def recipient_rule_of(self) -> Mapping[str, RecipientRule]:
        """Rows of the recipient access table by their recipient in lower case."""
        return {rule.recipient.lower(): rule for rule in self.recipient_access}

    @cached_property
    def account_of(self) -> Mapping[str, Account]:
        """Accounts by their login in lower case."""
        return {account.name.lower(): account for account in self.accounts}

    @cached_property
    def operator_of(self) -> Mapping[str, LocalOperator]:
        """Operators by name, which is in lower case."""
        return {operator.name: operator for operator in self.operators}

    @cached_property
    def destination_of(self) -> Mapping[str, Destination]:
        """Rows of the destinations by domain."""
        return {destination.domain: destination for destination in self.destinations}

    @cached_property
    def route_of(self) -> Mapping[str, Route]:
        """Routes by domain."""
        return {route.domain: route for route in self.routes}
