"""The rule of the upgrade, the words of methods, and ciphers of an older OpenSSL."""

from __future__ import annotations

import pytest

from sealgate.config.asyncos import Import, import_asyncos
from sealgate.config.check import check
from sealgate.net.tls.library import measure_library
from tests.config.asyncos.files import file, methods, refusal, routes, ssl, taken
from tests.config.samples import configuration

NAMES = ("gui_https", "inbound_smtp", "outbound_smtp", "other_clients")
UPGRADED = "1.1 1.2"
ALL = "AES128:AES256:!SRP:!AESGCM+DH+aRSA:!AESGCM+RSA:!aNULL:!kRSA:@STRENGTH:-aNULL:-EXPORT:-IDEA"


def spoken(imported: Import) -> list[str]:
    """The versions of each service."""
    return [" ".join(getattr(imported.configuration.tls, name).versions) for name in NAMES]


@pytest.mark.parametrize(
    ("gui", "inbound", "outbound", "after"),
    [
        (*["tlsv1_0tlsv1_1tlsv1_2"] * 3, [UPGRADED] * 4),
        (*["tlsv1_1tlsv1_2"] * 3, [UPGRADED] * 4),
        ("tlsv1_2", "tlsv1_0tlsv1_1tlsv1_2", "tlsv1_2", ["1.2", UPGRADED, "1.2", UPGRADED]),
        ("tlsv1_0", "tlsv1_1", "tlsv1_0tlsv1_1", [UPGRADED] * 4),
        ("tlsv1/tlsv1.2", "sslv3tlsv1", "sslv2sslv3tlsv1", [UPGRADED] * 4),
        ("sslv3", "SSLv2 and SSLv3".replace(" and ", "/"), "tlsv1", [UPGRADED] * 4),
        # one service with TLS 1.3 is enough: the file is of a time that knew it, and every selection is the owner's
        ("tlsv1_0tlsv1_1tlsv1_2", "tlsv1_2tlsv1_3", "tlsv1_3", ["1.0 1.1 1.2", "1.2 1.3", "1.3", UPGRADED]),
        (*["tlsv1_0tlsv1_1tlsv1_2tlsv1_3"] * 3, [*["1.0 1.1 1.2 1.3"] * 3, UPGRADED]),
    ],
)
def test_what_each_service_speaks(gui: str, inbound: str, outbound: str, after: list[str]) -> None:
    assert spoken(taken(methods(gui, inbound, outbound))) == after


def test_a_whole_file_without_a_word_of_tls_is_from_before_tls_1_3() -> None:
    imported = taken("<hostname>old.example</hostname>")
    assert spoken(imported) == [UPGRADED] * 4
    assert "comes up as after an upgrade to AsyncOS 15.5" in imported.banner[0]


def test_a_section_on_its_own_that_says_nothing_of_tls_changes_nothing_of_it() -> None:
    imported = taken(routes("a.example h.example"))
    assert spoken(imported) == ["1.2 1.3"] * 4
    assert imported.banner == ("This file says nothing of TLS: every service keeps its present selection.",)


def test_the_banner_says_what_was_switched_off_and_what_was_kept() -> None:
    before, off, later = taken(methods("tlsv1_0tlsv1_1tlsv1_2", "tlsv1_0tlsv1_1", "tlsv1_2")).banner
    assert before.endswith(
        "TLS 1.1 and 1.2 on every service, except Outbound SMTP: TLS 1.2 alone, which is stricter, is kept."
    )
    assert off.startswith("TLS 1.0 was on for GUI HTTPS and Inbound SMTP, and has been switched off")
    assert "sslconfig" in later


def test_the_banner_of_a_newer_file_names_its_selections() -> None:
    (line,) = taken(methods(*["tlsv1_2tlsv1_3"] * 3)).banner
    assert line.startswith("This configuration sets TLS 1.3, so its selections are kept: GUI HTTPS 1.2-1.3, Inbound")


@pytest.mark.parametrize(("switch", "newer", "after"), [
    ("1", False, UPGRADED), ("0", False, UPGRADED), ("1", True, "1.0 1.1 1.2"), ("0", True, UPGRADED)
])  # fmt: skip
def test_tls_1_0_of_other_clients(switch: str, newer: bool, after: str) -> None:
    method = "tlsv1_2tlsv1_3" if newer else "tlsv1_1tlsv1_2"
    imported = taken(ssl(inbound_method=method, other_client_tlsv10=switch))
    assert spoken(imported)[3] == after
    assert any("Other TLS Client Services, and has been" in line for line in imported.banner) is (
        switch == "1" and not newer
    )


def test_words_of_ssl_are_dropped_and_named() -> None:
    changed = [each.sentence for each in taken(ssl(inbound_method="sslv2sslv3tlsv1")).changed]
    assert [sentence.split()[0] for sentence in changed] == ["sslv2", "sslv3"]


