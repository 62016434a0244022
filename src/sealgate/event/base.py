"""What all facts have in common, and their names that several subjects use.

Names of fields mean the same everywhere: `icid` an inbound connection, `dcid` a delivery connection, `mid` a
message, `rid` a recipient of it counted from 0; 0 stands for an id where there was no such connection. Text
that a peer gave is kept as it came; who renders it makes it harmless.
"""

from __future__ import annotations

from typing import Literal

Level = Literal["Critical", "Warning", "Info"]
"""How much a line of the mail log wants to be seen."""


class Event:
    """A fact. Every subclass is a frozen dataclass whose class name is the name of the fact in the record."""

    __slots__ = ()
