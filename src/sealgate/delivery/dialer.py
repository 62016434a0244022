"""Finding a host of a destination that takes mail now: each in its order, passing over those that are down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sealgate.config.lookup import Handling
from sealgate.delivery import trouble as troubles
from sealgate.delivery.conversation import Conversation, Opened, Opening
from sealgate.delivery.hop import Hop, HopLost, connect
from sealgate.delivery.identity import certificate_is_for
from sealgate.delivery.route import Target
from sealgate.delivery.tools import CarrierTools
from sealgate.delivery.trouble import HopTrouble, Trouble
from sealgate.event.facts import DeliveryClosed, DeliveryFailed, DeliveryOpened
from sealgate.live.revision import LiveRevision


@dataclass(slots=True)
class Line:
    """An open connection and what it was made under; `carried` counts its messages."""

    dcid: int
    hop: Hop
    opened: Opened
    made_under: tuple[object, ...]
    carried: int = 0


def made_under(tools: CarrierTools, domain: str) -> tuple[object, ...]:
    """What must still be in force for a connection to take another message."""
    return tools.handlings.of(domain), tools.current.revision.outbound


class Dialer:
    """Opens lines for one destination."""

    def __init__(self, tools: CarrierTools, domain: str) -> None:
        self._tools = tools
        self._domain = domain
        self._dcid = 0

    async def line(self) -> Line:
        """A line to the first host that takes mail; `HopTrouble` if none does.

        Every host is tried until one takes mail, whatever the others answered (RFC 5321 §5.1), a greeting of 5xx
        included: it speaks for that host, not for the domain. So the trouble is permanent only if all agree on it.
        """
        self._dcid = 0
        targets = await self._tools.router.targets(self._domain, self._tools.handlings.of(self._domain).hostname)
        met: list[Trouble] = []
        passed: list[Target] = []
        for target in targets:
            if not self._tools.hosts.may_try(target):
                passed.append(target)
            elif (line := await self._try(target, met)) is not None:
                return line
        for target in passed:
            back = await self._tools.hosts.comes_back(target)
            if back and (line := await self._try(target, met)) is not None:
                return line
            if back is False:  # the attempt of another was ours too, so that waits grow for all who wait for this host
                met.append(troubles.network(f"{target}: {self._tools.hosts.sentence(target)}"))
        raise HopTrouble(self._outcome(targets, met), self._dcid)

    def _outcome(self, targets: Sequence[Target], met: Sequence[Trouble]) -> Trouble:
        """The trouble of the destination: what may pass, if there is any such, rather than what is final."""
        hosts = self._tools.hosts
        again = min((hosts.until(target) for target in targets), default=0.0)
        if not met:
            said = "; ".join(f"{target}: {hosts.sentence(target)}" for target in targets)
            return replace(troubles.network(said), not_before=again, tried=False)
        *_, last = sorted(met, key=lambda trouble: not trouble.permanent)
        if all(trouble.permanent for trouble in met) and any(hosts.until(target) for target in targets):
            return replace(last, permanent=False, status="4.4.1", not_before=again)  # those that are down said nothing
        return last if last.permanent else replace(last, not_before=again)

    async def _try(self, target: Target, met: list[Trouble]) -> Line | None:
        """A line to this target, or None and one trouble more. A host that answers, whatever it says, is not down."""
        self._dcid = self._tools.next_dcid()
        revision = self._tools.current.revision
        try:
            line = await self._open(target, revision)
        except HopTrouble as error:
            self._tools.hosts.reached(target)
            met.append(error.trouble)
        except HopLost as lost:
            self._tools.hosts.failed(target, str(lost), revision.configuration.delivery.host_down)
            met.append(troubles.network(f"{target}: {lost}"))
        else:
            self._tools.hosts.reached(target)
            return line
        finally:
            self._tools.hosts.left(target)
        return None

    async def _open(self, target: Target, revision: LiveRevision) -> Line:
        """Connect, and go through greeting, EHLO and TLS."""
        handling = self._tools.handlings.of(self._domain)
        under = made_under(self._tools, self._domain)  # before anything is awaited: a commit may come meanwhile
        source = handling.source_v6 if ":" in target.ip else handling.source_v4
        timeout = revision.configuration.delivery.connect_timeout
        try:
            hop = await connect(handling.hostname, target.ip, target.port, source, timeout)
        except HopLost as lost:
            self._say_failed(target, str(lost), source or "")
            raise
        self._tools.emit(DeliveryOpened(self._dcid, hop.local_ip, target.ip, target.port, target.host, self._domain))
        try:
            opening = self._opening(target, handling, revision)
            opened = await Conversation(hop, opening, self._tools.emit, certificate_is_for).open()
            return Line(self._dcid, hop, opened, under)
        except (HopTrouble, HopLost) as error:
            if isinstance(error, HopLost):
                self._say_failed(target, str(error), hop.local_ip)
            hop.close()
            self._tools.emit(DeliveryClosed(self._dcid))
            raise

    def _opening(self, target: Target, handling: Handling, revision: LiveRevision) -> Opening:
        return Opening(
            dcid=self._dcid,
            domain=self._domain,
            host=target.host,
            ip=target.ip,
            level=handling.level,
            policy=revision.configuration.tls.outbound_smtp.policy(),
            context=revision.outbound,
            context_fault=revision.outbound_fault,
            settings=revision.configuration.delivery,
            server_name=handling.server_name or (None if target.literal else target.host),
        )

    def _say_failed(self, target: Target, details: str, interface: str) -> None:
        self._tools.emit(
            DeliveryFailed(self._dcid, self._domain, target.ip, target.port, interface, details, "network error")
        )
