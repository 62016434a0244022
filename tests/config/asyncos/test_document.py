"""What is no AsyncOS configuration, or not one that may be trusted, is refused in a sentence with its place."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.config.asyncos import import_asyncos
from sealgate.config.asyncos.element import LARGEST
from sealgate.config.check import check
from sealgate.config.document import decoded, is_asyncos, parse
from sealgate.config.problem import ConfigurationError
from tests.config.asyncos.files import EXAMPLE, HEAD, file, methods, recipients, refusal, routes, ssl, taken
from tests.config.samples import LIBRARY, configuration

BOMB = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
OLD = methods(*["tlsv1_0tlsv1_1tlsv1_2"] * 3)


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("<config", "", "line 1: no well-formed XML"),
        ("\n\n<config>\n<a></b></config>", "", "line 4: no well-formed XML (mismatched tag)"),
        ("<", "", "no well-formed XML"),
        (file(OLD)[:-4], "", "no well-formed XML"),
        ("<html><body/></html>", "", "another kind of XML: it begins with <html>"),
        (f"<!DOCTYPE config [{BOMB}]><config><hostname>&c;</hostname></config>", "", "declares entities of its own"),
        (
            '<!DOCTYPE config [<!ENTITY x SYSTEM "file:///etc/passwd">]><config><hostname>&x;</hostname></config>',
            "",
            "declares entities of its own",
        ),
        ('<!DOCTYPE config [<!ENTITY % x SYSTEM "http://x.example/x"> %x;]><config/>', "", "entities of its own"),
        ("<config><hostname>&nothing;</hostname></config>", "", "no well-formed XML (undefined entity)"),
        (f"<config>{'<a>' * 1000}{'</a>' * 1000}</config>", "", "nested more than 64 deep"),
        (file("<users><user><pw>*****</pw></user></users>", OLD), "users/user/pw (line 4)", "passphrases are masked"),
        (f"<config>{' ' * LARGEST}</config>", "", "up to 10,485,760 are read"),
        (file(), "", "nothing in this file can be read here"),
        (file("<update_interval>600</update_interval>"), "", "nothing in this file can be read here"),
        (file(OLD, "<hostname>not a name</hostname>"), "hostname (line 5)", "'not a name' is no host name"),
        (file("<hostname>a.example</hostname>", "<hostname>b.example</hostname>"), "hostname (line 5)", "a second"),
        ("<config>\ud800</config>", "", "characters that no XML file can hold"),
    ],
)  # fmt: skip
def test_it_is_refused(text: str, place: str, sentence: str) -> None:
    problem, *others = refusal(text)
    assert not others
    assert problem.path == place
    assert sentence in problem.sentence


def test_every_problem_is_named_with_its_line() -> None:
    found = refusal(file(methods("sslv9", "tlsv1_2", ""), routes("a..example h.example", "b.example h h:99999")))
    assert [problem.path for problem in found] == [
        "ssl/ssl_gui_method (line 4)",
        "ssl/ssl_outbound_method (line 4)",
        "smtp_routes/smtp_route (line 5)",
        "smtp_routes/smtp_route (line 5)",
    ]


def test_the_doctype_of_a_saved_file_is_no_reason_to_fetch_anything() -> None:
    assert "config.dtd" in HEAD
    assert taken(OLD).configuration.tls.inbound_smtp.versions == ("1.1", "1.2")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('<?xml version="1.0" encoding="ISO-8859-1"?><config>ü</config>'.encode("latin-1"), "ü"),
        ("<?xml version='1.0' encoding='utf-8'?><config>ü€</config>".encode(), "ü€"),
        (b"\xef\xbb\xbf<config>\xc3\xbc</config>", "ü"),
        ("<config>ü€</config>".encode("utf-16"), "ü€"),
        ('title = "ü"'.encode(), "ü"),
    ],
)
def test_encodings_that_are_read(data: bytes, text: str) -> None:
    assert text in decoded(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<config>\xfc</config>", "this file is not in UTF-8 at byte 9; save it in UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-8"?><config>\xff</config>', "this file is not in UTF-8 at byte 47"),
        (b'<?xml version="1.0" encoding="EBCDIC-9"?><config/>', "says that its encoding is 'EBCDIC-9', which is none"),
        (b'<?xml version="1.0" encoding="base64"?><config/>', "which is none"),
        (b"\xff\xfe<", "this file is not in UTF-16"),
        (b"x" * (LARGEST + 1), "this file has 10,485,761 bytes"),
    ],
)
def test_encodings_that_are_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        decoded(data)
    assert sentence in str(refused.value)


def test_it_is_known_by_its_first_character_and_is_no_toml() -> None:
    assert is_asyncos("\ufeff\n <config/>")
    assert not is_asyncos("[gateway]\n# <config>")
    with pytest.raises(
        ConfigurationError, match="this is XML; an AsyncOS configuration is read by sealgate loadconfig"
    ):
        parse("<config/>")


def test_a_large_file_is_read_in_seconds() -> None:
    rows = [f"d{number}.example h{number}.example" for number in range(40_000)]
    began = time.perf_counter()
    assert len(taken(routes(*rows)).configuration.routes) == 40_000
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        f"<config><ssl>{'<a/>x' * 500_000}</ssl></config>",
        file(ssl(inbound_method="tlsv1 " * 400_000)),
        file(ssl(inbound_ciphers="bogus:" * 400_000, inbound_method="tlsv1_2")),
        f"<!--{chr(10) * 4_000_000}--><config><hostname>a.example</hostname></config>",
        f"<config><{'a' * 4_000_000}/><hostname>a.example</hostname></config>",
        file(f"<hostname>{'a' * 4_000_000}</hostname>"),
        file(routes(f"a.example {'h.example,' * 400_000}")),
        file(recipients(*["a.example ACCEPT"] * 20_000)),
    ],
    ids=["text", "method", "ciphers", "comment", "tag", "hostname", "hosts", "twice"],
)
def test_what_is_made_to_take_long_does_not(text: str) -> None:
    began = time.perf_counter()
    with contextlib.suppress(ConfigurationError):
        import_asyncos(text, configuration(), LIBRARY)
    assert time.perf_counter() - began < 20


@given(st.data())
def test_a_file_with_damage_is_read_or_refused_and_never_half(data: st.DataObject) -> None:
    text = decoded(EXAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from(["", "<", ">", "&", "/", "\0", "é", "ALL", "tlsv1_3", "</config>", "<ssl>", ":"])
        )
        text = text[:at] + piece + text[at + data.draw(st.integers(0, 40)) :]
    try:
        imported = import_asyncos(text, configuration(), LIBRARY)
    except ConfigurationError:
        return  # any other exception is one too many
    assert not [each for each in check(imported.configuration, LIBRARY) if each.path.startswith("tls")]


def test_the_example_is_read_and_nothing_of_it_is_passed_over_in_silence() -> None:
    text = decoded(EXAMPLE.read_bytes())
    imported = taken(text[text.index("<config>") + 8 : text.index("</config>")])
    settings = imported.configuration
    assert settings.gateway.accepted_domains == ("inside.example", ".inside.example")
    assert [(route.domain, *route.hosts) for route in settings.routes] == [
        ("inside.example", "127.0.0.1:2526"),
        (".inside.example", "127.0.0.1:2526"),
        ("partner.example", "mx1.partner.example", "mx2.partner.example"),
    ]
    assert [(row.domain, row.tls, row.connections) for row in settings.destinations] == [
        ("partner.example", "required", 10),
        ("bank.example", "required-verify", None),
    ]
    assert settings.recipient_access[0].reply == "This person has left; write to office@inside.example"
    assert settings.delivery.connections_per_destination == 500
    named = " ".join(f"{each.path} {each.sentence}" for each in imported.left_out)
    for left in ("interfaces", "dns", "users", "timezone", "log_subscriptions", "hat", "/dev/null", "port"):
        assert left in named


def test_what_the_gateway_has_and_the_file_does_not_say_stays() -> None:
    imported = taken(recipients("other.example ACCEPT"))
    assert imported.configuration.gateway.hostname == "gate.inside.example"
    assert imported.configuration.gateway.accepted_domains == ("other.example",)
    assert [route.domain for route in imported.configuration.routes] == ["inside.example"]
    assert imported.configuration.certificates
    assert imported.configuration.listeners
