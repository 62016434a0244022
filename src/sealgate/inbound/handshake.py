"""A handshake with a client, told as a fact."""

from __future__ import annotations

from sealgate.config.schema import Configuration
from sealgate.event.facts import TlsFailed, TlsSucceeded, Way
from sealgate.net.tls.transport import Handshake
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.policy import ClientCertificate
from sealgate.tls.verdict import Side, explain


def fact_of(
    handshake: Handshake,
    icid: int,
    peer_ip: str,
    listener: str,
    demand: ClientCertificate,
    configuration: Configuration,
) -> TlsSucceeded | TlsFailed:
    """What the record keeps of it: the outcome or the reason, and in both cases what the client offered."""
    if handshake.outcome is not None:
        return TlsSucceeded(
            way=Way.IN,
            connection=icid,
            service=listener,
            peer_ip=peer_ip,
            domain=None,
            outcome=handshake.outcome,
            hello=handshake.hello,
            seconds=handshake.seconds,
        )
    policy = configuration.tls.inbound_smtp.policy(demand)
    failure = handshake.failure or TlsFailure(Origin.LOCAL, None, "unknown failure")
    return TlsFailed(
        way=Way.IN,
        connection=icid,
        service=listener,
        peer_ip=peer_ip,
        domain=None,
        failure=failure,
        explanation=explain(policy, handshake.hello, failure, Side.SERVER),
        hello=handshake.hello,
        offered=str(policy.selection),
        deferring=False,
        version_mismatch=False,
        seconds=handshake.seconds,
    )
