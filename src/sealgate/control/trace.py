"""What would happen to a message: every decision from the host that connects to the reply for its recipient.

Nothing is decided here. The functions and the SMTP machine that serve real mail are asked, with a client's commands,
so that the answer cannot differ from what a gateway with this configuration would do. What depends on the moment is
left out: limits that are counted, room in the queue, whether a certificate or a passphrase is right.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from sealgate.config.check_access import is_for
from sealgate.config.network import network_of
from sealgate.config.schema import Configuration, Listener
from sealgate.config.schema.kinds import EVERY_HOST
from sealgate.control import trace_step as step
from sealgate.control.trace_step import Step
from sealgate.inbound.acceptance import accept_sender, decide_recipient, full_address, reject_host
from sealgate.inbound.access import Terms, terms_for
from sealgate.inbound.machine import govern, machine_for
from sealgate.mail.address import Address
from sealgate.mail.host import NAMELESS, PeerName
from sealgate.mail.reply import Reply, ReplyStyle
from sealgate.smtp import replies
from sealgate.smtp import server as smtp
from sealgate.tls.version import ProtocolVersion


@dataclass(frozen=True, slots=True)
class Question:
    """A message, and the host that would bring it.

    `sender` None is the null path. `name`: the host's name in DNS, which leads back to it; None is not known.
    `listener` None is every one that the host could reach. `tls` None is the best that both could speak, "none" is
    clear text. `login`: an account whose passphrase is right. `size`: bytes, announced with MAIL.
    """

    ip: str
    sender: Address | None
    recipient: Address
    name: str | None = None
    listener: str | None = None
    hello: str = "client.example"
    tls: ProtocolVersion | str | None = None
    login: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """What one listener would say to it. `name` is the host name that was assumed; "" is none.

    `said` is the last reply; empty if the connection is closed without one.
    """

    listener: str
    name: str
    steps: tuple[Step, ...]
    accepted: bool
    said: str


def trace_inbound(configuration: Configuration, question: Question) -> list[Inbound]:
    """One answer for each listener that the host could reach, and for each name that would make a difference."""
    asked = question.listener
    return [
        _Visit(configuration, question, listener, name).run()
        for listener in configuration.listeners
        if listener.enabled and (_reaches(question.ip, listener) if asked is None else listener.name == asked)
        for name in _names(configuration, question, listener)
    ]


def _reaches(ip: str, listener: Listener) -> bool:
    """Whether a connection of this host could come in there: same family, and loopback from loopback alone."""
    host = ipaddress.ip_address(ip)
    for each in map(ipaddress.ip_address, listener.addresses):
        if each.version == host.version and (not each.is_loopback or host.is_loopback):
            return True
    return False


def _names(configuration: Configuration, question: Question, listener: Listener) -> Iterator[PeerName]:
    """The name of the host; where it is not known and could decide, none at all and one for each row it could be in."""
    if not configuration.dns.reverse:
        yield NAMELESS
    elif question.name is not None:
        yield PeerName(question.name, verified=True)
    elif terms_for(configuration, listener, question.ip, None) is not None:
        yield NAMELESS
    else:
        yield NAMELESS
        nameless = terms_for(configuration, listener, question.ip, NAMELESS)
        for group in configuration.sender_groups:
            if nameless is not None and group.name == nameless.group:
                return  # rows below it are not read
            named = [each for each in group.members if each != EVERY_HOST and network_of(each) is None]
            if is_for(group, listener) and named:
                yield PeerName(f"host{named[0]}" if named[0].startswith(".") else named[0], verified=True)


class _Over(Exception):
    """The visit ends before its message is taken."""


class _Visit:
    """One client at one listener."""

    def __init__(self, configuration: Configuration, question: Question, listener: Listener, name: PeerName) -> None:
        self._configuration = configuration
        self._question = question
        self._listener = listener
        self._name = name
        self._style = ReplyStyle(listener.reply_style)
        self._steps: list[Step] = []
        self._said = ""
        self._encrypted = False
        self._logged_in = False

    def run(self) -> Inbound:
        """Say it all."""
        accepted = True
        try:
            self._converse()
        except _Over:
            accepted = False
        return Inbound(self._listener.name, self._name.name or "", tuple(self._steps), accepted, self._said)

    def _converse(self) -> None:
        listener, question = self._listener, self._question
        addresses = tuple(f"{each} port {listener.port}" for each in listener.addresses)
        self._steps.append(step.Arrival(listener.name, listener.kind, addresses, listener.implicit_tls))
        self._terms = terms = self._host()
        tls = self._configuration.tls.inbound_smtp
        self._steps.append(step.InboundTls(terms.tls, str(tls.selection), tls.ciphers, terms.client_certificate))
        if listener.implicit_tls:
            self._shake_hands("the first byte")
        self._machine = machine_for(listener, self._configuration.gateway.hostname, encrypted=listener.implicit_tls)
        govern(self._machine, listener, terms, speaks_tls=listener.tls != "off")
        self._said = _line(self._machine.greeting())
        self._steps.append(step.Exchange("", self._said, ""))
        self._say(f"EHLO {question.hello}")
        self._secure()
        self._log_in()
        size = "" if question.size is None else f" SIZE={question.size}"
        utf8 = "" if f"{question.sender}{question.recipient}".isascii() else " SMTPUTF8"
        self._say(f"MAIL FROM:<{question.sender or ''}>{size}{utf8}")
        self._say(f"RCPT TO:<{question.recipient}>")

    def _host(self) -> Terms:
        """The row of the host access table, and what it does to the host at once."""
        terms = terms_for(self._configuration, self._listener, self._question.ip, self._name)
        assert terms is not None  # the name is given
        self._steps.append(
            step.Host(
                self._question.ip, self._name.name or "", terms.group, terms.match, terms.policy.name, terms.decision
            )
        )
        if terms.policy.action == "refuse":
            raise _Over
        if terms.policy.action == "reject":
            if not self._listener.implicit_tls:  # a client that expects TLS would not understand it
                self._said = _line(reject_host(terms).encode(self._style))
            self._steps.append(step.Exchange("", self._said, f"the policy {terms.policy.name}"))
            raise _Over
        return terms

    # -- TLS and login

    @property
    def _version(self) -> ProtocolVersion | None:
        """What the client would speak, or None for clear text."""
        if self._question.tls is None:
            return self._configuration.tls.inbound_smtp.selection.highest
        return self._question.tls if isinstance(self._question.tls, ProtocolVersion) else None

    def _shake_hands(self, where: str) -> None:
        version, selection = self._version, self._configuration.tls.inbound_smtp.selection
        if version is None:
            self._steps.append(step.Handshake(where, "none", "this listener speaks TLS alone"))
            raise _Over
        fault = "" if version in selection else f"Inbound SMTP speaks TLS {selection} alone"
        self._steps.append(step.Handshake(where, version.label, fault))
        if fault:
            raise _Over
        self._encrypted = True

    def _secure(self) -> None:
        """STARTTLS, if the client wants it and the listener offers it, or if the client insists."""
        if self._encrypted or self._question.tls == "none":
            return
        if self._question.tls is None and self._terms.tls == "off":
            return
        self._say("STARTTLS")
        self._shake_hands("STARTTLS")
        self._machine.tls_started()
        self._say(f"EHLO {self._question.hello}")

    def _log_in(self) -> None:
        if self._question.login is not None:
            plain = base64.b64encode(f"\0{self._question.login}\0-".encode()).decode()
            self._say(f"AUTH PLAIN {plain}", f"AUTH PLAIN (login {self._question.login})")

    # -- commands

    def _say(self, command: str, shown: str = "") -> None:
        """One command and its answer; a refusal ends the visit."""
        self._machine.receive(command.encode() + b"\r\n")
        event = self._machine.next_event()
        reply, by = self._answer(event)
        if isinstance(event, smtp.Hangup):
            self._said = _line(reply.encode(self._style))
        else:
            self._said = _line(self._machine.answer(reply))
        self._steps.append(step.Exchange(shown or command, self._said, by))
        if not reply.is_positive:
            raise _Over

    def _answer(self, event: smtp.Event | None) -> tuple[Reply, str]:
        match event:
            case smtp.Hello():
                return self._machine.hello_reply(event), ""
            case smtp.StartTls():
                return replies.READY_FOR_TLS, ""
            case smtp.Login(name=name):
                return self._login(name)
            case smtp.Mail(sender=sender):
                return self._sender(sender)
            case smtp.Rcpt(recipient=recipient):
                decision = decide_recipient(self._configuration, self._terms, recipient, logged_in=self._logged_in)
                return decision.refusal or replies.recipient_ok(
                    full_address(self._configuration, recipient)
                ), decision.by
            case smtp.Refusal(reply=reply):
                return reply, "what this listener offers and asks for"
            case smtp.Hangup(reply=Reply() as reply, reason=reason):
                return reply, reason
        raise AssertionError(f"a client's command became {event}")

    def _login(self, name: str) -> tuple[Reply, str]:
        account = self._configuration.account_of.get(name.lower())
        if account is None or not account.enabled:
            return replies.LOGIN_FAILED, "there is no such account, or it is not enabled"
        self._logged_in = True
        return replies.LOGGED_IN, "a passphrase that is right"

    def _sender(self, sender: Address | None) -> tuple[Reply, str]:
        account = None
        if self._logged_in and self._listener.sender_must_match:
            account = self._configuration.account_of[str(self._question.login).lower()]
        refusal = accept_sender(self._terms, sender, account, encrypted=self._encrypted)
        by = ""
        if refusal is replies.SENDER_NEEDS_TLS:
            by = f"tls_senders of the policy {self._terms.policy.name}"
        elif refusal is replies.SENDER_NOT_OWN:
            by = "sender_must_match of the listener, and the senders of the account"
        return refusal or replies.sender_ok(sender), by


def _line(reply: bytes) -> str:
    return reply.decode().rstrip("\r\n").replace("\r\n", "\n")
