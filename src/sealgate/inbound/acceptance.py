"""Which senders and recipients are taken, while the client waits. Pure: a question in, a reply out."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.config.lookup import accepted_as
from sealgate.config.schema import Account, Configuration
from sealgate.inbound.access import Terms, names_address, rule_for
from sealgate.mail.address import Address
from sealgate.mail.reply import Reply
from sealgate.smtp import replies

_ROUTING = frozenset("%!@")
"""What makes `user%elsewhere.example@here.example` and its like a route to elsewhere, for many servers."""

RAT = "RAT"
"""What the log calls the recipient access table."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a recipient is taken: None, or the refusal. `by` says what decided, for people."""

    refusal: Reply | None
    by: str


def accept_recipient(
    configuration: Configuration, terms: Terms, recipient: Address, *, logged_in: bool = False
) -> Reply | None:
    """None if the recipient is taken, else the refusal."""
    return decide_recipient(configuration, terms, recipient, logged_in=logged_in).refusal


def decide_recipient(configuration: Configuration, terms: Terms, recipient: Address, *, logged_in: bool) -> Decision:
    """A row of the recipient access table comes first, whoever sends: then the accepted domains, then who may relay.

    `postmaster` is always taken (RFC 5321 §4.5.1). Who may not relay gives no route to the host behind, which trusts
    this gateway and might follow it (RFC 5321 §C): only a row for that very address lets one through.
    """
    if not recipient.domain:  # the address parser lets no other bare local part through
        return Decision(None, "postmaster is always taken")
    rule = rule_for(configuration, recipient)
    may_relay = terms.relays or logged_in
    if not (may_relay or (rule and "@" in rule.recipient) or _ROUTING.isdisjoint(recipient.local_key)):
        return Decision(replies.ROUTE_DENIED, "a route in the part before @, and no right to relay")
    if rule is not None:
        refusal = None if rule.action == "accept" else _rejected(rule.reply)
        return Decision(refusal, f"the row {rule.recipient} of recipient_access")
    domain = accepted_as(configuration, recipient.domain_key)
    if domain is not None:
        return Decision(None, f"the accepted domain {domain}")
    if terms.relays:
        return Decision(None, f"the policy {terms.policy.name}, which relays")
    if logged_in:
        return Decision(None, "the login")
    return Decision(replies.RELAYING_DENIED, "no row, no accepted domain and no right to relay")


def full_address(configuration: Configuration, recipient: Address) -> Address:
    """The mailbox that is meant: the bare postmaster is at the domain of the one in the settings."""
    if recipient.domain:
        return recipient
    return Address(recipient.local, configuration.gateway.postmaster.rpartition("@")[2])


def reject_host(terms: Terms) -> Reply:
    """What a host hears whose policy says reject."""
    text = terms.policy.reply
    return replies.REJECTED if text is None else Reply(554, text, "5.7.1")


def _rejected(text: str | None) -> Reply:
    return replies.RECIPIENT_REJECTED if text is None else Reply(550, text, "5.1.1")


def accept_sender(terms: Terms, sender: Address | None, account: Account | None, *, encrypted: bool) -> Reply | None:
    """None if mail of this sender may begin, else the refusal. `account`: whose senders alone are allowed."""
    if terms.unsure:
        return replies.HOST_NAME_UNSURE
    if sender is None:
        return None  # the null path of notices belongs to nobody
    if not encrypted and names_address(terms.policy.tls_senders, sender):
        return replies.SENDER_NEEDS_TLS
    if account is not None and not names_address(account.senders or (account.name,), sender):
        return replies.SENDER_NOT_OWN
    return None
