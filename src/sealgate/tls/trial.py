"""What one handshake, limited to one version, must end like if a service speaks its selection and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.tls.failure import ALERT_PROTOCOL_VERSION, UNSUPPORTED_PROTOCOL, TlsFailure
from sealgate.tls.version import ProtocolVersion, Selection


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a handshake with one version only.

    `certificate` is the SHA-256 of the server's own, once it has shown one: then it has agreed to the version, though
    it may go on to ask for a certificate that the one who tries has not. `failure` is why it ended before.
    """

    version: ProtocolVersion
    certificate: str | None
    failure: TlsFailure | None = None


def judge_attempt(selection: Selection, attempt: Attempt, certificates: frozenset[str] | None) -> tuple[bool, str]:
    """Whether it ended as it must, and what happened in words.

    `certificates` are those that the service may show; None if that is of no interest.
    """
    expected = selection.lowest <= attempt.version <= selection.highest
    if attempt.certificate is None:
        said = "the handshake failed" if attempt.failure is None else attempt.failure.text
        return (False, f"it is selected, and was refused: {said}") if expected else _refused(attempt, selection, said)
    if not expected:
        return False, "it is not selected, and was accepted"
    if certificates is not None and attempt.certificate not in certificates:
        return False, "it was accepted with a certificate that is not the one configured"
    return True, "accepted"


def judge_own(selection: Selection, attempt: Attempt) -> tuple[bool, str]:
    """The same for a client of ours, tried against a server that speaks one version: how it declines is its affair."""
    expected = selection.lowest <= attempt.version <= selection.highest
    if attempt.certificate is None:
        said = "" if attempt.failure is None else f": {attempt.failure.text}"
        return (False, f"it is selected, and was not spoken{said}") if expected else (True, "declined")
    return (True, "spoken") if expected else (False, "it is not selected, and was spoken")


def _refused(attempt: Attempt, selection: Selection, said: str) -> tuple[bool, str]:
    """A refusal counts if it says why: the alert, or the lower answer that a client of TLS 1.2 and older gets."""
    reason = None if attempt.failure is None else attempt.failure.reason
    if reason == ALERT_PROTOCOL_VERSION:
        return True, "refused with the alert protocol version"
    above = selection.highest < attempt.version < ProtocolVersion.TLS1_3
    if above and reason == UNSUPPORTED_PROTOCOL:
        return True, "answered with a lower version, which the client declined"
    return False, f"it was refused, but not for its version: {said}"
