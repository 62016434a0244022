"""Why a delivery did not happen, as one value that travels to the queue, the log and the bounce."""

from __future__ import annotations

from dataclasses import dataclass

from sealgate.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong for a recipient, a message or a whole destination.

    `permanent` decides between bounce and retry; `status` is the enhanced code (RFC 3463), `code` the SMTP
    code or "000" when no reply was given; `tls` marks what a change of the TLS policy might mend. Before `not_before`
    (seconds since the epoch) another attempt is of no use; `tried` is False if there was no attempt at all.
    """

    permanent: bool
    status: str
    code: str
    lines: tuple[str, ...]
    reason: str
    tls: bool = False
    not_before: float = 0.0
    tried: bool = True

    @property
    def sentence(self) -> str:
        """What a person reads in queue listings and notices."""
        said = " ".join(self.lines)
        return f"{self.reason}: {said}" if said else self.reason


class HopTrouble(Exception):
    """A next hop that cannot be used now, or refuses for good; `dcid` 0 if there was no connection."""

    def __init__(self, trouble: Trouble, dcid: int = 0) -> None:
        super().__init__(trouble.sentence)
        self.trouble = trouble
        self.dcid = dcid


def from_reply(reply: Reply, reason: str) -> Trouble:
    """A refusal given by the next hop; what is not clearly permanent is tried again."""
    permanent = reply.is_permanent
    status = reply.enhanced or ("5.0.0" if permanent else "4.0.0")
    return Trouble(permanent, status, str(reply.code), reply.lines, reason)


def network(sentence: str) -> Trouble:
    """A connection that failed or broke: always tried again (RFC 3463 X.4.x)."""
    return Trouble(False, "4.4.0", "000", (sentence,), "Other network problem")


def tls(sentence: str) -> Trouble:
    """TLS that failed, or was not enough (RFC 3463 X.7.x): always tried again, a policy may change."""
    return Trouble(False, "4.7.5", "000", (sentence,), "TLS problem", tls=True)
