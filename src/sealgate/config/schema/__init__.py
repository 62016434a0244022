"""The one declaration of all settings: type, default, range and help of each stand here and nowhere else."""

from sealgate.config.schema.access import MailFlowPolicy, RecipientRule, SenderGroup
from sealgate.config.schema.account import Account
from sealgate.config.schema.configuration import Configuration
from sealgate.config.schema.delivery import DeliverySettings, Destination, DnsSettings, Route
from sealgate.config.schema.gateway import GatewaySettings
from sealgate.config.schema.gui import GuiSettings
from sealgate.config.schema.listener import LimitSettings, Listener
from sealgate.config.schema.logs import LogSettings
from sealgate.config.schema.operator import LocalOperator, Role
from sealgate.config.schema.tls import CertificateProfile, TlsService, TlsSettings

__all__ = [
    "Account",
    "CertificateProfile",
    "Configuration",
    "DeliverySettings",
    "Destination",
    "DnsSettings",
    "GatewaySettings",
    "GuiSettings",
    "LimitSettings",
    "Listener",
    "LocalOperator",
    "LogSettings",
    "MailFlowPolicy",
    "RecipientRule",
    "Role",
    "Route",
    "SenderGroup",
    "TlsService",
    "TlsSettings",
]
