"""The journal of one process: takes facts, stamps them, writes them down together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from sealgate import __version__
from sealgate.config.schema import LogSettings
from sealgate.event.codec import Record, encode
from sealgate.event.facts import Event, RecordLost
from sealgate.event.maillog import head_lines, render
from sealgate.journal.logfile import LogFile
from sealgate.journal.retention import remove_rotated, stamp_of
from sealgate.tls.failure import ErrorCodes

MAIL_LOG = "mail.log"
"""The rendering that all processes share."""


def record_name(source: str) -> str:
    """The file of one process's record."""
    return f"events-{source}.jsonl"


class Journal:
    """Record and mail log of the process `source`, in the folder `logs`.

    `clock` gives UTC; `schedule` runs a callback at the end of the present turn (`loop.call_soon`). Emitting
    costs no system call and never fails for the state of the disk.
    """

    def __init__(
        self,
        logs: Path,
        source: str,
        *,
        clock: Callable[[], datetime],
        schedule: Callable[[Callable[[], None]], object],
        settings: LogSettings,
        error_codes: ErrorCodes = ErrorCodes.NATIVE,
    ) -> None:
        self._logs = logs
        self._source = source
        self._keep_days = settings.keep_days
        self._clock = clock
        self._schedule = schedule
        self._error_codes = error_codes
        self._zone: tzinfo = UTC
        self._records: list[bytes] = []
        self._lines: list[str] = []
        self._record = LogFile(
            logs / record_name(source),
            size=settings.record_size,
            keep=settings.record_keep,
            stamp=self._stamp,
            head=lambda: b"",
            confess=lambda count, sentence: encode(self._stated(RecordLost(count, sentence))),
            rotated=self.tidy,
        )
        self._mail_log = LogFile(
            logs / MAIL_LOG,
            size=settings.mail_log_size,
            keep=settings.mail_log_keep,
            stamp=self._stamp,
            head=lambda: head_lines(self._clock(), __version__, self._zone).encode(),
            confess=lambda count, sentence: self._rendered(self._stated(RecordLost(count, sentence))).encode(),
            rotated=self.tidy,
        )

    def configure(self, settings: LogSettings, error_codes: ErrorCodes) -> None:
        """Go on with other settings."""
        self._error_codes = error_codes
        self._keep_days = settings.keep_days
        self._record.limit(settings.record_size, settings.record_keep)
        self._mail_log.limit(settings.mail_log_size, settings.mail_log_keep)

    def emit(self, event: Event) -> None:
        """State a fact."""
        record = self._stated(event)
        if not self._records:
            self._zone = record.at.astimezone().tzinfo or UTC  # the offset changes twice a year
            self._schedule(self.flush)
        self._records.append(encode(record))
        self._lines.append(self._rendered(record))

    def flush(self) -> None:
        """Write what has been stated since the last time."""
        if self._records:
            records, self._records = self._records, []
            lines, self._lines = self._lines, []
            self._record.append(b"".join(records))
            self._mail_log.append("".join(lines).encode())

    def tidy(self) -> None:
        """Remove the rotated logs of all processes that are older than they may be."""
        if self._keep_days:
            with suppress(OSError):  # a folder that cannot be read now can be later
                remove_rotated(self._logs, self._clock() - timedelta(days=self._keep_days))

    def reopen(self) -> None:
        """Open the files anew, as whoever has moved them asks for (SIGHUP)."""
        self.flush()
        self._record.close()
        self._mail_log.close()

    def close(self) -> None:
        """Write what is left, and let go of the files."""
        self.reopen()

    def _stated(self, event: Event) -> Record:
        return Record(self._clock(), self._source, event)

    def _rendered(self, record: Record) -> str:
        return render(record, zone=self._zone, error_codes=self._error_codes) + "\n"

    def _stamp(self) -> str:
        return stamp_of(self._clock())
