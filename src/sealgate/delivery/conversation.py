"""Opening a conversation with a next hop: greeting, EHLO, TLS as the destination's level asks.

The rules of falling back stand here and nowhere else: only a level that does not require TLS may go on in clear
text, and only if TLS was never begun, that is before the server's 220 to STARTTLS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509

from sealgate.config.schema import DeliverySettings
from sealgate.delivery import trouble as troubles
from sealgate.delivery.hop import Hop, HopLost
from sealgate.delivery.trouble import HopTrouble
from sealgate.event.facts import (
    Event,
    StarttlsInjected,
    StarttlsNotOffered,
    StarttlsRefused,
    TlsFailed,
    TlsNotEnough,
    TlsSucceeded,
    Way,
)
from sealgate.mail.reply import Reply
from sealgate.net.tls.context import ClientContext
from sealgate.net.tls.transport import Handshake
from sealgate.smtp.client import Capabilities, InjectionFault, capabilities
from sealgate.tls.failure import Origin, TlsFailure, suggests_version_mismatch
from sealgate.tls.level import TlsLevel
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.verdict import Outcome, Side, explain, judge

SERVICE = "outbound"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a conversation with one host is opened with."""

    dcid: int
    domain: str
    host: str
    ip: str
    level: TlsLevel
    policy: TlsPolicy
    context: ClientContext | None
    context_fault: str | None
    settings: DeliverySettings
    server_name: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation ready for a message."""

    capabilities: Capabilities
    outcome: Outcome | None


class Conversation:
    """Greeting to readiness, for one hop."""

    def __init__(
        self,
        hop: Hop,
        opening: Opening,
        emit: Callable[[Event], None],
        name_matches: Callable[[x509.Certificate | None, tuple[str, ...]], bool],
    ) -> None:
        self._hop = hop
        self._opening = opening
        self._emit = emit
        self._name_matches = name_matches

    async def open(self) -> Opened:
        """Raises `HopTrouble` when this host cannot take mail now, `HopLost` when the connection breaks."""
        greeting = await self._hop.reply(self._opening.settings.command_timeout)
        if not greeting.is_positive:
            raise HopTrouble(troubles.from_reply(greeting, "The server greeted with a refusal"))
        offered = await self._hello()
        if self._opening.level is TlsLevel.NO:
            return Opened(offered, None)
        return await self._secure(offered)

    async def _ask(self, command: bytes) -> Reply:
        self._hop.send(command)
        return await self._hop.reply(self._opening.settings.command_timeout)

    async def _hello(self) -> Capabilities:
        reply = await self._ask(self._hop.machine.ehlo())
        if reply.is_permanent:
            reply = await self._ask(self._hop.machine.helo())
        if not reply.is_positive:
            raise HopTrouble(troubles.from_reply(reply, "The server refused EHLO"))
        return capabilities(reply)

    async def _secure(self, offered: Capabilities) -> Opened:
        """TLS, or clear text where the level allows it and the server never agreed to TLS."""
        opening = self._opening
        if not offered.starttls:
            self._emit(StarttlsNotOffered(opening.dcid, opening.domain))
            return self._in_clear(offered, f"TLS required, STARTTLS unavailable at {opening.host}")
        if opening.context is None:
            fault = opening.context_fault or "this gateway has no usable TLS for delivery"
            raise HopTrouble(troubles.tls(f"{fault}; the message waits rather than leave in clear text"))
        reply = await self._ask(self._hop.machine.starttls())
        if reply.code != 220:
            self._emit(StarttlsRefused(opening.dcid, opening.domain, f"{reply.code} {' '.join(reply.lines)}"))
            return self._in_clear(offered, f"TLS required, and {opening.host} refused STARTTLS")
        outcome = await self._shake_hands(opening.context)
        return Opened(await self._hello(), outcome)

    def _in_clear(self, offered: Capabilities, sentence: str) -> Opened:
        opening = self._opening
        if opening.level.requires_tls:
            self._emit(TlsNotEnough(opening.dcid, opening.ip, opening.domain, opening.level.label, sentence))
            raise HopTrouble(troubles.tls(sentence))
        return Opened(offered, None)

    async def _shake_hands(self, context: ClientContext) -> Outcome:
        opening = self._opening
        try:
            handshake = await self._hop.start_tls(context, opening.server_name, opening.settings.command_timeout)
        except InjectionFault as fault:
            self._emit(StarttlsInjected(Way.OUT, opening.dcid, opening.ip, fault.size))
            raise HopTrouble(
                troubles.tls(f"{opening.host} sent data behind its answer to STARTTLS, which is an attack or a defect")
            ) from fault
        if handshake.outcome is None:
            raise HopTrouble(self._failed(handshake))
        return self._judged(handshake, handshake.outcome)

    def _failed(self, handshake: Handshake) -> troubles.Trouble:
        """After the 220 nothing is sent in clear text on any level: the message waits."""
        opening = self._opening
        failure = handshake.failure or TlsFailure(Origin.LOCAL, None, "unknown failure")
        explanation = explain(opening.policy, None, failure, Side.CLIENT)
        mismatch = suggests_version_mismatch(failure, opening.policy.selection)
        self._emit(
            TlsFailed(
                way=Way.OUT,
                connection=opening.dcid,
                service=SERVICE,
                peer_ip=opening.ip,
                domain=opening.domain,
                failure=failure,
                explanation=explanation,
                hello=None,
                offered=str(opening.policy.selection),
                deferring=True,
                version_mismatch=mismatch,
                seconds=handshake.seconds,
            )
        )
        return troubles.tls(f"{explanation.sentence} {explanation.mend}".strip())

    def _judged(self, handshake: Handshake, outcome: Outcome) -> Outcome:
        opening = self._opening
        outcome = self._with_name(outcome)
        self._emit(
            TlsSucceeded(
                way=Way.OUT,
                connection=opening.dcid,
                service=SERVICE,
                peer_ip=opening.ip,
                domain=opening.domain,
                outcome=outcome,
                hello=None,
                seconds=handshake.seconds,
            )
        )
        verdict = judge(opening.level, outcome)
        if not verdict.accepted:
            self._emit(TlsNotEnough(opening.dcid, opening.ip, opening.domain, opening.level.label, verdict.sentence))
            raise HopTrouble(troubles.tls(verdict.sentence))
        return outcome

    def _with_name(self, outcome: Outcome) -> Outcome:
        """A chain that ends at a trusted authority is not enough: it must be for the domain or the host asked."""
        opening = self._opening
        if not outcome.verified or not opening.level.verifies:
            return outcome
        names = tuple(filter(None, (opening.server_name, opening.host, opening.domain)))
        if self._name_matches(self._hop.peer_certificate, names):
            return outcome
        sentence = f"the certificate is for none of {', '.join(dict.fromkeys(names))}"
        return outcome.unverified(sentence)


__all__ = ["Conversation", "HopLost", "Opened", "Opening"]
