"""The steps of a trace: each one decision, as a value for programs and in words for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One decision."""

    @property
    def words(self) -> str:
        """For people, without the name of the step."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Arrival(Step):
    """The listener that takes the connection."""

    listener: str
    kind: str
    addresses: tuple[str, ...]
    implicit_tls: bool

    @property
    def words(self) -> str:
        """The listener and where it is."""
        how = ", TLS from the first byte" if self.implicit_tls else ""
        return f"{self.listener} ({self.kind}) on {', '.join(self.addresses)}{how}"


@dataclass(frozen=True, slots=True)
class Host(Step):
    """The row of the host access table that decides, and its policy."""

    ip: str
    name: str
    group: str
    match: str
    policy: str
    decision: str

    @property
    def words(self) -> str:
        """Who it is, and what it may do."""
        who = f"{self.ip}, {self.name}" if self.name else f"{self.ip}, without a name"
        return f"{who}: {self.decision} by group {self.group} (match {self.match}), policy {self.policy}"


@dataclass(frozen=True, slots=True)
class InboundTls(Step):
    """What TLS this host is offered, and whether it must use it."""

    demand: str
    versions: str
    ciphers: str
    client_certificate: str

    @property
    def words(self) -> str:
        """The demand, then what is spoken."""
        if self.demand == "off":
            return "off"
        asks = {"none": "", "request": "; asks for a client certificate", "require": "; wants a client certificate"}
        spoken = f"versions {self.versions}, ciphers {self.ciphers}"
        return f"{self.demand}; {spoken}{asks[self.client_certificate]}"


@dataclass(frozen=True, slots=True)
class Handshake(Step):
    """TLS begins, or cannot."""

    where: str
    version: str
    fault: str

    @property
    def words(self) -> str:
        """With which version, or why not."""
        return f"with {self.version} at {self.where}" + (f" fails: {self.fault}" if self.fault else "")


@dataclass(frozen=True, slots=True)
class Exchange(Step):
    """A command and its reply; without a command it is the greeting. `by` is what decided."""

    command: str
    reply: str
    by: str

    @property
    def words(self) -> str:
        """As on the wire."""
        first, *more = self.reply.splitlines() or ["(the connection is closed without a word)"]
        shown = f"{first} ({', '.join(line[4:] for line in more)})" if more else first
        by = f"\n    decided by {self.by}" if self.by else ""
        return f"{self.command}\n    {shown}{by}".lstrip()


@dataclass(frozen=True, slots=True)
class Way(Step):
    """Where the mail of a domain goes: by the row of the routes, by MX, or to an address literal.

    `hosts` are empty where DNS decides and has not been asked.
    """

    domain: str
    row: str
    how: str
    hosts: tuple[str, ...]

    @property
    def words(self) -> str:
        """The way, in order."""
        by = f"by the route {self.row}" if self.row else ""
        where = f"to {', '.join(self.hosts)}" if self.hosts else ""
        return " ".join(part for part in (f"{self.domain}:", by or f"by {self.how}", where) if part)


@dataclass(frozen=True, slots=True)
class OutboundTls(Step):
    """How much TLS the next hop must have, and what is spoken to it."""

    row: str
    level: str
    versions: str
    ciphers: str
    server_name: str
    certificate: str

    @property
    def words(self) -> str:
        """Level, then what it means on the wire."""
        by = f"the destination {self.row}" if self.row else "delivery"
        if self.level == "no":
            return f"no, by {by}"
        shown = f"certificate {self.certificate}" if self.certificate else "no certificate is shown"
        spoken = f"versions {self.versions}, ciphers {self.ciphers}, server name {self.server_name}, {shown}"
        return f"{self.level}, by {by}; {spoken}"


@dataclass(frozen=True, slots=True)
class Sending(Step):
    """Who the gateway is there. An empty source is the system's choice."""

    hostname: str
    source_v4: str
    source_v6: str
    connections: int

    @property
    def words(self) -> str:
        """Name, addresses, room."""
        sources = [each for each in (self.source_v4, self.source_v6) if each]
        where = f" from {' or '.join(sources)}" if sources else ""
        return f"as {self.hostname}{where}, {self.connections} connections at most"


@dataclass(frozen=True, slots=True)
class Retries(Step):
    """When it is tried again, in seconds; `warning` 0 is never."""

    first: float
    longest: float
    lifetime: float
    warning: float

    @property
    def words(self) -> str:
        """The waits, and their end."""
        told = f"; its sender is told after {self.warning:g} s" if self.warning else ""
        return f"after {self.first:g} s, then twice as long up to {self.longest:g} s, for {self.lifetime:g} s{told}"
