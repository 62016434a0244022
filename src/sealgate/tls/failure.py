"""A handshake that failed, as a value; and the number and words it has in the mail log.

The numbers are OpenSSL's own: since version 3, library << 23 | reason, without a function. The words are the classic
ones (`tlsv1 alert protocol version`), whatever the linked library calls them, because log analysers read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealgate.tls.version import ProtocolVersion, Selection


class Origin(StrEnum):
    """Where a handshake ended."""

    ALERT = "alert"  # the peer sent one
    LOCAL = "local"  # our OpenSSL refused
    CLOSED = "closed"  # the connection ended, or was reset
    TIMEOUT = "timeout"
    LIMIT = "limit"
    POLICY = "policy"
    INJECTION = "injection"  # clear text stood behind STARTTLS


class ErrorCodes(StrEnum):
    """Which numbers the log prints."""

    NATIVE = "native"  # OpenSSL 3 and later
    CLASSIC = "classic"  # OpenSSL 1.1.1


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """Why a handshake failed.

    `reason` is OpenSSL's number of it within its TLS library, `text` its classic words or a sentence, `alert` the alert
    that the peer sent, `os_error` what the operating system said of the connection.
    """

    origin: Origin
    reason: int | None
    text: str
    alert: int | None = None
    os_error: str | None = None


NO_SUITABLE_KEY_SHARE = 101
NO_SUITABLE_SIGNATURE = 118
CERTIFICATE_VERIFY_FAILED = 134
HTTPS_PROXY_REQUEST = 155
HTTP_REQUEST = 156
NO_SHARED_CIPHER = 193
NO_PEER_CERTIFICATE = 199
UNKNOWN_PROTOCOL = 252
UNSUPPORTED_PROTOCOL = 258
WRONG_VERSION_NUMBER = 267
INAPPROPRIATE_FALLBACK = 373
NO_SHARED_SIGNATURES = 376
DH_KEY_TOO_SMALL = 394
VERSION_TOO_LOW = 396
NO_SHARED_GROUPS = 410

ALERT_BASE = 1000
"""A reason of 1000 + n says that the peer sent alert n."""
ALERT_HANDSHAKE_FAILURE = ALERT_BASE + 40
ALERT_PROTOCOL_VERSION = ALERT_BASE + 70

_SSL = 20  # ERR_LIB_SSL

# Where OpenSSL 1.1.1 noticed a reason, and its number of that function. Our clients leave the certificate to us, so
# that only a server's OpenSSL ever finds one wrong.
_FUNCTIONS = {
    NO_SUITABLE_KEY_SHARE: ("final_key_share", 503),
    NO_SUITABLE_SIGNATURE: ("tls_choose_sigalg", 513),
    CERTIFICATE_VERIFY_FAILED: ("tls_process_client_certificate", 380),
    HTTPS_PROXY_REQUEST: ("ssl3_get_record", 143),
    HTTP_REQUEST: ("ssl3_get_record", 143),
    NO_SHARED_CIPHER: ("tls_post_process_client_hello", 378),
    NO_PEER_CERTIFICATE: ("tls_process_client_certificate", 380),
    UNSUPPORTED_PROTOCOL: ("tls_early_post_process_client_hello", 521),
    WRONG_VERSION_NUMBER: ("ssl3_get_record", 143),
    INAPPROPRIATE_FALLBACK: ("tls_early_post_process_client_hello", 521),
    DH_KEY_TOO_SMALL: ("tls_process_ske_dhe", 419),
    VERSION_TOO_LOW: ("tls_early_post_process_client_hello", 521),
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

# The few other reasons that OpenSSL 4 has renamed.
_RENAMED = {
    232: "ssl3 ext invalid max fragment length",
    300: "ssl3 session id too long",
    319: "ssl3 ext invalid servername",
    320: "ssl3 ext invalid servername type",
}


def classic_text(reason: int, library_text: str) -> str:
    """The words of OpenSSL 1.1.1 for a reason; the library's own where it has not changed them."""
    if reason >= ALERT_BASE:
        alert = reason - ALERT_BASE
        return _ALERTS.get(alert, library_text or f"alert number {alert}")
    return _RENAMED.get(reason, library_text or f"reason({reason})")


def error_value(failure: TlsFailure, style: ErrorCodes = ErrorCodes.NATIVE) -> str:
    """What stands behind `TLS failed:` in the mail log: a pair of code and text, or a text alone."""
    if failure.os_error is not None:
        return failure.os_error
    if failure.reason is None or failure.origin not in (Origin.ALERT, Origin.LOCAL):
        return failure.text
    function, number = _function(failure.origin, failure.reason)
    code = _SSL << 23 | failure.reason
    if style is ErrorCodes.CLASSIC:
        code = _SSL << 24 | number << 12 | failure.reason
    return str((code, f"error:{code:08X}:SSL routines:{function}:{failure.text}"))


def _function(origin: Origin, reason: int) -> tuple[str, int]:
    return _ALERT_RECEIVED if origin is Origin.ALERT else _FUNCTIONS.get(reason, ("", 0))


def suggests_version_mismatch(failure: TlsFailure, offered: Selection) -> bool:
    """Whether a client may suspect that the versions did not fit.

    A protocol_version alert says so, and our own OpenSSL when the server chose a version that was not offered. A server
    without TLS 1.3 may also answer a hello that offers nothing else with handshake_failure.
    """
    if failure.origin is Origin.ALERT:
        only_newest = offered.lowest is ProtocolVersion.TLS1_3
        return failure.reason == ALERT_PROTOCOL_VERSION or (failure.reason == ALERT_HANDSHAKE_FAILURE and only_newest)
    return failure.origin is Origin.LOCAL and failure.reason == UNSUPPORTED_PROTOCOL
