"""A host that sends mail, as far as DNS tells who it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerName:
    """The name in a host's PTR record, without a final dot.

    It is verified if an address record of the name leads back to the host. `unsure`: DNS did not answer, so that
    nothing is known of a name.
    """

    name: str | None = None
    verified: bool = False
    unsure: bool = False


NAMELESS = PeerName()
"""A host of which DNS says for certain that it has no name."""
