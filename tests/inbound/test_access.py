"""Who may do what: the host access table, the recipient access table, and what they mean for senders and recipients."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.schema import Account, Configuration
from sealgate.inbound.acceptance import accept_recipient, accept_sender
from sealgate.inbound.access import Terms, names_address, rule_for, terms_for
from sealgate.mail.address import Address, parse_address
from sealgate.mail.host import NAMELESS, PeerName
from tests.config.samples import HASH, configuration, data, listener

MAIL = PeerName("mail.partner.example", verified=True)
CLAIMED = PeerName("mail.partner.example", verified=False)
UNSURE = PeerName(unsure=True)

GROUPS = [
    {"name": "BLOCKED", "members": ["192.0.2.66", ".spam.example"], "policy": "BLOCKED"},
    {"name": "PARTNERS", "members": [".partner.example", "mx.other.example"], "policy": "PARTNERS"},
    {"name": "RELAYLIST", "listeners": ["private"], "members": ["10.0.0.0/8", "2001:db8::/32"], "policy": "RELAYED"},
    {"name": "NEAR", "members": ["10.0.0.0/8"], "policy": "PARTNERS"},
]
POLICIES = [
    {"name": "BLOCKED", "action": "reject", "reply": "go away"},
    {"name": "PARTNERS", "tls": "required", "max_recipients": 5},
    {"name": "RELAYED", "action": "relay"},
    {"name": "STRANGERS", "max_messages": 3},
]


def tables(**changes: Any) -> Configuration:
    listeners = [data()["listeners"][0] | {"policy": "STRANGERS"}, listener()]
    return configuration(listeners=listeners, sender_groups=GROUPS, policies=POLICIES, **changes)


def found(ip: str, name: PeerName | None = NAMELESS, where: int = 0) -> Terms | None:
    settings = tables()
    return terms_for(settings, settings.listeners[where], ip, name)


@pytest.mark.parametrize(
    ("where", "ip", "name", "decision", "group", "match"),
    [
        (0, "192.0.2.66", NAMELESS, "REJECT", "BLOCKED", "192.0.2.66"),
        (0, "::ffff:192.0.2.66", NAMELESS, "REJECT", "BLOCKED", "192.0.2.66"),
        (0, "192.0.2.1", MAIL, "ACCEPT", "PARTNERS", ".partner.example"),
        (0, "192.0.2.1", PeerName("MX.Other.Example.", verified=True), "ACCEPT", "PARTNERS", "mx.other.example"),
        (0, "192.0.2.1", PeerName("partner.example", verified=True), "ACCEPT", "UNKNOWNLIST", "ALL"),
        (0, "192.0.2.1", PeerName("mail.badpartner.example", verified=True), "ACCEPT", "UNKNOWNLIST", "ALL"),
        (0, "192.0.2.1", CLAIMED, "ACCEPT", "UNKNOWNLIST", "ALL"),
        (0, "10.1.2.3", NAMELESS, "ACCEPT", "NEAR", "10.0.0.0/8"),  # the row above is for another listener
        (1, "10.1.2.3", NAMELESS, "RELAY", "RELAYLIST", "10.0.0.0/8"),
        (1, "2001:db8::1%eth0", NAMELESS, "RELAY", "RELAYLIST", "2001:db8::/32"),
        (1, "10.1.2.3", MAIL, "ACCEPT", "PARTNERS", ".partner.example"),  # the first row decides
    ],
)
def test_the_first_row_with_the_host_decides(
    where: int, ip: str, name: PeerName, decision: str, group: str, match: str
) -> None:
    terms = found(ip, name, where)
    assert terms is not None
    assert (terms.decision, terms.group, terms.match) == (decision, group, match)


def test_what_a_policy_leaves_open_is_as_the_listener_says() -> None:
    partner, stranger, relayed = found("192.0.2.1", MAIL), found("192.0.2.1"), found("10.1.1.1", NAMELESS, 1)
    assert partner is not None
    assert stranger is not None
    assert relayed is not None
    assert (partner.tls, partner.max_recipients, partner.max_messages) == ("required", 5, 10_000)
    assert (stranger.tls, stranger.max_recipients, stranger.max_messages) == ("preferred", 1000, 3)
    assert (relayed.tls, relayed.relays) == ("required", True)


def test_a_name_is_waited_for_only_where_it_could_decide() -> None:
    assert found("192.0.2.1", None) is None
    first = found("192.0.2.66", None)  # the row with its address stands before any with names
    assert first is not None
    assert first.group == "BLOCKED"


def test_without_dns_nobody_is_known_by_name_and_a_row_that_refuses_by_name_makes_the_host_wait() -> None:
    terms = found("192.0.2.1", UNSURE)
    assert terms is not None
    assert (terms.group, terms.unsure) == ("UNKNOWNLIST", True)
    refusal = accept_sender(terms, None, None, encrypted=True)
    assert refusal is not None
    assert refusal.is_temporary
    blocked = found("192.0.2.66", UNSURE)
    assert blocked is not None
    assert not blocked.unsure  # an address needs no name


def test_a_relaying_row_for_every_listener_relays_on_the_private_ones_only() -> None:
    settings = configuration(
        listeners=[*data()["listeners"], listener()],
        sender_groups=[{"name": "OWN", "members": ["10.0.0.1"], "policy": "RELAYED"}],
        policies=[{"name": "RELAYED", "action": "relay"}],
    )
    decisions = [terms_for(settings, each, "10.0.0.1", None) for each in settings.listeners]
    assert [terms.decision for terms in decisions if terms] == ["ACCEPT", "RELAY"]


ROUTED = "550 5.7.1 relaying denied: the part before @ names a route (%, ! or @)"
RULES = [
    {"recipient": "boss@inside.example", "action": "accept"},
    {"recipient": "postmaster@", "action": "accept"},
    {"recipient": "old.example", "reply": "we have moved"},
    {"recipient": ".inside.example"},
    {"recipient": "guest@inside.example"},
    {"recipient": "100%@inside.example", "action": "accept"},
    {"recipient": r'"the\ cat"@inside.example'},
    {"recipient": ".deep.inside.example", "action": "accept"},
]


@pytest.mark.parametrize(
    ("recipient", "answer"),
    [
        ("boss@inside.example", None),
        ("BOSS@Inside.Example", None),
        ("someone@inside.example", None),  # no row: the accepted domains
        ("guest@inside.example", "550 5.1.1 recipient rejected"),
        ("Guest@INSIDE.example", "550 5.1.1 recipient rejected"),
        ('"guest"@inside.example', "550 5.1.1 recipient rejected"),  # the same mailbox (RFC 5321 §4.1.2)
        (r'"g\uest"@inside.example', "550 5.1.1 recipient rejected"),
        ('"the cat"@inside.example', "550 5.1.1 recipient rejected"),
        ("you%elsewhere.example@inside.example", ROUTED),
        ("elsewhere.example!you@inside.example", ROUTED),
        ('"you@elsewhere.example"@inside.example', ROUTED),
        (r'"you\@elsewhere.example"@a.deep.inside.example', ROUTED),
        ("100%@inside.example", None),  # it has a row of its own
        ("postmaster@old.example", None),  # user@ is closer than the domain
        ("you@old.example", "550 5.1.1 we have moved"),
        ("you@sub.inside.example", "550 5.1.1 recipient rejected"),
        ("you@a.deep.inside.example", None),
        ("you@elsewhere.example", "550 5.7.1 relaying denied: this gateway takes no mail for that domain"),
    ],
)
def test_the_closest_row_decides_about_a_recipient(recipient: str, answer: str | None) -> None:
    settings = tables(recipient_access=RULES)
    terms = terms_for(settings, settings.listeners[0], "192.0.2.1", NAMELESS)
    assert terms is not None
    refusal = accept_recipient(settings, terms, parse_address(recipient))
    assert (None if refusal is None else refusal.encode().decode().rstrip()) == answer


def test_whoever_may_relay_is_refused_rejected_recipients_all_the_same() -> None:
    settings = tables(recipient_access=RULES)
    terms = terms_for(settings, settings.listeners[1], "10.0.0.1", NAMELESS)
    assert terms is not None
    assert accept_recipient(settings, terms, parse_address("you@elsewhere.example")) is None
    assert accept_recipient(settings, terms, parse_address("guest@inside.example")) is not None
    assert accept_recipient(settings, terms, Address("postmaster", "")) is None
    assert accept_recipient(settings, terms, parse_address("you%far.example@inside.example")) is None


def test_a_login_relays_anywhere() -> None:
    settings = tables()
    terms = terms_for(settings, settings.listeners[1], "192.0.2.1", NAMELESS)
    assert terms is not None
    far = parse_address("you@elsewhere.example")
    assert accept_recipient(settings, terms, far) is not None
    assert accept_recipient(settings, terms, far, logged_in=True) is None


@pytest.mark.parametrize(
    ("name", "senders", "sender", "allowed"),
    [
        ("me@inside.example", [], "me@inside.example", True),
        ("me@inside.example", [], "Me@Inside.Example", True),
        ("me@inside.example", [], "you@inside.example", False),
        ("scanner", [], "scanner@inside.example", False),
        ("scanner", ["inside.example"], "anything@inside.example", True),
        ("scanner", [".inside.example"], "anything@inside.example", False),
        ("scanner", ["noreply@"], "noreply@anywhere.example", True),
        ("me@inside.example", [], None, True),
    ],
)
def test_a_login_sends_as_its_own_senders_only(
    name: str, senders: list[str], sender: str | None, allowed: bool
) -> None:
    account = Account(name=name, passphrase=HASH, senders=tuple(senders))
    terms = found("192.0.2.1")
    assert terms is not None
    address = None if sender is None else parse_address(sender)
    assert (accept_sender(terms, address, account, encrypted=True) is None) is allowed
    assert accept_sender(terms, address, None, encrypted=True) is None


def test_listed_senders_need_tls() -> None:
    policies = [{"name": "STRANGERS", "tls_senders": ["bank.example", "chief@inside.example"]}]
    settings = configuration(listeners=[data()["listeners"][0] | {"policy": "STRANGERS"}], policies=policies)
    terms = terms_for(settings, settings.listeners[0], "192.0.2.1", NAMELESS)
    assert terms is not None
    for sender, encrypted, taken in (
        ("a@bank.example", False, False),
        ("a@bank.example", True, True),
        ("a@other.example", False, True),
        ("chief@inside.example", False, False),
        ('"Chief"@inside.example', False, False),
    ):
        assert (accept_sender(terms, parse_address(sender), None, encrypted=encrypted) is None) is taken


def test_the_order_of_rows_says_nothing_in_the_recipient_access_table() -> None:
    settings = tables(recipient_access=RULES[::-1])
    rule = rule_for(settings, parse_address("postmaster@old.example"))
    assert rule is not None
    assert rule.action == "accept"
    assert not names_address((), parse_address("me@inside.example"))
