"""Who may administer the gateway."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sealgate.config.schema.base import Flag, Otherwise, Row
from sealgate.config.schema.kinds import OperatorName, PassphraseHash, Title

Role = Literal["administrator", "operator", "read-only"]
"""What an operator may do: everything; run mail and the queue but change no settings; look."""


class LocalOperator(Row):
    """One who may administer the gateway, under a name of his own. It is no login for mail: that is an account."""

    name: OperatorName = Field(description="The name to log in with; it stands in the log and the audit record.")
    role: Role = Field(
        description="What this operator may do: administrator, everything; operator, act on the queue, suspend and "
        "resume, and change no settings; read-only, look at everything but messages and secrets."
    )
    passphrase: PassphraseHash = Field(
        repr=False,
        description="The argon2 hash of the passphrase; sealgate passwd sets it, sealgate hash-passphrase prints one.",
    )
    full_name: Annotated[Title | None, Otherwise("none")] = Field(
        default=None, description="The full name, for people to read."
    )
    enabled: Flag = Field(default=True, description="Whether this operator may log in.")
