"""Which senders and recipients are taken, while the client waits. Pure: a question in, a reply out."""

from __future__ import annotations

from sealgate.config.lookup import accepts_domain
from sealgate.config.schema import Account, Configuration
from sealgate.inbound.access import Terms, names_address, rule_for
from sealgate.mail.address import Address
from sealgate.mail.reply import Reply
from sealgate.smtp import replies

RAT = "RAT"
"""What the log calls the recipient access table."""


def accept_recipient(
    configuration: Configuration, terms: Terms, recipient: Address, *, logged_in: bool = False
) -> Reply | None:
    """None if the recipient is taken, else the refusal.

    A row of the recipient access table comes first, whoever sends: then the accepted domains, then who may relay.
    `postmaster` is always taken (RFC 5321 §4.5.1).
    """
    if not recipient.domain:
        return None  # <postmaster>: the address parser lets no other bare local part through
    rule = rule_for(configuration, recipient)
    if rule is not None:
        return None if rule.action == "accept" else _rejected(rule.reply)
    if accepts_domain(configuration, recipient.domain_key) or terms.relays or logged_in:
        return None
    return replies.RELAYING_DENIED


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
