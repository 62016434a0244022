"""The mail log: a rendering of the record in the words of AsyncOS, lossy on purpose.

People and log analysers know these lines, so their words are not ours to improve. Where AsyncOS has none the
wording is our own. A peer may say what it likes: whatever is not printable is written as an escape, so that
nothing a peer gave can begin a line or hide one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, TypeVar

from sealgate.event import facts
from sealgate.event.base import Event, Level
from sealgate.event.codec import Record
from sealgate.mail.text import printable
from sealgate.tls.failure import ErrorCodes, error_value


@dataclass(frozen=True, slots=True)
class _Manner:
    """What a line depends on besides its fact."""

    zone: tzinfo
    error_codes: ErrorCodes


_Words = Callable[[Any, _Manner], str | tuple[str, ...]]
_E = TypeVar("_E", bound=Event)


def render(record: Record, *, zone: tzinfo, error_codes: ErrorCodes = ErrorCodes.NATIVE) -> str:
    """The line of a record in local time, without its end; a few facts have several, joined by line feeds."""
    event = record.event
    level, words = _LINES[type(event)]
    said = words(event, _Manner(zone, error_codes))
    if isinstance(event, facts.Note):
        level = event.level
    head = f"{_date(record.at, zone)} {level}: "
    if isinstance(said, str):
        return head + printable(said)
    return "\n".join([head + printable(line) for line in said])


def head_lines(at: datetime, version: str, zone: tzinfo) -> str:
    """What a mail log begins with: what wrote it, and how far its times are from UTC; line ends included."""
    offset = int((zone.utcoffset(at.astimezone(zone).replace(tzinfo=None)) or at - at).total_seconds())
    lines = ("Begin Logfile", f"Version: {version} SN: none", f"Time offset from UTC: {offset} seconds")
    return "".join(f"{_date(at, zone)} Info: {line}\n" for line in lines)


def _date(at: datetime, zone: tzinfo) -> str:
    """`Wed Jan  3 04:05:06 2024`, in English wherever the gateway runs."""
    return at.astimezone(zone).ctime()


def _quoted(text: str) -> str:
    """In double quotes that the text cannot end."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _connection(way: facts.Way, number: int) -> str:
    return f"{_KINDS_OF_CONNECTION[way]} {number}"


_KINDS_OF_CONNECTION = {facts.Way.IN: "ICID", facts.Way.OUT: "DCID", facts.Way.GUI: "HCID"}


def _host(event: facts.ConnectionOpened | facts.HostNamed) -> str:
    return f"reverse dns host {event.name or 'unknown'} verified {'yes' if event.verified else 'no'}"


def _closed(event: facts.ConnectionClosed, _: _Manner) -> tuple[str, ...]:
    lost = (f"ICID {event.icid} lost",) if event.lost else ()
    return (*lost, f"ICID {event.icid} close")


def _recipient_refused(event: facts.RecipientRefused, _: _Manner) -> str:
    message = "" if event.mid is None else f"MID {event.mid} "
    return f"{message}ICID {event.icid} To: <{event.recipient}> Rejected by {event.by}"


def _tls_succeeded(event: facts.TlsSucceeded, _: _Manner) -> str:
    agreed = event.outcome
    where = _connection(event.way, event.connection)
    return f"{where} TLS success protocol {agreed.version.label} cipher {agreed.cipher}"


def _tls_failed(event: facts.TlsFailed, manner: _Manner) -> str:
    where = _connection(event.way, event.connection)
    verb = "deferring" if event.deferring else "failed"
    suspicion = " TLS version mismatch could be the failure reason" if event.version_mismatch else ""
    return f"{where} TLS {verb}: {error_value(event.failure, manner.error_codes)}{suspicion}"


def _starttls_injected(event: facts.StarttlsInjected, _: _Manner) -> str:
    where = _connection(event.way, event.connection)
    return f"{where} TLS failed: {event.size} bytes of clear text behind STARTTLS from {event.peer_ip}"


def _fates(kind: str, event: facts.Bounced | facts.Delayed, end: str) -> tuple[str, ...]:
    said = f"({event.code!r}, {list(event.lines)!r}){end}"
    where = f"{kind}: DCID {event.dcid} MID {event.mid} to RID"
    return tuple(f"{where} {rid} - {event.status} - {event.reason} {said}" for rid in event.rids)


