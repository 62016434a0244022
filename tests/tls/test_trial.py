"""What a handshake with one version must end like."""

from __future__ import annotations

import pytest

from sealgate.tls.failure import (
    ALERT_HANDSHAKE_FAILURE,
    ALERT_PROTOCOL_VERSION,
    UNSUPPORTED_PROTOCOL,
    Origin,
    TlsFailure,
)
from sealgate.tls.trial import Attempt, judge_attempt, judge_own
from sealgate.tls.version import Selection, parse_version

OURS, THEIRS = "aa", "bb"
ALERT = TlsFailure(Origin.ALERT, ALERT_PROTOCOL_VERSION, "tlsv1 alert protocol version", 70)
LOWER = TlsFailure(Origin.LOCAL, UNSUPPORTED_PROTOCOL, "unsupported protocol")
CIPHER = TlsFailure(Origin.ALERT, ALERT_HANDSHAKE_FAILURE, "sslv3 alert handshake failure", 40)
SILENT = TlsFailure(Origin.TIMEOUT, None, "nothing came of it within 10 seconds")


@pytest.mark.parametrize(
    ("selection", "version", "certificate", "failure", "passed"),
    [
        ("1.2-1.3", "1.2", OURS, None, True),
        ("1.2-1.3", "1.3", OURS, None, True),
        ("1.2-1.3", "1.2", THEIRS, None, False),  # somebody else answers on our port
        ("1.2-1.3", "1.1", None, ALERT, True),
        ("1.2-1.3", "1.1", None, CIPHER, False),  # refused by accident
        ("1.2-1.3", "1.1", None, SILENT, False),
        ("1.2-1.3", "1.1", None, LOWER, False),
        ("1.2-1.3", "1.1", OURS, None, False),
        ("1.2-1.3", "1.2", None, ALERT, False),
        ("1.2-1.3", "1.2", OURS, CIPHER, True),  # it has shown its certificate, and asks for ours
        ("1.0-1.1", "1.2", None, LOWER, True),  # decision 022
        ("1.0-1.1", "1.3", None, LOWER, False),  # who lists its versions gets the alert
        ("1.0-1.1", "1.3", None, ALERT, True),
        ("1.3", "1.2", None, ALERT, True),
        ("1.3", "1.2", None, None, False),
    ],
)
def test_a_listener(
    selection: str, version: str, certificate: str | None, failure: TlsFailure | None, passed: bool
) -> None:
    attempt = Attempt(parse_version(version), certificate, failure)
    assert judge_attempt(Selection.parse(selection), attempt, frozenset({OURS}))[0] is passed
    if certificate == THEIRS:
        assert judge_attempt(Selection.parse(selection), attempt, None)[0]


@pytest.mark.parametrize(
    ("selection", "version", "certificate", "failure", "passed"),
    [
        ("1.2-1.3", "1.2", THEIRS, None, True),
        ("1.2-1.3", "1.1", None, CIPHER, True),  # how a client of ours declines is its affair
        ("1.2-1.3", "1.1", THEIRS, None, False),
        ("1.2-1.3", "1.3", None, ALERT, False),
    ],
)
def test_a_client(
    selection: str, version: str, certificate: str | None, failure: TlsFailure | None, passed: bool
) -> None:
    assert judge_own(Selection.parse(selection), Attempt(parse_version(version), certificate, failure))[0] is passed