@pytest.mark.parametrize(
    ("settings", "place", "sentence"),
    [
        ({"inbound_method": "tlsv1_1tlsv1_3"}, "ssl_inbound_method", "need TLS 1.2 between them"),
        ({"inbound_method": "sslv3", "gui_method": "tlsv1_3"}, "ssl_inbound_method", "no TLS version is selected"),
        ({"inbound_method": "tlsv1_4"}, "ssl_inbound_method", "'tlsv1_4' is no SSL method"),
        ({"inbound_method": "all"}, "ssl_inbound_method", "'all' is no SSL method"),
        ({"inbound_method": ""}, "ssl_inbound_method", "'' is no SSL method"),
        ({"other_client_tlsv10": "maybe"}, "ssl_other_client_tlsv10", "'maybe' is neither yes nor no"),
    ],
)
def test_methods_that_cannot_be_read(settings: dict[str, str], place: str, sentence: str) -> None:
    (problem,) = refusal(file(ssl(**settings)))
    assert (problem.path, sentence in problem.sentence) == (f"ssl/{place} (line 4)", True), problem


def test_a_method_that_stands_twice_is_refused() -> None:
    (problem,) = refusal(file(ssl(inbound_method="tlsv1_2"), ssl(inbound_method="tlsv1_1")))
    assert problem.path == "ssl/ssl_inbound_method (line 5)"
    assert "second time, after line 4" in problem.sentence


ERAS = {
    "RC4-SHA:RC4-MD5:ALL": ("ALL", ["RC4-SHA", "RC4-MD5"]),
    "MEDIUM:HIGH:-SSLv2:-aNULL:!RC4:@STRENGTH:-EXPORT": ("MEDIUM:HIGH:-SSLv2:-aNULL:!RC4:@STRENGTH:-EXPORT", []),
    "RC4-SHA:RC4-MD5:ALL:-aNULL:-EXPORT": ("ALL:-aNULL:-EXPORT", ["RC4-SHA", "RC4-MD5"]),
    ALL: (ALL, []),
    "SSLv3:!aNULL": ("TLSv1:!aNULL", ["SSLv3"]),
    "ECDHE-RSA-CHACHA20-POLY1305-SHA256:HIGH": (
        "ECDHE-RSA-CHACHA20-POLY1305:HIGH",
        ["ECDHE-RSA-CHACHA20-POLY1305-SHA256"],
    ),
    "BOGUS:HIGH:DES-CBC3-SHA:ADH-AES128-SHA:TLS_AES_128_GCM_SHA256:@SECLEVEL=0:ALL:DEFAULT": (
        "HIGH:ALL",
        ["BOGUS", "DES-CBC3-SHA", "ADH-AES128-SHA", "TLS_AES_128_GCM_SHA256", "@SECLEVEL=0", "DEFAULT"],
    ),
    "  AES128-SHA\n  AES256-SHA\n  -aNULL ": ("AES128-SHA:AES256-SHA:-aNULL", []),
}
"""What stood in files of each time, what becomes of it, and which words are named."""


@pytest.mark.parametrize("text", ERAS)
def test_ciphers_are_translated_word_by_word_and_can_be_used(text: str) -> None:
    after, named = ERAS[text]
    here = measure_library()
    content = file(ssl(inbound_method="tlsv1_0tlsv1_1tlsv1_2", inbound_ciphers=text, outbound_ciphers=text))
    imported = import_asyncos(content, configuration(), here)
    assert imported.configuration.tls.inbound_smtp.ciphers == after
    assert imported.configuration.tls.outbound_smtp.ciphers == after
    said = [each.sentence for each in imported.changed if "inbound" in each.path]
    assert [sentence.split()[0].rstrip(":") for sentence in said] == named
    assert check(imported.configuration, here) == ()
    assert spoken(imported) == [UPGRADED] * 4


@pytest.mark.parametrize("text", ["RC4-SHA:RC4-MD5", "BOGUS", "aNULL", "!aNULL", ":::", ""])
def test_a_string_of_which_nothing_is_left_becomes_the_default(text: str) -> None:
    imported = taken(ssl(gui_method="tlsv1_1tlsv1_2", gui_ciphers=text))
    assert imported.configuration.tls.gui_https.ciphers == "default"
    assert "GUI HTTPS could use; its ciphers are default" in imported.changed[-1].sentence


def test_a_string_without_suites_for_tls_1_1_leaves_1_2_alone() -> None:
    imported = taken(ssl(inbound_method="tlsv1_1tlsv1_2", inbound_ciphers="ECDHE-RSA-AES128-GCM-SHA256"))
    assert spoken(imported)[1] == "1.2"
    assert "no suite for TLS below 1.2, so Inbound SMTP speaks 1.2" in imported.changed[0].sentence
    assert "except Inbound SMTP: TLS 1.2 alone" in imported.banner[0]


def test_other_settings_of_tls_are_named() -> None:
    imported = taken(ssl(inbound_method="tlsv1_2", peer_cert_fqdn="1"))
    assert [each.path for each in imported.left_out] == ["ssl/ssl_peer_cert_fqdn (line 4)"]