def _delivery_failed(event: facts.DeliveryFailed, _: _Manner) -> str:
    return (
        f"Connection Error: DCID {event.dcid} domain: {event.domain} IP: {event.ip} port: {event.port}"
        f" details: {event.details} interface: {event.interface} reason: {event.reason}"
    )


def _https_withdrawn(event: facts.HttpsWithdrawn, _: _Manner) -> str:
    return f"{event.service}: {event.count} connections asked to reconnect, {event.stayed} stay: {event.reason}"


def _request_answered(event: facts.RequestAnswered, _: _Manner) -> str:
    who = event.who or "nobody"
    return f"HCID {event.hcid} {event.method} {event.path} by {who} ({event.peer_ip}) answered {event.status}"


def _child_died(event: facts.ChildDied, _: _Manner) -> str:
    how = f"was killed by signal {-event.status}" if event.status < 0 else f"ended with status {event.status}"
    return f"Process {event.child} (PID {event.pid}) {how}"


def _disk_low(event: facts.DiskLow, _: _Manner) -> str:
    free, reserve = event.free >> 20, event.reserve >> 20
    return f"Worker {event.worker}: the disk of the spool has {free} MB left; new mail is put off below {reserve} MB"


def _line(
    kind: type[_E], words: Callable[[_E, _Manner], str | tuple[str, ...]], level: Level = "Info"
) -> tuple[type[Event], tuple[Level, _Words]]:
    """One row of the table below, its words checked against its fact."""
    return kind, (level, words)


