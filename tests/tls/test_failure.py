"""Failures in the words and numbers of the mail log: the lines of the source document save their numbers."""

from __future__ import annotations

import pytest
from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from sealgate.tls.failure import (
    ALERT_BASE,
    ErrorCodes,
    Origin,
    TlsFailure,
    classic_text,
    error_value,
    suggests_version_mismatch,
)
from sealgate.tls.version import Selection


def alert(number: int) -> TlsFailure:
    reason = ALERT_BASE + number
    return TlsFailure(Origin.ALERT, reason, classic_text(reason, ""), number)


def local(reason: int, text: str) -> TlsFailure:
    return TlsFailure(Origin.LOCAL, reason, text)


PROTOCOL_VERSION = alert(70)
UNSUPPORTED = local(258, "unsupported protocol")


@pytest.mark.parametrize(
    ("failure", "native", "classic"),
    [
        (
            PROTOCOL_VERSION,
            "(167773230, 'error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version')",
            "(336151598, 'error:1409442E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version')",
        ),
        (
            UNSUPPORTED,
            "(167772418, 'error:0A000102:SSL routines:tls_early_post_process_client_hello:unsupported protocol')",
            "(337678594, 'error:14209102:SSL routines:tls_early_post_process_client_hello:unsupported protocol')",
        ),
        (
            local(193, "no shared cipher"),
            "(167772353, 'error:0A0000C1:SSL routines:tls_post_process_client_hello:no shared cipher')",
            "(337092801, 'error:1417A0C1:SSL routines:tls_post_process_client_hello:no shared cipher')",
        ),
        (
            local(199, "peer did not return a certificate"),
            "(167772359, 'error:0A0000C7:SSL routines:tls_process_client_certificate:"
            "peer did not return a certificate')",
            "(337100999, 'error:1417C0C7:SSL routines:tls_process_client_certificate:"
            "peer did not return a certificate')",
        ),
        (
            local(267, "wrong version number"),
            "(167772427, 'error:0A00010B:SSL routines:ssl3_get_record:wrong version number')",
            "(336130315, 'error:1408F10B:SSL routines:ssl3_get_record:wrong version number')",
        ),
        (
            local(118, "no suitable signature algorithm"),
            "(167772278, 'error:0A000076:SSL routines:tls_choose_sigalg:no suitable signature algorithm')",
            "(337645686, 'error:14201076:SSL routines:tls_choose_sigalg:no suitable signature algorithm')",
        ),
        (
            local(144, "no certificate assigned"),
            "(167772304, 'error:0A000090:SSL routines::no certificate assigned')",
            "(335544464, 'error:14000090:SSL routines::no certificate assigned')",
        ),
    ],
)
def test_a_failure_is_a_code_and_its_classic_words(failure: TlsFailure, native: str, classic: str) -> None:
    assert error_value(failure) == native
    assert error_value(failure, ErrorCodes.NATIVE) == native
    code, text = classic.strip("()").split(", ", 1)
    assert int(code) == int(text[7:15], 16)
    assert error_value(failure, ErrorCodes.CLASSIC) == classic


@pytest.mark.parametrize(
    ("failure", "value"),
    [
        (TlsFailure(Origin.CLOSED, None, "", os_error="[Errno 104] Connection reset by peer"), None),
        (TlsFailure(Origin.CLOSED, 294, "unexpected eof while reading"), "unexpected eof while reading"),
        (TlsFailure(Origin.TIMEOUT, None, "not finished within 60 seconds"), "not finished within 60 seconds"),
        (TlsFailure(Origin.LOCAL, None, "OpenSSL gave no number"), "OpenSSL gave no number"),
        (TlsFailure(Origin.INJECTION, None, "clear text behind STARTTLS"), "clear text behind STARTTLS"),
    ],
)
@pytest.mark.parametrize("style", ErrorCodes)
def test_what_has_no_code_is_words_alone(failure: TlsFailure, value: str | None, style: ErrorCodes) -> None:
    assert error_value(failure, style) == (value or "[Errno 104] Connection reset by peer")


def reasons() -> dict[int, str]:
    """Every reason of the linked OpenSSL."""
    SSL.Context(SSL.TLS_METHOD)  # loads the strings
    found = {}
    for reason in range(1, 1200):
        pointer = lib.ERR_reason_error_string(20 << 23 | reason)
        if pointer != ffi.NULL:
            found[reason] = ffi.string(pointer).decode()
    return found


def test_every_renamed_reason_of_the_linked_openssl_gets_its_classic_words() -> None:
    """OpenSSL 4 says "tls alert handshake failure" and the like; nothing else differs from what it says itself."""
    linked = reasons()
    assert len(linked) > 300
    changed = {reason: text for reason, text in linked.items() if classic_text(reason, text) != text}
    assert changed
    for reason, text in changed.items():
        classic = classic_text(reason, text)
        assert classic.replace("sslv3 alert", "tls alert").replace("ssl3 ", "tls ") == text, (reason, text, classic)
    assert not [text for reason, text in linked.items() if classic_text(reason, text).startswith("tls alert")]


def test_every_alert_is_named_even_if_the_library_does_not_know_it() -> None:
    assert classic_text(ALERT_BASE + 40, "tls alert handshake failure") == "sslv3 alert handshake failure"
    assert classic_text(ALERT_BASE + 70, "") == "tlsv1 alert protocol version"
    assert classic_text(ALERT_BASE + 250, "") == "alert number 250"
    assert classic_text(999, "") == "reason(999)"


@pytest.mark.parametrize(
    ("failure", "offered", "expected"),
    [
        (PROTOCOL_VERSION, "1.3", True),
        (PROTOCOL_VERSION, "1.0-1.2", True),
        (UNSUPPORTED, "1.2-1.3", True),
        (alert(40), "1.3", True),
        (alert(40), "1.2-1.3", False),
        (alert(40), "1.2", False),
        (alert(80), "1.3", False),
        (local(193, "no shared cipher"), "1.3", False),
        (TlsFailure(Origin.CLOSED, None, "", os_error="[Errno 104] Connection reset by peer"), "1.3", False),
        (TlsFailure(Origin.TIMEOUT, None, "too late"), "1.3", False),
    ],
)
def test_a_version_mismatch_is_suspected_for_three_reasons_only(
    failure: TlsFailure, offered: str, expected: bool
) -> None:
    assert suggests_version_mismatch(failure, Selection.parse(offered)) is expected
