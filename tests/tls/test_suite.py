"""What the name of a suite says is what OpenSSL knows of it."""

from __future__ import annotations

import re
import subprocess

import pytest

from sealgate.tls.registry import REMOVED, SUITES
from sealgate.tls.suite import KNOWN_SUITES, LEGACY_SUITES, MODERN_SUITES, TLS13_SUITES, suite_name, suite_number
from sealgate.tls.version import ProtocolVersion
from tests.tls.peer import yielded

_LINE = re.compile(
    r"\s*0x(?P<high>..),0x(?P<low>..) - (?P<name>\S+)\s+(?P<introduced>\S+)\s+Kx=(?P<exchange>\S+)\s+"
    r"Au=(?P<authentication>\S+)\s+Enc=(?P<encryption>[A-Za-z0-9]+)\S*\s+Mac=(?P<mac>\S+)"
)


def test_the_registry_holds_exactly_what_openssl_has_in_its_order() -> None:
    assert tuple(KNOWN_SUITES) == yielded("ALL:COMPLEMENTOFALL")


@pytest.mark.needs("openssl")
def test_every_fact_is_that_of_openssl_ciphers() -> None:
    """The command has another release behind it: what both have must agree in all columns."""
    shown = subprocess.run(
        ["openssl", "ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True, text=True, check=True
    ).stdout
    lines = [match for match in map(_LINE.match, shown.splitlines()) if match and match["introduced"] != "TLSv1.3"]
    assert len(lines) > 100
    for line in lines:
        suite = KNOWN_SUITES[line["name"]]
        encryption = line["encryption"] if line["encryption"] == "None" else line["encryption"].upper()
        assert suite.number == int(line["high"] + line["low"], 16), suite
        assert suite.introduced == line["introduced"], suite
        assert (suite.exchange, suite.authentication) == (line["exchange"], line["authentication"]), suite
        assert (suite.encryption, suite.mac) == (encryption, line["mac"]), suite


def test_no_number_has_two_names() -> None:
    numbers = [*SUITES.values(), *REMOVED.values()]
    assert len(numbers) == len(set(numbers))


def test_tls13_has_the_three_suites_of_the_source_in_its_order() -> None:
    assert TLS13_SUITES == ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x1302, "TLS_AES_256_GCM_SHA384"),
        (0xC02F, "ECDHE-RSA-AES128-GCM-SHA256"),
        (0x0005, "RC4-SHA"),
        (0x000A, "DES-CBC3-SHA"),
        (0x5600, "TLS_FALLBACK_SCSV"),
        (0x1A1A, "0x1A1A"),
        (0, "0x0000"),
    ],
)
def test_a_number_has_a_name(number: int, name: str) -> None:
    assert suite_name(number) == name
    assert suite_number(name) == (None if name.startswith("0x") else number)


def test_the_recommended_suites_are_what_they_say() -> None:
    assert all(KNOWN_SUITES[name].aead and KNOWN_SUITES[name].forward_secret for name in MODERN_SUITES)
    assert all(KNOWN_SUITES[name].speaks(ProtocolVersion.TLS1_0) for name in LEGACY_SUITES)
    assert all(KNOWN_SUITES[name].usable for name in MODERN_SUITES + LEGACY_SUITES)


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        ("AES128-SHA", True),
        ("DHE-RSA-AES128-SHA", True),
        ("DHE-DSS-AES128-SHA", False),
        ("PSK-AES128-GCM-SHA256", False),
        ("RSA-PSK-AES128-GCM-SHA256", False),
        ("SRP-RSA-AES-128-CBC-SHA", False),
        ("ADH-AES128-SHA", False),
        ("NULL-SHA", False),
    ],
)
def test_only_what_a_certificate_can_carry_is_usable(name: str, usable: bool) -> None:
    assert KNOWN_SUITES[name].usable is usable


def test_a_suite_exists_in_its_versions_only() -> None:
    versions = {name: [v.number for v in ProtocolVersion if KNOWN_SUITES[name].speaks(v)] for name in KNOWN_SUITES}
    assert versions["ECDHE-RSA-AES128-GCM-SHA256"] == ["1.2"]
    assert versions["AES128-SHA"] == ["1.0", "1.1", "1.2"]
    assert versions["IDEA-CBC-SHA"] == ["1.0", "1.1"]
    assert versions["AES128-SHA256"] == ["1.2"]
