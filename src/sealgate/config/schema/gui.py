"""GUI HTTPS: where its pages and the REST API are served, and how long and how much at once."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sealgate.config.schema.base import Count, Flag, Names, Octets, Seconds, Settings
from sealgate.config.schema.kinds import HostName, IpAddress, Name

CLASSIC = "GUI HTTPS"
NGUI = "NGUI HTTPS"
"""What the two ports are called in log and reports. The blank keeps them apart from the names of listeners."""


class GuiSettings(Settings):
    """The pages of administrators and the REST API: one port for Classic UI, one for NGUI, REST on both."""

    enabled: Flag = Field(
        default=False,
        description="Whether the GUI is served. sealgate init switches it on; an upgrade of a gateway that had none "
        "leaves it off, so that no port opens which nobody has asked for.",
    )
    addresses: tuple[IpAddress, ...] = Field(
        default=("0.0.0.0", "::"),
        min_length=1,
        description="The addresses it listens on; 0.0.0.0 and :: are all of their family.",
    )
    port: Count = Field(default=443, ge=1, le=65535, description="The port of Classic UI, with the REST API.")
    ngui_port: Count = Field(default=4431, ge=1, le=65535, description="The port of NGUI, with the REST API.")
    certificates: Annotated[tuple[Name, ...], Names("certificates")] = Field(
        default=(),
        description="The certificate profiles it shows, as for listeners: the first one to browsers that ask for no "
        "name or an unknown one.",
    )
    hostnames: tuple[HostName, ...] = Field(
        default=(),
        description="Names by which browsers come, beside localhost, the host name of the gateway and the names in "
        "the certificates. A request for any other name is refused (DNS rebinding); addresses are always right.",
    )
    session_timeout: Seconds = Field(
        default=1800,
        ge=1,
        le=86400,
        description="How long a session of an operator lasts in which he asks for nothing. What a page asks for by "
        "itself does not count.",
    )
    session_lifetime: Seconds = Field(
        default=43200, ge=1, le=604800, description="How long a session of an operator lasts at most."
    )
    token_lifetime: Seconds = Field(
        default=3600, ge=1, le=86400, description="How long a token lasts that a login over the REST API gives."
    )
    hsts_max_age: Seconds = Field(
        default=0,
        ge=0,
        le=63072000,
        description="For how long browsers are told never to come without TLS (HSTS, RFC 6797); 0 tells them nothing. "
        "While it holds, browsers let nobody past a bad certificate, so that an expired one is a lock-out; it is "
        "refused for self-signed certificates.",
    )
    connections: Count = Field(
        default=200,
        ge=2,
        le=10_000,
        description="The most connections. One more takes the place of one that has shown least: that has not "
        "finished its handshake or its request, or that waits.",
    )
    connections_per_host: Count = Field(
        default=100, ge=2, le=10_000, description="The most connections from one address; one more as above."
    )
    request_timeout: Seconds = Field(
        default=30,
        ge=0.1,
        le=600,
        description="How long a client may take to send the head of a request, and each part of 64 KB of its body, "
        "and to take the next part of an answer.",
    )
    idle_timeout: Seconds = Field(
        default=75, ge=0.1, le=3600, description="How long a connection waits for another request."
    )
    max_body: Octets = Field(
        default=16 << 20,
        ge=64 << 10,
        le=1 << 30,
        description="The largest body of a request, such as a configuration that is loaded.",
    )

    @property
    def ports(self) -> dict[str, int]:
        """The ports by what they are called."""
        return {CLASSIC: self.port, NGUI: self.ngui_port}
