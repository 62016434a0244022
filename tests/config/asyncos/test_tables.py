"""SMTP routes, recipient access and destination controls: what is taken, what is left out, what refuses the file."""

from __future__ import annotations

import pytest

from tests.config.asyncos.files import destinations, file, recipients, refusal, routes, taken


@pytest.mark.parametrize(
    ("row", "domain", "hosts"),
    [
        ("a.example h.example", "a.example", ("h.example",)),
        (".a.example h.example:2525", ".a.example", ("h.example:2525",)),
        ("ALL 192.0.2.1", "*", ("192.0.2.1",)),
        ("A.Example USEDNS", "a.example", ("mx",)),
        ("a.example two.example/pri=20,one.example/pri=5", "a.example", ("one.example", "two.example")),
        ("a.example [2001:db8::1]:25", "a.example", ("[2001:db8::1]:25",)),
        (
            "a.example <host>h.example</host><port>26</port><pri>0</pri>",
            "a.example",
            ("h.example:26",),
        ),
        (
            "a.example <dest_host><host>2001:db8::1</host><port>26</port></dest_host>",
            "a.example",
            ("[2001:db8::1]:26",),
        ),
        (
            "a.example <dest><host>b.example</host><pri>2</pri></dest><dest><host>c.example</host><pri>1</pri></dest>",
            "a.example",
            ("c.example", "b.example"),
        ),
    ],
)
def test_routes(row: str, domain: str, hosts: tuple[str, ...]) -> None:
    (route,) = taken(routes(row)).configuration.routes
    assert (route.domain, route.hosts) == (domain, hosts)


def test_the_other_spelling_of_routes() -> None:
    text = (
        "<smtproutes><row><source_domain>a.example</source_domain><dest_hosts><dest_host>h.example/pri=2</dest_host>"
        "<dest_host>g.example/pri=1</dest_host></dest_hosts></row></smtproutes>"
    )
    (route,) = taken(text).configuration.routes
    assert (route.domain, route.hosts) == ("a.example", ("g.example", "h.example"))


def test_a_route_that_throws_mail_away_and_hosts_in_turn() -> None:
    imported = taken(routes("a.example /dev/null", "b.example one.example,two.example"))
    assert [route.domain for route in imported.configuration.routes] == ["b.example"]
    assert "Sealgate never does that" in imported.left_out[0].sentence
    assert "used in turn" in imported.changed[0].sentence


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        (routes("a.example h.example", "A.EXAMPLE g.example"), "'a.example' stands here a second time, after line 5"),
        (routes("bücher.example h.example"), "'bücher.example' is not ASCII; write an international name in its xn--"),
        (routes("a..b h.example"), "'a..b' is no domain"),
        (routes("a.example "), "'a.example': an empty list is not"),
        (routes("a.example h.example:0"), "a port is a number from 1 to 65535"),
        ("<smtp_routes><smtp_route><x>1</x></smtp_route></smtp_routes>", "names no domain"),
        (recipients("a.example ACCEPT", "a.example REJECT"), "'a.example' stands here a second time"),
        (recipients("a.example MAYBE"), "'maybe' is no access; it is ACCEPT or REJECT"),
        (recipients("a@b@c ACCEPT"), "'a@b@c'"),
        (recipients("bücher.example ACCEPT"), "xn--"),
        (destinations("a.example <tls>2</tls>", "a.example <tls>1</tls>"), "a second time"),
        (destinations("a.example <tls>never</tls>"), "'never' is no TLS of a destination"),
        (destinations("a.example <max_host_concurrency>many</max_host_concurrency>"), "'many' is no limit"),
        (destinations(" <tls>1</tls>"), "names no domain"),
        (destinations("a..b <tls>1</tls>"), "'a..b' is no domain"),
    ],
)
def test_rows_that_refuse_the_file(section: str, sentence: str) -> None:
    problems = refusal(file("<hostname>gate.example</hostname>", section))
    assert any(sentence in problem.sentence for problem in problems), problems
    assert all("(line 5)" in problem.path for problem in problems)


def test_recipient_access() -> None:
    response = "<smtp_response_text>gone\n away</smtp_response_text><smtp_response_code>450</smtp_response_code>"
    imported = taken(
        recipients(
            "a.example ACCEPT",
            ".a.example accept",
            "old.a.example REJECT",
            f"bob@a.example REJECT {response}",
            "postmaster@ ACCEPT <bypass_ldap_accept>1</bypass_ldap_accept>",
            "[192.0.2.1] ACCEPT",
            "ALL REJECT",
        )
    )
    settings = imported.configuration
    assert settings.gateway.accepted_domains == ("a.example", ".a.example")
    assert [(rule.recipient, rule.action, rule.reply) for rule in settings.recipient_access] == [
        ("old.a.example", "reject", None),
        ("bob@a.example", "reject", "gone away"),
        ("postmaster@", "accept", None),
    ]
    assert [each.path.split("/")[-1].split()[0] for each in imported.left_out] == [
        "smtp_response_code",
        "bypass_ldap_accept",
        "rat_address",
    ]


def test_an_open_relay_is_left_out() -> None:
    imported = taken(recipients("a.example ACCEPT", "ALL ACCEPT"))
    assert imported.configuration.gateway.accepted_domains == ("a.example",)
    assert "an open relay" in imported.left_out[0].sentence


def test_the_table_of_a_second_listener_is_left_out_where_it_differs() -> None:
    first, same = recipients("a.example ACCEPT"), recipients("a.example ACCEPT", listener="Second")
    assert not taken(first, same).left_out
    imported = taken(first, recipients("b.example ACCEPT", listener="Second"))
    assert imported.configuration.gateway.accepted_domains == ("a.example",)
    assert imported.left_out[0].path == "listeners/listener/rat (line 5)"


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("0", "no"), ("off", "no"), ("1", "preferred"), ("on", "preferred"), ("2", "required"),
        ("REQUIRED", "required"),
        ("3", "preferred-verify"), ("on_verify", "preferred-verify"), ("4", "required-verify"),
        ("require_verify", "required-verify"), ("default", None),
    ],
)  # fmt: skip
def test_the_tls_of_a_destination(word: str, level: str | None) -> None:
    (row,) = taken(destinations(f"a.example <tls>{word}</tls>")).configuration.destinations
    assert row.tls == level


def test_limits_and_the_default_destination() -> None:
    limit = (
        "<max_host_concurrency>{}</max_host_concurrency><max_messages_per_connection>7</max_messages_per_connection>"
    )
    imported = taken(
        destinations(
            f"DEFAULT <tls>2</tls>{limit.format(99999)}<ip_sort_pref>PREFER_V4</ip_sort_pref>"
            "<limit_apply>0</limit_apply>",
            f".a.example {limit.format(3)}<limit_type>MXIP</limit_type><recipient_limit>5</recipient_limit>"
            "<bounce_profile>slow</bounce_profile><ip_sort_pref>REQUIRE_V6</ip_sort_pref>",
        )
    )
    delivery = imported.configuration.delivery
    assert (delivery.tls, delivery.connections_per_destination, delivery.messages_per_connection, delivery.family) == (
        "required", 10_000, 7, "ipv4-first",
    )  # fmt: skip
    (row,) = imported.configuration.destinations
    assert (row.domain, row.connections, row.messages_per_connection) == (".a.example", 3, 7)
    assert len(imported.changed) == 2
    assert [each.path.split("/")[-1].split()[0] for each in imported.left_out] == [
        "recipient_limit", "bounce_profile", "ip_sort_pref",
    ]  # fmt: skip
