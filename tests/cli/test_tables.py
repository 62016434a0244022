"""Listeners, access tables, destinations, routes, accounts and the other settings: golden screens and what comes of
them, the same in one line, and from a pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealgate.config.schema import Configuration
from sealgate.directory.passphrase import matches
from tests.cli.conversation import Desk, configuration, converse, one_line

GOLDEN = Path(__file__).parents[1] / "golden" / "dialogue"
SECRET = "correct horse battery"

SCREENS = {
    "smtproutes": (
        *("smtproutes", "new", ".Partner.example", "mx1.partner.example, [2001:db8::1]:2525", "new", "all", "usedns"),
        *("new", "inside.example", "other.example", "bad:host", "mx", "edit", "1", "?", "10.0.0.1", "print", "import"),
        *("a.example b.example, c.example:27", "b.example d.example:99999", "a.example e.example", "d.example", "."),
        *("delete", "default", "all", "export", ""),
    ),
    "destconfig": (
        *("destconfig", "new", "partner.example", "6", "5", "", "3", "", "", "", "", ""),
        *("new", ".lax.example", "default", "sni.lax.example", *[""] * 6),
        *("edit", "2", "preferred - verify", *[""] * 7, "default", "3", "15", *[""] * 5, "setup", "dmeo", "demo", ""),
        *("detail", "partner.example", "list", "delete", ".lax.example", ""),
    ),
    "listenerconfig": (
        *("listenerconfig", "new", "public", "public", "InboundMail", "1", "smtp", "2600", "127.0.0.2", "", "", "edit"),
        *("inboundmail", "interface", "", "127.0.0.3", "", "", "set", "max_recip", "max_recipients", "17", "name"),
        *("Inbound", "", "delete", "2", "delete", "private-tls", ""),
    ),
    "hostaccess": (
        *("listenerconfig", "edit", "public", "hostaccess", "new", "2", "BLOCKED", "reject", "go away", *[""] * 12),
        *("new", "1", "BLACKLIST", "192.0.2.0/24, .bad.example", "BLOCKD", "BLOCKED", "", "new", "", "ALLOWED"),
        *("198.51.100.7", "BLOCKED", "public, private", "move", "ALLOWED", "1", "edit", "2", "RELAYED", *[""] * 14),
        *("delete", "policy", "BLOCKED", "default", "?", "none", "required", *[""] * 6, "print", "", "", ""),
    ),
    "rcptaccess": (
        *("listenerconfig", "edit", "public", "rcptaccess", "new", "joe@Inside.example", "2", "no joe here"),
        *(
            "new",
            "joe@inside.example",
            "sales@",
            "1",
            "",
            "print",
            "import",
            "x@inside.example maybe",
            "@@ accept",
            ".",
        ),
        *("import", "# from the old gateway", "info@inside.example accept", ".old.example reject moved away", "."),
        *("edit", "1", "reject", "closed", "delete", "2", "domains", "inside.example, more.example", "export"),
        *("", "", ""),
    ),
    "smtpauthconfig": (
        *("smtpauthconfig", "new", "jane@inside.example", "short", SECRET, "something else", SECRET, SECRET, "", ""),
        *("new", "scanner", SECRET, SECRET, "inside.example", "no", "edit", "2", "", "yes", "list", "delete", "1", "y"),
        *("passphrase", "scanner", f"{SECRET}2", f"{SECRET}2", ""),
    ),
    "userconfig": (
        *("userconfig", "new", "root beer", "Admin", "short", SECRET, "something else", SECRET, SECRET, "boss"),
        *("administrator", "", "", "new", "lea", SECRET, SECRET, "operator", "Lea L.", "", "edit", "1", "operator"),
        *("", "", "edit", "admin", "administrator", "", "", "passphrase", "lea", f"{SECRET}2", f"{SECRET}2", "new"),
        *("max", SECRET, SECRET, "read-only", "", "no", "list", "delete", "max", "y", ""),
    ),
    "setconfig": (
        *(
            "sethostname",
            "no name",
            "gate2.example",
            "deliveryconfig",
            "set",
            "lifetme",
            "lifetime",
            "?",
            "3d",
            "setup",
        ),
        *(*[""] * 20, ""),
        *("dnsconfig", "set", "servers", "192.0.2.53, [2001:db8::53]:5353", "", "logconfig", "set", "keep_days", "90"),
        *("", "setconfig", "limits", "set", "disk_reserve", "1G", "", "gateway", "set", "workers", "2", "", "tls"),
        *("set", "error_codes", "clasic", "classic", "", ""),
    ),
}
"""What is typed; the screen stands in tests/golden/dialogue."""


def _routes(made: Configuration) -> object:
    return {route.domain: route.hosts for route in made.routes}


def _destinations(made: Configuration) -> object:
    return [(row.domain, row.tls, row.connections) for row in made.destinations], made.delivery.tls


def _listeners(made: Configuration) -> object:
    rows = [(row.name, row.addresses, row.port, row.max_recipients, row.certificates) for row in made.listeners]
    return rows[-1], [row.name for row in made.listeners], made.sender_groups[0].listeners


def _hosts(made: Configuration) -> object:
    return [(row.name, row.listeners, row.policy) for row in made.sender_groups], made.listeners[0].tls


def _recipients(made: Configuration) -> object:
    rows = [(row.recipient, row.action, row.reply) for row in made.recipient_access]
    return rows, made.gateway.accepted_domains


def _operators(settings: Configuration) -> object:
    told = [(each.name, each.role, each.full_name, each.enabled) for each in settings.operators]
    return told, matches(settings.operator_of["lea"].passphrase, f"{SECRET}2")


def _accounts(made: Configuration) -> object:
    (account,) = made.accounts
    return account.name, account.senders, account.enabled, matches(account.passphrase, f"{SECRET}2")


def _settings(made: Configuration) -> object:
    return (
        *(made.gateway.hostname, made.gateway.workers, made.delivery.lifetime, made.dns.servers, made.logs.keep_days),
        *(made.limits.disk_reserve, made.tls.error_codes),
    )


OUTCOMES: dict[str, tuple[Callable[[Configuration], object], object]] = {
    "smtproutes": (
        _routes,
        {
            "inside.example": ("10.0.0.1",),
            "other.example": ("mx",),
            ".partner.example": ("mx1.partner.example", "[2001:db8::1]:2525"),
        },
    ),
    "destconfig": (_destinations, ([("partner.example", "required-verify", 3)], "required")),
    "listenerconfig": (
        _listeners,
        (
            ("Inbound", ("127.0.0.3",), 2600, 17, ("demo",)),
            ["public", "private-tls", "Inbound"],
            ("private-tls",),
        ),
    ),
    "hostaccess": (
        _hosts,
        (
            [
                ("ALLOWED", ("public", "private"), "BLOCKED"),
                ("RELAYLIST", ("private", "private-tls"), "RELAYED"),
                ("BLACKLIST", ("public",), "BLOCKED"),
            ],
            "required",
        ),
    ),
    "rcptaccess": (
        _recipients,
        ([("info@inside.example", "reject", "closed")], ("inside.example", "more.example")),
    ),
    "userconfig": (
        _operators,
        ([("admin", "administrator", None, True), ("lea", "operator", "Lea L.", True)], True),
    ),
    "smtpauthconfig": (_accounts, ("scanner", ("inside.example",), True, True)),
    "setconfig": (
        _settings,
        ("gate2.example", 2, 259200.0, ("192.0.2.53", "[2001:db8::53]:5353"), 90, 1 << 30, "classic"),
    ),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, configuration())


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_is_the_golden_one_and_does_what_it_says(desk: Desk, name: str) -> None:
    said, _ = converse(desk, *SCREENS[name])
    assert said == (GOLDEN / f"{name}.txt").read_text()
    assert one_line(desk, "commit", "")[1] == 0
    read, expected = OUTCOMES[name]
    assert read(desk.current()) == expected


@pytest.mark.parametrize("name", SCREENS)
def test_the_same_from_a_pipe_ends_with_the_first_wrong_answer_and_keeps_nothing(desk: Desk, name: str) -> None:
    said, status = converse(desk, *SCREENS[name], piped=True)
    assert status == 1
    assert said != ""
    said, status = converse(desk, "commit", "", piped=True)
    assert "There is no data to commit." in said or name == "setconfig"  # which is several commands


ONE_LINE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("smtproutes", "new", "a.example", "b.example:26,c.example"), "Mapping for a.example to b.example:26, c.example"),
    (("smtproutes", "edit", "inside.example", "USEDNS"), "Mapping for inside.example to USEDNS saved."),
    (("smtproutes", "delete", "1"), "Route for inside.example removed."),
    (("smtproutes", "import", "a.example b.example\nALL c.example"), "2 routes imported."),
    (("smtproutes", "export"), "inside.example 127.0.0.1:2526"),
    (("smtproutes", "print"), "inside.example  127.0.0.1:2526"),
    (("smtproutes", "clear"), "All routes were removed."),
    (("destconfig", "new", "a.example", "5"), "You have chosen to enable TLS."),
    (("destconfig", "default", "4"), "You have chosen to enable TLS."),
    (("destconfig", "list"), "(Default)  Preferred  20           100       100"),
    (("listenerconfig", "new", "public", "extra", "smtp", "2600"), "Listener extra created."),
    (("listenerconfig", "new", "1", "extra", "SMTPS", "2600", "127.0.0.5", "none", "required"), "This cannot be"),
    (("listenerconfig", "edit", "public", "hostaccess", "new", "1", "G", "192.0.2.1", "RELAYED"), "This cannot be"),
    (("listenerconfig", "edit", "private", "hostaccess", "print"), "RELAYLIST: (private, private-tls)"),
    (("listenerconfig", "edit", "1", "rcptaccess", "new", "joe@inside.example", "accept"), ""),
    (("listenerconfig", "edit", "1", "rcptaccess", "import", "a@b.example accept"), "1 entry imported."),
    (("listenerconfig", "delete", "public"), "Listener public deleted."),
    (("smtpauthconfig", "new", "jane", SECRET, SECRET), ""),
    (("userconfig", "new", "jane", SECRET, SECRET, "administrator"), ""),
    (("userconfig", "list"), "No operators are configured."),
    (("sethostname", "other.example"), ""),
    (("deliveryconfig", "set", "retry_max", "2h"), ""),
    (("dnsconfig", "set", "reverse", "no"), ""),
    (("logconfig", "setup", "10M", "3"), ""),
    (("setconfig", "limits", "set", "connections", "77"), ""),
)


@pytest.mark.parametrize(
    ("words", "expected"), ONE_LINE, ids=lambda each: " ".join(each[:4]) if isinstance(each, tuple) else ""
)
def test_one_line_says_and_does_it_without_asking(desk: Desk, words: tuple[str, ...], expected: str) -> None:
    said, status = one_line(desk, *words)
    assert status == 0, said
    assert expected in said
    assert "[" not in said.replace("listeners[", "").replace("sender_groups[", "")  # no prompt was shown


WRONG: tuple[tuple[tuple[str, ...], str], ...] = (
    (("smtproutes", "new", "a.example", "b.example:0"), "'b.example:0': a port is a number from 1 to 65535."),
    (
        ("smtproutes", "new", "inside.example", "b.example"),
        "There is a route 'inside.example' already; EDIT changes it.",
    ),
    (("smtproutes", "delete", "other.example"), "There is no route 'other.example'; did you mean inside"),
    (("destconfig", "delete", "a.example"), "There is no entry to delete."),
    (("destconfig", "new", "*", "1"), "'*' would be every domain there is; name the domains."),
    (("listenerconfig", "edit", "publik"), "There is no listener 'publik'; did you mean public?"),
    (("listenerconfig", "edit", "public", "set", "ports", "3"), "There is no setting 'ports' here; did you mean port?"),
    (("listenerconfig", "new", "public", "extra", "smtp", "70000"), "70000 is not a whole number from 1 to 65535."),
    (("smtpauthconfig", "new", "jane", SECRET, "another one"), "The two passphrases differ."),
    (("userconfig", "new", "jane", SECRET, SECRET, "boss"), "'boss' is not one of administrator, operator"),
    (("userconfig", "delete", "jane"), "There is no operator to delete."),
    (("setconfig", "limits", "set", "connections", "0"), "0 is not a whole number from 1 to 100000."),
)


@pytest.mark.parametrize(
    ("words", "sentence"), WRONG, ids=lambda each: " ".join(each[:4]) if isinstance(each, tuple) else ""
)
def test_a_wrong_word_is_one_sentence_and_nothing_changes(desk: Desk, words: tuple[str, ...], sentence: str) -> None:
    said, status = one_line(desk, *words)
    assert status == 1
    assert sentence in said
    assert "There is no data to commit." in one_line(desk, "commit")[0]


@pytest.mark.parametrize("piped", [True, False])
def test_behind_a_command_in_one_line_a_passphrase_is_asked_for_twice(desk: Desk, piped: bool) -> None:
    typed = ("four words of mine", "four words of mine", "administrator", "commit", "")
    said, status = converse(desk, "userconfig new lea", *typed, piped=piped)
    assert "Enter the same passphrase again." in said
    assert status == 0
    assert "lea" in [each.name for each in desk.current().operators]
