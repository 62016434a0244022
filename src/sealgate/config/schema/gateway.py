"""The gateway itself: its name, its domains, its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sealgate.config.schema.base import Count, Otherwise, Settings
from sealgate.config.schema.kinds import AcceptedDomain, HostName, Mailbox


def _postmaster(given: Mapping[str, Any]) -> str:
    domains = [domain for domain in given.get("accepted_domains", ()) if not domain.startswith(".")]
    return f"postmaster@{[*domains, given.get('hostname', 'localhost')][0]}"


class GatewaySettings(Settings):
    """Who the gateway is, and which mail is its own."""

    hostname: HostName = Field(
        description="The name of this gateway in greetings, EHLO and Received fields. Peers expect a name that DNS "
        "knows, with at least one dot.",
    )
    accepted_domains: tuple[AcceptedDomain, ...] = Field(
        default=(),
        description="The domains whose mail is accepted from anyone. Mail for any other domain is taken only "
        "through a private listener, from hosts that may relay and clients that have logged in.",
    )
    postmaster: Annotated[
        Mailbox, Otherwise("postmaster at the first accepted domain, or at the host name if there is none")
    ] = Field(
        default_factory=_postmaster,
        description="The mailbox of the person who looks after this gateway. Mail for postmaster without a domain "
        "goes to the domain of this one (RFC 5321 §4.5.1), and bounces name it as the one to ask.",
    )
    workers: Count = Field(
        default=0,
        ge=0,
        le=64,
        description="How many processes receive and deliver mail; 0 is one for each processor core.",
    )

    def worker_count(self, cores: int) -> int:
        """The number of mail workers on a machine with that many processor cores."""
        return self.workers or max(1, cores)
