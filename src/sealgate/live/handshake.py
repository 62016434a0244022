"""A handshake with a client, told as a fact."""

from __future__ import annotations

from sealgate.event.facts import TlsFailed, TlsSucceeded, Way
from sealgate.net.tls.transport import Handshake
from sealgate.tls.failure import Origin, TlsFailure
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.verdict import Side, explain


def fact_of(
    handshake: Handshake, way: Way, connection: int, peer_ip: str, service: str, policy: TlsPolicy
) -> TlsSucceeded | TlsFailed:
    """What the record keeps of it: the outcome or the reason, and in both cases what the client offered.

    `policy` is what the service may speak; `way` and `connection` say which connection it was.
    """
    if handshake.outcome is not None:
        return TlsSucceeded(
            way=way,
            connection=connection,
            service=service,
            peer_ip=peer_ip,
            domain=None,
            outcome=handshake.outcome,
            hello=handshake.hello,
            seconds=handshake.seconds,
        )
    failure = handshake.failure or TlsFailure(Origin.LOCAL, None, "unknown failure")
    return TlsFailed(
        way=way,
        connection=connection,
        service=service,
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
