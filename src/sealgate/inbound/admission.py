"""Letting one host in: its name, its mail flow policy, and room for it, in the order in which they become known.

Most hosts are known at once and are greeted as soon as there is room. A host whose name could decide is greeted all
the same (RFC 5321 §4.3.2), and its first command waits until DNS has spoken.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from sealgate.event.facts import ConnectionAccepted, HostNamed
from sealgate.inbound.acceptance import reject_host
from sealgate.inbound.access import Terms, terms_for, terms_of_probe
from sealgate.inbound.tools import Answer, SessionTools, is_full_for_host
from sealgate.live.revision import LiveListener
from sealgate.mail.host import NAMELESS, PeerName
from sealgate.mail.reply import Reply
from sealgate.process.lease import Lease, Refused
from sealgate.smtp import replies


class Guest(Protocol):
    """The session that wants to be let in."""

    def welcome(self) -> None:
        """There is room: greet it."""

    def settle(self, terms: Terms) -> None:
        """Go on under these terms."""

    def turn_away(self, reply: Reply | None, reason: str) -> None:
        """Not this host, or not now; None is no word."""


class Admission:
    """What stands between a connection and its first command."""

    def __init__(self, tools: SessionTools, live: LiveListener, icid: int, ip: str, guest: Guest) -> None:
        self._tools = tools
        self._settings = live.settings
        self._icid = icid
        self._ip = ip
        self._guest = guest
        self._leases: list[Lease] = []
        self._terms: Terms | None = None
        self._over = False
        self._welcomed = False
        self.name: PeerName | None = None if self._names_are_asked else NAMELESS

    @property
    def _names_are_asked(self) -> bool:
        return self._tools.trial is None and self._tools.current.revision.configuration.dns.reverse

    def begin(self, name: PeerName | None) -> None:
        """Decide what can be decided now; `name` is what is remembered of the host."""
        if self.name is None:
            self.name = name
        if self.name is None:
            self._tools.names.ask(self._ip, self._named)
        terms = self._decide()
        if not self._over:
            self._tools.ask_for_connection(self._ip, terms, partial(self._counted, terms))

    def end(self) -> None:
        """The connection is over."""
        self._over = True
        for lease in self._leases:
            lease.release()

    def _decide(self) -> Terms | None:
        """Find the terms, if the name is not missing for them, and turn away whom they turn away."""
        configuration, trial = self._tools.current.revision.configuration, self._tools.trial
        if trial is not None:
            self._terms = terms_of_probe(self._settings, trial)
        else:
            self._terms = terms_for(configuration, self._settings, self._ip, self.name)
        terms = self._terms
        if terms is None:
            return None
        self._tools.emit(ConnectionAccepted(self._icid, terms.decision, terms.group, terms.match))
        if terms.policy.action == "reject":
            self._dismiss(reject_host(terms), f"Rejected by policy {terms.policy.name}")
        elif terms.policy.action == "refuse":
            self._dismiss(None, f"Refused by policy {terms.policy.name}")
        return None if self._over else terms

    def _dismiss(self, reply: Reply | None, reason: str) -> None:
        self._over = True
        self._guest.turn_away(reply, reason)

    def _counted(self, asked_under: Terms | None, answer: Answer) -> None:
        """There is room, or there is none; the terms may have become known after it was asked for."""
        if not self._is_let_in(answer):
            return
        self._welcomed = True
        self._guest.welcome()
        if asked_under is not None:
            self._guest.settle(asked_under)
        elif self._terms is not None:
            self._ask_policy(self._terms)

    def _named(self, name: PeerName) -> None:
        if self._over:
            return
        self.name = name
        self._tools.emit(HostNamed(self._icid, name.name, name.verified, name.unsure))
        if self._terms is not None:
            return
        terms = self._decide()
        if terms is not None and self._welcomed:
            self._ask_policy(terms)

    def _ask_policy(self, terms: Terms) -> None:
        self._tools.ask_for_policy(self._ip, terms, partial(self._counted_by_policy, terms))

    def _counted_by_policy(self, terms: Terms, answer: Answer) -> None:
        if self._is_let_in(answer):
            self._guest.settle(terms)

    def _is_let_in(self, answer: Answer) -> bool:
        """Keep the lease that was given, or turn the host away."""
        if self._over:
            return False
        if isinstance(answer, Lease):
            self._leases.append(answer)
            return True
        self._over = True
        self._guest.turn_away(_too_many(answer, self._ip), "Connection limit exceeded")
        return False


def _too_many(answer: Refused | None, ip: str) -> Reply:
    if is_full_for_host(answer, ip):
        return replies.TOO_MANY_CONNECTIONS_FROM_HOST
    return replies.TOO_MANY_CONNECTIONS
