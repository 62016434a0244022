"""The mail log's lines, word for word: tests/golden/mail.log is what STORY must look like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sealgate.event.codec import EVENTS, Record
from sealgate.event.facts import (
    AcceptingResumed,
    AcceptingStopped,
    Bounced,
    BounceGenerated,
    CertificatesRenewed,
    CertificatesUnusable,
    ChangesCleared,
    ChildDied,
    ChildStarted,
    ConnectionAccepted,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionRefused,
    Delayed,
    DelayNoticeGenerated,
    Delivered,
    DeliveryClosed,
    DeliveryFailed,
    DeliveryOpened,
    DeliveryStarted,
    DiskLow,
    Event,
    GatewayStarted,
    GatewayStopping,
    HostDown,
    HostNamed,
    HostUp,
    HttpsOpened,
    HttpsTurnedAway,
    HttpsWithdrawn,
    LoginFailed,
    LoginSucceeded,
    MessageAborted,
    MessageDeleted,
    MessageFinished,
    MessageFrom,
    MessageHeld,
    MessageIdSeen,
    MessagePending,
    MessageQueued,
    MessageReady,
    MessageReleased,
    MessageStarted,
    MessageTo,
    Note,
    NoticeOmitted,
    OperatorActed,
    OperatorLoggedIn,
    OperatorLoginFailed,
    OperatorRefused,
    PlainHttpAnswered,
    ReceivingFailed,
    RecipientRefused,
    RecordLost,
    RelayNoticeGenerated,
    RequestAnswered,
    RequestFailed,
    ResponseGiven,
    Resumed,
    RevisionApplied,
    RevisionConfirmed,
    RevisionRefused,
    RevisionReverted,
    SenderRefused,
    ServiceUnavailable,
    SpoolRecovered,
    SpoolTrouble,
    StarttlsInjected,
    StarttlsNotOffered,
    StarttlsRefused,
    StopOrdered,
    SubjectSeen,
    Suspended,
    TlsFailed,
    TlsNotEnough,
    TlsRequired,
    TlsSucceeded,
    TokenMade,
    TokenRevoked,
    VerificationFailed,
    VerificationPassed,
    Way,
)
from sealgate.event.maillog import head_lines, render
from sealgate.tls.failure import (
    ALERT_PROTOCOL_VERSION,
    NO_SHARED_CIPHER,
    UNSUPPORTED_PROTOCOL,
    ErrorCodes,
    Origin,
    TlsFailure,
)
from sealgate.tls.verdict import Explanation, Outcome
from sealgate.tls.version import ProtocolVersion

ZONE = timezone(timedelta(hours=-6))
GOLDEN = (Path(__file__).parent / "mail.log").read_text(encoding="utf-8")


def success(way: Way, number: int, version: ProtocolVersion, cipher: str) -> TlsSucceeded:
    outcome = Outcome(version, cipher, None, None, False, None, None, None, None)
    return TlsSucceeded(way, number, "any", "192.0.2.1", None, outcome, None, 0.01)


def failure(way: Way, number: int, why: TlsFailure, *, deferring: bool = False, mismatch: bool = False) -> TlsFailed:
    told = Explanation("code", "sentence", "mend")
    return TlsFailed(way, number, "any", "192.0.2.1", None, why, told, None, "1.3", deferring, mismatch, 0.01)


UNSUPPORTED = TlsFailure(Origin.LOCAL, UNSUPPORTED_PROTOCOL, "unsupported protocol")
NO_CIPHER = TlsFailure(Origin.LOCAL, NO_SHARED_CIPHER, "no shared cipher")
RESET = TlsFailure(Origin.CLOSED, None, "connection reset", os_error="[Errno 54] Connection reset by peer")
ALERT = TlsFailure(Origin.ALERT, ALERT_PROTOCOL_VERSION, "tlsv1 alert protocol version", alert=70)
S17 = failure(Way.OUT, 485171, ALERT, deferring=True, mismatch=True)
S18 = success(Way.OUT, 485206, ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384")
S19 = failure(Way.IN, 1020004, UNSUPPORTED)
S20 = success(Way.IN, 1020089, ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384")

START, RECEIVE, DELIVER, FAIL, DEFER, STOP = (
    datetime(2024, 1, 17, 20, 11, 0, 999999, ZONE),
    datetime(2024, 1, 17, 20, 11, 1, 0, ZONE),
    datetime(2024, 1, 17, 20, 11, 2, 0, ZONE),
    datetime(2024, 1, 17, 20, 11, 6, 0, ZONE),
    datetime(2024, 1, 17, 20, 41, 18, 0, ZONE),
    datetime(2024, 2, 3, 4, 5, 6, 0, ZONE),
)

STORY: list[tuple[datetime, list[Event]]] = [
    (
        START,
        [
            ChildStarted("worker-1", 4711),
            ServiceUnavailable("private", "the certificate 'mail' has expired"),
            SpoolRecovered(3, 1),
            DiskLow(1, 500 << 20, 256 << 20),
            AcceptingStopped(1, "the queue of worker 1 has 250000 messages, its share of limits.queue_messages"),
            AcceptingResumed(1),
            GatewayStarted("0.1.0", 7),
        ],
    ),
    (
        RECEIVE,
        [
            ConnectionOpened(824108, "public", "23.90.98.53", 25, "136.143.188.59", 40122),
            HostNamed(824108, "sender.zoho.example", True, False),
            HostNamed(824109, None, False, True),
            ConnectionAccepted(824108, "ACCEPT", "UNKNOWNLIST", "ALL"),
            LoginSucceeded(824108, "me@mycompany.example", "PLAIN"),
            LoginFailed(824109, "guess\nwork", "LOGIN", "wrong login or passphrase"),
            success(Way.IN, 824108, ProtocolVersion.TLS1_2, "ECDHE-RSA-AES256-GCM-SHA384"),
            MessageStarted(26983, 824108),
            MessageFrom(26983, 824108, "noreply-dmarc@zoho.example"),
            MessageTo(26983, 824108, 0, "user@mycompany.example"),
            RecipientRefused(824108, 26983, "nobody@elsewhere.example", "550 no", "RAT"),
            RecipientRefused(824108, None, "nobody@elsewhere.example", "550 no", "RAT"),
            SenderRefused(824108, "spam@elsewhere.example", "550 no", "Injection Control"),
            MessageIdSeen(26983, "<redacted@mailfrom.example>"),
            SubjectSeen(26983, 'Testing "quotes" and \\ and Gr\u00fc\u00dfe'),
            MessageReady(26983, 280, "noreply-dmarc@zoho.example"),
            MessageQueued(26983),
            ConnectionClosed(824108, lost=False),
        ],
    ),
    (
        DELIVER,
        [
            DeliveryOpened(30, "10.13.102.10", "10.13.101.31", 25, "mx.example", "mycompany.example"),
            success(Way.OUT, 30, ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384"),
            DeliveryStarted(30, 26983, (0, 1)),
            Delivered(30, 26983, (0,)),
            ResponseGiven(26983, 0, "2.0.0 Ok: queued as 3jjSKc6HnKz4GTHJ"),
            Bounced(
                3,
                4,
                (0,),
                "5.1.0",
                "550",
                ("<george@yourdomain.com>... Relaying denied",),
                "Unknown address error",
            ),
            Delayed(5, 4, (0, 1), "4.1.0", "466", ("Mailbox temporarily full.",), "Unknown address error"),
            MessagePending(4, (0, 1), datetime(2003, 4, 1, 2, 1, 23, tzinfo=UTC)),
            BounceGenerated(515, 511),
            DelayNoticeGenerated(516, 4),
            RelayNoticeGenerated(517, 26983),
            NoticeOmitted(515, (0,), "it has no sender"),
            MessageFinished(26983),
            DeliveryClosed(30),
            DeliveryFailed(
                63, "domainsample2.com", "10.13.101.31", 25, "10.10.192.50", "[Errno 0] Error", "network error"
            ),
            HostDown("mx.example", "2001:db8::25", 25, datetime(2024, 1, 17, 19, 12, 2, tzinfo=UTC), "[Errno 0] Error"),
            HostUp("mx.example", "2001:db8::25", 25),
        ],
    ),
    (
        FAIL,
        [
            S19,
            failure(Way.IN, 4420993, NO_CIPHER),
            failure(Way.IN, 4, RESET),
            ConnectionClosed(4, lost=True),
            StarttlsInjected(Way.IN, 5, "192.0.2.7", 31),
            TlsRequired(8),
            ReceivingFailed(9, "Message size exceeds limit"),
            ConnectionRefused(10, "public", "192.0.2.9", "421 no", "Connection limit exceeded"),
            MessageAborted(24611411, 11, "Receiving aborted"),
        ],
    ),
    (
        DEFER,
        [
            S17,
            TlsNotEnough(8, "204.15.82.140", "x.example", "Required", "TLS required, STARTTLS unavailable"),
            StarttlsRefused(80167, "x.example", "454 no"),
            StarttlsNotOffered(80168, "x.example"),
            StarttlsInjected(Way.OUT, 80169, "192.0.2.8", 9),
            RevisionApplied(8, "admin", "TLS 1.3 only"),
            RevisionRefused("admin", ("listeners[0].port: 0 is no port", "delivery: no TLS")),
            CertificatesRenewed(8),
            CertificatesUnusable(("certificate profile 'mx': the private key is encrypted",)),
            VerificationPassed(8, 24),
            VerificationFailed(8, ("public at 127.0.0.1:25, TLS 1.2: it was accepted",)),
            RevisionConfirmed(8, "admin"),
            RevisionReverted(8, 9, 7, "it was not confirmed in time"),
            OperatorLoggedIn("lea", "operator", "cli", "root"),
            OperatorLoginFailed("lea\nInfo: x", "cli", "root", "wrong login or passphrase"),
            OperatorRefused("lea", "operator", "cli", "commit"),
            ChangesCleared("admin"),
            StopOrdered("admin"),
            ChildDied("worker-1", 4711, -9),
            ChildDied("control", 4712, 1),
            SpoolTrouble("the disk is full"),
            RecordLost(12, "mail.log could not be written: No space left on device"),
            Note("Warning", "worker-2 is slow"),
            MessageHeld(26984, "admin"),
            MessageReleased(26984, "admin"),
            MessageDeleted(26984, (0, 2), "admin"),
            OperatorActed("admin", "delete", "recipient mycompany.example, state deferred", 1, 2),
            Suspended("destination mycompany.example", "admin"),
            Resumed("all listeners", "admin"),
            TokenMade("admin", 3, "prometheus", "metrics"),
            TokenRevoked("admin", 3, "prometheus", "joe"),
            HttpsOpened(7, "GUI HTTPS", "10.13.102.10", 443, "192.0.2.10", 50000),
            failure(Way.GUI, 7, UNSUPPORTED),
            success(Way.GUI, 8, ProtocolVersion.TLS1_3, "TLS_AES_256_GCM_SHA384"),
            PlainHttpAnswered(9, "GUI HTTPS", "192.0.2.10", 308),
            RequestAnswered(8, "5f2a", "admin", "192.0.2.10", "POST", "/api/v1/candidate/commit", 200, 0.4),
            RequestAnswered(8, "5f2b", "", "192.0.2.10", "GET", "/\r\nfake", 404, 0.1),
            RequestFailed(8, "5f2c", "ValueError in line 7 of made in pages.py"),
            HttpsWithdrawn("GUI HTTPS", 3, 5, "it speaks 1.3 now"),
            HttpsTurnedAway("NGUI HTTPS", 41, "they made room for others"),
        ],
    ),
    (STOP, [GatewayStopping()]),
]


def line(at: datetime, event: Event, codes: ErrorCodes = ErrorCodes.NATIVE) -> str:
    return render(Record(at.astimezone(UTC), "worker-1", event), zone=ZONE, error_codes=codes)


def test_the_story_reads_as_it_should() -> None:
    lines = [line(at, event) for at, events in STORY for event in events]
    assert head_lines(START, "0.1.0", ZONE) + "\n".join(lines) + "\n" == GOLDEN


def test_the_story_has_every_fact() -> None:
    assert {type(event).__name__ for _, events in STORY for event in events} == set(EVENTS)


SOURCE_LINES = [
    (
        datetime(2024, 1, 17, 20, 41, 18, tzinfo=ZONE),
        S17,
        "Wed Jan 17 20:41:18 2024 Info: DCID 485171 TLS deferring: (336151598, 'error:1409442E:SSL"
        " routines:ssl3_read_bytes:tlsv1 alert protocol version') TLS version mismatch could be the failure reason",
    ),
    (
        datetime(2024, 1, 17, 21, 9, 12, tzinfo=ZONE),
        S18,
        "Wed Jan 17 21:09:12 2024 Info: DCID 485206 TLS success protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
    ),
    (
        datetime(2024, 1, 17, 20, 11, 6, tzinfo=ZONE),
        S19,
        "Wed Jan 17 20:11:06 2024 Info: ICID 1020004 TLS failed: (337678594, 'error:14209102:SSL"
        " routines:tls_early_post_process_client_hello:unsupported protocol')",
    ),
    (
        datetime(2024, 1, 17, 21, 9, 12, tzinfo=ZONE),
        S20,
        "Wed Jan 17 21:09:12 2024 Info: ICID 1020089 TLS success protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384",
    ),
]
NATIVE = {
    "336151598, 'error:1409442E": "167773230, 'error:0A00042E",
    "337678594, 'error:14209102": "167772418, 'error:0A000102",
}


@pytest.mark.parametrize(("at", "event", "expected"), SOURCE_LINES, ids=["S17", "S18", "S19", "S20"])
def test_the_lines_of_the_source_document(at: datetime, event: Event, expected: str) -> None:
    """To the letter with classic codes; with the codes of the linked OpenSSL only the number differs."""
    assert line(at, event, ErrorCodes.CLASSIC) == expected
    for classic, native in NATIVE.items():
        expected = expected.replace(classic, native)
    assert line(at, event, ErrorCodes.NATIVE) == expected
