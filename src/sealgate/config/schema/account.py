"""Who may log in to send mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sealgate.config.schema.base import Flag, Otherwise, Row
from sealgate.config.schema.kinds import AddressPattern, Login, PassphraseHash


class Account(Row):
    """A login for SMTP AUTH on listeners that offer it."""

    name: Login = Field(description="The login.")
    passphrase: PassphraseHash = Field(
        repr=False, description="The argon2 hash of the passphrase, as sealgate hash-passphrase prints it."
    )
    senders: Annotated[tuple[AddressPattern, ...], Otherwise("the login itself, if it is an address")] = Field(
        default=(),
        description="The envelope senders that this login may use: addresses, domains, .domain, or user@.",
    )
    enabled: Flag = Field(default=True, description="Whether this login works.")
