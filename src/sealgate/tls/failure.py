"""A handshake that failed, as a value; and the number and words it has in the mail log.

The numbers are OpenSSL's own: since version 3, library << 23 | reason, without a function. The words are the
classic ones (`tlsv1 alert protocol version`), whatever the linked library calls them, because log analysers
read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealgate.tls.version import ProtocolVersion, Selection


class Origin(StrEnum):
    """Where a handshake ended."""

    ALERT = "alert"  # the peer sent one
    LOCAL = "local"  # our side refused
    CLOSED = "closed"  # the connection ended
    TIMEOUT = "timeout"
    LIMIT = "limit"
    POLICY = "policy"


class ErrorCodes(StrEnum):
    """Which numbers the log prints."""

    NATIVE = "native"  # OpenSSL 3 and later
    CLASSIC = "classic"  # OpenSSL 1.1.1


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """Why a handshake failed. `reason` is OpenSSL's number of it, `alert` the alert that the peer sent."""

    origin: Origin
    reason: int | None
    text: str
    alert: int | None = None
    os_error: str | None = None


UNSUPPORTED_PROTOCOL = 258
NO_SHARED_CIPHER = 193
ALERT_HANDSHAKE_FAILURE = 1040
ALERT_PROTOCOL_VERSION = 1070

_SSL = 20

# reason -> (function of OpenSSL 1.1.1, its number): where those releases noticed it.
_FUNCTIONS = {
    UNSUPPORTED_PROTOCOL: ("tls_early_post_process_client_hello", 521),
    NO_SHARED_CIPHER: ("tls_post_process_client_hello", 378),
    156: ("ssl3_get_record", 143),  # http request
    267: ("ssl3_get_record", 143),  # wrong version number
}
_ALERT_RECEIVED = ("ssl3_read_bytes", 148)

# Alerts that SSL 3.0 knew are named after it in the classic words, the others after TLS 1.0 or 1.3.
_ALERTS = {
    0: "sslv3 alert close notify",
    10: "sslv3 alert unexpected message",
    20: "sslv3 alert bad record mac",
    21: "tlsv1 alert decryption failed",
    22: "tlsv1 alert record overflow",
    30: "sslv3 alert decompression failure",
    40: "sslv3 alert handshake failure",
    41: "sslv3 alert no certificate",
    42: "sslv3 alert bad certificate",
    43: "sslv3 alert unsupported certificate",
    44: "sslv3 alert certificate revoked",
    45: "sslv3 alert certificate expired",
    46: "sslv3 alert certificate unknown",
    47: "sslv3 alert illegal parameter",
    48: "tlsv1 alert unknown ca",
    49: "tlsv1 alert access denied",
    50: "tlsv1 alert decode error",
    51: "tlsv1 alert decrypt error",
    60: "tlsv1 alert export restriction",
    70: "tlsv1 alert protocol version",
    71: "tlsv1 alert insufficient security",
    80: "tlsv1 alert internal error",
    86: "tlsv1 alert inappropriate fallback",
    90: "tlsv1 alert user cancelled",
    100: "tlsv1 alert no renegotiation",
    109: "tlsv13 alert missing extension",
    110: "tlsv1 unsupported extension",
    111: "tlsv1 certificate unobtainable",
    112: "tlsv1 unrecognized name",
    113: "tlsv1 bad certificate status response",
    114: "tlsv1 bad certificate hash value",
    115: "tlsv1 alert unknown psk identity",
    116: "tlsv13 alert certificate required",
    120: "tlsv1 alert no application protocol",
}
_ALERT_BASE = 1000


def classic_text(reason: int, library_text: str) -> str:
    """The words of OpenSSL 1.1.1 for a reason; the library's own where they are the same."""
    if reason >= _ALERT_BASE:
        return _ALERTS.get(reason - _ALERT_BASE, library_text or f"alert number {reason - _ALERT_BASE}")
    return library_text


def error_value(failure: TlsFailure, style: ErrorCodes = ErrorCodes.NATIVE) -> str:
    """What stands behind `TLS failed:` in the mail log."""
    if failure.os_error is not None:
        return failure.os_error
    if failure.reason is None or failure.origin not in (Origin.ALERT, Origin.LOCAL):
        return failure.text
    function, number = _function(failure)
    code = _SSL << 23 | failure.reason
    if style is ErrorCodes.CLASSIC:
        code = _SSL << 24 | number << 12 | failure.reason
    return f"({code}, 'error:{code:08X}:SSL routines:{function}:{failure.text}')"


def _function(failure: TlsFailure) -> tuple[str, int]:
    if failure.origin is Origin.ALERT:
        return _ALERT_RECEIVED
    return _FUNCTIONS.get(failure.reason or 0, ("", 0))


def suggests_version_mismatch(failure: TlsFailure, offered: Selection) -> bool:
    """Whether a client may suspect that the versions did not fit.

    A protocol_version alert says so. A server that has no TLS 1.3 may also answer a hello that offers nothing
    else with handshake_failure.
    """
    if failure.origin is Origin.ALERT and failure.reason == ALERT_HANDSHAKE_FAILURE:
        return offered.lowest is ProtocolVersion.TLS1_3
    return failure.reason in (ALERT_PROTOCOL_VERSION, UNSUPPORTED_PROTOCOL)
