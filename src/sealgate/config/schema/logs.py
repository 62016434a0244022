"""How much the gateway remembers of what it did."""

from __future__ import annotations

from pydantic import Field

from sealgate.config.schema.base import Count, Octets, Settings


class LogSettings(Settings):
    """The mail log for people, and the complete record that reports are made from."""

    mail_log_size: Octets = Field(
        default=100 << 20, ge=4096, le=1 << 40, description="The size at which the mail log is rotated."
    )
    mail_log_keep: Count = Field(default=10, ge=0, le=10_000, description="How many rotated mail logs are kept.")
    record_size: Octets = Field(
        default=100 << 20,
        ge=4096,
        le=1 << 40,
        description="The size at which the event record of a process is rotated.",
    )
    record_keep: Count = Field(
        default=20, ge=0, le=10_000, description="How many rotated event records of each process are kept."
    )
    keep_days: Count = Field(
        default=0, ge=0, le=36500, description="After how many days rotated logs and records are removed; 0 is never."
    )
