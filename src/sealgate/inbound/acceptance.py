"""Who may connect to a listener and which recipients it takes. Pure: a question in, a reply out."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from sealgate.config.lookup import accepts_domain
from sealgate.config.schema import Configuration, Listener
from sealgate.mail.address import Address
from sealgate.mail.reply import Reply
from sealgate.smtp import replies


@dataclass(frozen=True, slots=True)
class Admission:
    """How a listener receives a host: accepting mail for the gateway's domains, or relaying to anywhere."""

    decision: Literal["ACCEPT", "RELAY"]
    group: str
    match: str


def admit(listener: Listener, peer_ip: str) -> Admission:
    """The decision for a host; a host outside the relay networks gets the accepted domains only."""
    if listener.kind == "private":
        address = ipaddress.ip_address(peer_ip.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        for network in listener.relay_networks:
            if mapped in ipaddress.ip_network(network):
                return Admission("RELAY", "RELAYLIST", network)
    return Admission("ACCEPT", "UNKNOWNLIST", "ALL")


def accept_recipient(configuration: Configuration, admission: Admission, recipient: Address) -> Reply | None:
    """None if the recipient is taken, else the refusal. `postmaster` is always taken (RFC 5321 §4.5.1)."""
    if not recipient.domain:
        return None  # <postmaster>: the address parser lets no other bare local part through
    if accepts_domain(configuration, recipient.domain_key) or admission.decision == "RELAY":
        return None
    return replies.RELAYING_DENIED
