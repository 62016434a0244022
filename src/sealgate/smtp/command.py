"""The parameters of each command: bytes in, an event out, or the reply that refuses them (RFC 5321 §4.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sealgate.mail.address import AddressError, parse_path
from sealgate.mail.reply import Reply
from sealgate.smtp import parameters as options
from sealgate.smtp import replies, sasl
from sealgate.smtp.bdat import read_bdat
from sealgate.smtp.event import Event, Hello, Mail, Rcpt
from sealgate.smtp.parameters import read_parameters


@dataclass(frozen=True, slots=True)
class Ground:
    """What a command stands on: the extensions there are, and whether the transaction is one of SMTPUTF8."""

    extensions: frozenset[str]
    utf8: bool


Reader = Callable[[bytes, Ground], Event | sasl.Exchange | Reply]

_HELLO_NAME = re.compile(rb"[!-~]{1,255}")
# A space behind the colon is wrong and common. Inside quotes > does not end the path.
_PATH = rb'[ \t]*(<(?:[^">]|"(?:[^"\\]|\\.)*")*>)(?:[ \t]+(.*))?'
_FROM = re.compile(rb"FROM:" + _PATH, re.IGNORECASE)
_TO = re.compile(rb"TO:" + _PATH, re.IGNORECASE)


def split_command(line: bytes) -> tuple[bytes, bytes]:
    """The verb in upper case, and its parameters; blanks at the end do not count."""
    verb, _, parameters = line.rstrip(b" \t").partition(b" ")
    return verb.upper(), parameters


def always(event: Event) -> Reader:
    """For a command whose parameters, if any, do not matter."""
    return lambda parameters, ground: event


def alone(event: Event) -> Reader:
    """For a command that takes no parameters."""
    return lambda parameters, ground: replies.NO_PARAMETERS if parameters else event


def hello(*, extended: bool) -> Reader:
    """For EHLO and HELO: one name, whatever it is. That it be a true one is the business of others."""

    def read(parameters: bytes, ground: Ground) -> Event | Reply:
        name = parameters.strip(b" \t")
        return Hello(name.decode("ascii"), extended) if _HELLO_NAME.fullmatch(name) else replies.SYNTAX

    return read


def mail(parameters: bytes, ground: Ground) -> Event | Reply:
    """`FROM:<path>` and the parameters of `parameters.MAIL`."""
    match = _FROM.fullmatch(parameters)
    if match is None:
        return replies.SYNTAX
    asked = read_parameters(match[2] or b"", options.MAIL, ground.extensions)
    if isinstance(asked, Reply):
        return asked
    utf8 = asked.get("SMTPUTF8", False)
    try:
        sender = parse_path(match[1], utf8=utf8)
    except AddressError as error:
        return replies.bad_address(error, recipient=False)
    size, body_8bit = asked.get("SIZE"), asked.get("BODY", False)
    return Mail(sender, size, body_8bit, utf8, asked.get("RET", ""), asked.get("ENVID", ""))


def rcpt(parameters: bytes, ground: Ground) -> Event | Reply:
    """`TO:<path>` and the parameters of `parameters.RCPT`."""
    match = _TO.fullmatch(parameters)
    if match is None:
        return replies.SYNTAX
    known = options.RCPT_UTF8 if ground.utf8 else options.RCPT
    asked = read_parameters(match[2] or b"", known, ground.extensions)
    if isinstance(asked, Reply):
        return asked
    try:
        recipient = parse_path(match[1], bare_postmaster=True, utf8=ground.utf8)
    except AddressError as error:
        return replies.bad_address(error, recipient=True)
    if recipient is None:
        return replies.NULL_RECIPIENT
    return Rcpt(recipient, asked.get("NOTIFY"), asked.get("ORCPT", ""))


def bdat(parameters: bytes, ground: Ground) -> Event | Reply:
    """`size [LAST]`."""
    return read_bdat(parameters)


def auth(parameters: bytes, ground: Ground) -> sasl.Exchange | Reply:
    """`mechanism [initial-response]`."""
    return sasl.begin(parameters)