_LINES: dict[type[Event], tuple[Level, _Words]] = dict(
    [
        _line(
            facts.ConnectionOpened,
            lambda e, _: f"New SMTP ICID {e.icid} interface {e.listener} ({e.local_ip}) address {e.peer_ip} {_host(e)}",
        ),
        _line(facts.HostNamed, lambda e, _: f"ICID {e.icid} {_host(e)}{' (DNS gave no answer)' * e.unsure}"),
        _line(
            facts.ConnectionAccepted,
            lambda e, _: f"ICID {e.icid} {e.decision} SG {e.group} match {e.match} SBRS not enabled",
        ),
        _line(facts.ConnectionRefused, lambda e, _: f"ICID {e.icid} Receiving Failed: {e.reason}"),
        _line(facts.ConnectionClosed, _closed),
        _line(
            facts.TlsRequired,
            lambda e, _: f"ICID {e.icid} TLS was required but remote host did not initiate it",
        ),
        _line(
            facts.LoginSucceeded,
            lambda e, _: (
                f"SMTP Auth: (ICID {e.icid}) succeeded for user: {e.login} using AUTH mechanism: {e.mechanism}"
            ),
        ),
        _line(
            facts.LoginFailed,
            lambda e, _: (
                f"SMTP Auth: (ICID {e.icid}) failed for user: {e.login} using AUTH mechanism: {e.mechanism}: {e.reason}"
            ),
            "Warning",
        ),
        _line(facts.ReceivingFailed, lambda e, _: f"ICID {e.icid} Receiving Failed: {e.reason}"),
        _line(facts.SenderRefused, lambda e, _: f"ICID {e.icid} From: <{e.sender}> Rejected by {e.by}"),
        _line(facts.RecipientRefused, _recipient_refused),
        _line(facts.MessageStarted, lambda e, _: f"Start MID {e.mid} ICID {e.icid}"),
        _line(facts.MessageFrom, lambda e, _: f"MID {e.mid} ICID {e.icid} From: <{e.sender}>"),
        _line(facts.MessageTo, lambda e, _: f"MID {e.mid} ICID {e.icid} RID {e.rid} To: <{e.recipient}>"),
        _line(facts.MessageIdSeen, lambda e, _: f"MID {e.mid} Message-ID {e.message_id!r}"),
        _line(facts.SubjectSeen, lambda e, _: f"MID {e.mid} Subject {_quoted(e.subject)}"),
        _line(facts.MessageReady, lambda e, _: f"MID {e.mid} ready {e.size} bytes from <{e.sender}>"),
        _line(facts.MessageQueued, lambda e, _: f"MID {e.mid} queued for delivery"),
        _line(facts.MessageAborted, lambda e, _: f"Message aborted MID {e.mid} {e.reason}"),
        _line(facts.TlsSucceeded, _tls_succeeded),
        _line(facts.TlsFailed, _tls_failed),
        _line(
            facts.HttpsOpened,
            lambda e, _: f"New HTTPS HCID {e.hcid} interface {e.service} ({e.local_ip}) address {e.peer_ip}",
        ),
        _line(
            facts.HttpsTurnedAway, lambda e, _: f"{e.service}: {e.count} connections turned away: {e.reason}", "Warning"
        ),
        _line(facts.HttpsWithdrawn, _https_withdrawn),
        _line(
            facts.PlainHttpAnswered, lambda e, _: f"HCID {e.hcid} HTTP without TLS from {e.peer_ip} answered {e.status}"
        ),
        _line(facts.RequestAnswered, _request_answered),
        _line(facts.RequestFailed, lambda e, _: f"HCID {e.hcid} request {e.request} failed: {e.error}", "Critical"),
        _line(facts.StarttlsInjected, _starttls_injected, "Warning"),
        _line(facts.StarttlsNotOffered, lambda e, _: f"DCID {e.dcid} STARTTLS command not supported."),
        _line(facts.StarttlsRefused, lambda e, _: f"DCID {e.dcid} TLS failed: STARTTLS unexpected response"),
        _line(
            facts.TlsNotEnough,
            lambda e, _: f"DCID {e.dcid} IP {e.ip} TLS was required but could not be successfully negotiated",
        ),
        _line(
            facts.DeliveryOpened,
            lambda e, _: f"New SMTP DCID {e.dcid} interface {e.local_ip} address {e.peer_ip} port {e.port}",
        ),
        _line(facts.DeliveryFailed, _delivery_failed),
        _line(facts.DeliveryClosed, lambda e, _: f"DCID {e.dcid} close"),
        _line(
            facts.HostDown,
            lambda e, how: f"Host {e.host} [{e.ip}]:{e.port} is down till {_date(e.until, how.zone)}: {e.details}",
        ),
        _line(facts.HostUp, lambda e, _: f"Host {e.host} [{e.ip}]:{e.port} is up again"),
        _line(
            facts.DeliveryStarted,
            lambda e, _: f"Delivery start DCID {e.dcid} MID {e.mid} to RID {list(e.rids)}",
        ),
        _line(facts.Delivered, lambda e, _: f"Message done DCID {e.dcid} MID {e.mid} to RID {list(e.rids)}"),
        _line(facts.ResponseGiven, lambda e, _: f"MID {e.mid} RID [{e.rid}] Response {e.response!r}"),
        _line(facts.Bounced, lambda e, _: _fates("Bounced", e, " []")),
        _line(facts.Delayed, lambda e, _: _fates("Delayed", e, "[]")),  # no space: so AsyncOS has it
        _line(
            facts.MessagePending,
            lambda e, how: f"Message {e.mid} to RID {list(e.rids)} pending till {_date(e.until, how.zone)}",
        ),
        _line(facts.BounceGenerated, lambda e, _: f"MID {e.mid} was generated for bounce of MID {e.for_mid}"),
        _line(
            facts.DelayNoticeGenerated,
            lambda e, _: f"MID {e.mid} was generated for delay of MID {e.for_mid}",
        ),
        _line(
            facts.RelayNoticeGenerated,
            lambda e, _: f"MID {e.mid} was generated for relay of MID {e.for_mid}",
        ),
        _line(facts.NoticeOmitted, lambda e, _: f"MID {e.mid} to RID {list(e.rids)} no notice: {e.reason}"),
        _line(facts.MessageHeld, lambda e, _: f"MID {e.mid} held by {e.who}"),
        _line(facts.MessageReleased, lambda e, _: f"MID {e.mid} released by {e.who}"),
        _line(facts.MessageDeleted, lambda e, _: f"MID {e.mid} to RID {list(e.rids)} deleted by {e.who}"),
        _line(
            facts.OperatorActed,
            lambda e, _: f"Queue: {e.act} by {e.who}, {e.selection}: {e.messages} messages, {e.recipients} recipients",
        ),
        _line(facts.Suspended, lambda e, _: f"Suspended by {e.who}: {e.what}", "Warning"),
        _line(facts.Resumed, lambda e, _: f"Resumed by {e.who}: {e.what}"),
        _line(facts.MessageFinished, lambda e, _: f"Message finished MID {e.mid} done"),
        _line(
            facts.GatewayStarted,
            lambda e, _: f"Gateway started: version {e.version}, configuration revision {e.revision}",
        ),
        _line(facts.GatewayStopping, lambda e, _: "Gateway stopping"),
        _line(
            facts.RevisionApplied,
            lambda e, _: f"Configuration revision {e.revision} committed by {e.who}: {e.comment}",
        ),
        _line(
            facts.RevisionRefused,
            lambda e, _: f"Configuration of {e.who} refused: {'; '.join(e.problems)}",
            "Warning",
        ),
        _line(
            facts.CertificatesRenewed,
            lambda e, _: f"Certificate files of configuration revision {e.revision} have changed and are in force",
        ),
        _line(
            facts.CertificatesUnusable,
            lambda e, _: f"Certificate files have changed and cannot be used: {'; '.join(e.problems)}",
            "Critical",
        ),
        _line(facts.RevisionConfirmed, lambda e, _: f"Configuration revision {e.revision} confirmed by {e.who}"),
        _line(
            facts.RevisionReverted,
            lambda e, _: (
                f"Configuration revision {e.revision} taken back: {e.reason}; revision {e.by} is as {e.back_to} was"
            ),
            "Warning",
        ),
        _line(
            facts.VerificationPassed,
            lambda e, _: f"Configuration revision {e.revision} verified by {e.trials} handshakes",
        ),
        _line(
            facts.VerificationFailed,
            lambda e, _: f"Configuration revision {e.revision} is not what is spoken: {'; '.join(e.failures)}",
            "Critical",
        ),
        _line(facts.OperatorLoggedIn, lambda e, _: f"Operator {e.name} ({e.role}) logged in from {e.face}, as {e.by}"),
        _line(
            facts.OperatorLoginFailed,
            lambda e, _: f"Operator {e.name} was not logged in from {e.face}, as {e.by}: {e.reason}",
            "Warning",
        ),
        _line(
            facts.OperatorRefused,
            lambda e, _: f"Operator {e.who} ({e.role}) asked for what takes another role, from {e.face}: {e.request}",
            "Warning",
        ),
        _line(facts.ChangesCleared, lambda e, _: f"Configuration changes of {e.who} cleared"),
        _line(facts.StopOrdered, lambda e, _: f"Stop ordered by {e.who}"),
        _line(facts.TokenMade, lambda e, _: f"Token {e.number} ({e.name}) made by {e.who}, scope {e.scope}"),
        _line(facts.TokenRevoked, lambda e, _: f"Token {e.number} ({e.name}) of {e.of} revoked by {e.who}"),
        _line(facts.ChildStarted, lambda e, _: f"Process {e.child} (PID {e.pid}) started"),
        _line(facts.ChildDied, _child_died, "Critical"),
        _line(
            facts.ServiceUnavailable,
            lambda e, _: f"Service {e.service} is not available: {e.sentence}",
            "Critical",
        ),
        _line(facts.SpoolTrouble, lambda e, _: f"Spool: {e.sentence}", "Critical"),
        _line(facts.SpoolRecovered, lambda e, _: f"Worker {e.worker} found {e.messages} messages in its spool"),
        _line(facts.DiskLow, _disk_low, "Warning"),
        _line(
            facts.AcceptingStopped,
            lambda e, _: f"Worker {e.worker} puts off new mail with 452: {e.reason}",
            "Critical",
        ),
        _line(facts.AcceptingResumed, lambda e, _: f"Worker {e.worker} takes new mail again"),
        _line(facts.RecordLost, lambda e, _: f"{e.count} log lines were lost: {e.sentence}", "Critical"),
        _line(facts.Note, lambda e, _: e.text),
    ]
)
