"""The parameters of each command: bytes in, an event out, or the reply that refuses them (RFC 5321 §4.1.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from sealgate.mail.address import AddressError, parse_path
from sealgate.mail.reply import Reply
from sealgate.smtp import replies
from sealgate.smtp.event import Event, Hello, Mail, Rcpt

Reader = Callable[[bytes], Event | Reply]

_HELLO_NAME = re.compile(rb"[!-~]{1,255}")
# A space behind the colon is wrong and common. Inside quotes > does not end the path.
_PATH = rb'[ \t]*(<(?:[^">]|"(?:[^"\\]|\\.)*")*>)(?:[ \t]+(.*))?'
_FROM = re.compile(rb"FROM:" + _PATH, re.IGNORECASE)
_TO = re.compile(rb"TO:" + _PATH, re.IGNORECASE)
_SIZE = re.compile(rb"[0-9]{1,20}")
_BODY = {b"7BIT": False, b"8BITMIME": True}


def split_command(line: bytes) -> tuple[bytes, bytes]:
    """The verb in upper case, and its parameters; blanks at the end do not count."""
    verb, _, parameters = line.rstrip(b" \t").partition(b" ")
    return verb.upper(), parameters


def always(event: Event) -> Reader:
    """For a command whose parameters, if any, do not matter."""
    return lambda parameters: event


def alone(event: Event) -> Reader:
    """For a command that takes no parameters."""
    return lambda parameters: replies.NO_PARAMETERS if parameters else event


def hello(*, extended: bool) -> Reader:
    """For EHLO and HELO: one name, whatever it is. That it be a true one is the business of others."""

    def read(parameters: bytes) -> Event | Reply:
        name = parameters.strip(b" \t")
        return Hello(name.decode("ascii"), extended) if _HELLO_NAME.fullmatch(name) else replies.SYNTAX

    return read


def mail(parameters: bytes) -> Event | Reply:
    """`FROM:<path> [SIZE=n] [BODY=7BIT|8BITMIME]` (RFC 1870, RFC 6152)."""
    match = _FROM.fullmatch(parameters)
    if match is None:
        return replies.SYNTAX
    options = _options(match[2] or b"")
    if options is None:
        return replies.SYNTAX
    size, body = options.pop(b"SIZE", None), options.pop(b"BODY", b"7BIT")
    if options or body not in _BODY:
        return replies.UNKNOWN_PARAMETER
    if size is not None and not _SIZE.fullmatch(size):
        return replies.SYNTAX
    try:
        return Mail(parse_path(match[1]), None if size is None else int(size), _BODY[body])
    except AddressError as error:
        return replies.bad_address(str(error), recipient=False)


def rcpt(parameters: bytes) -> Event | Reply:
    """`TO:<path>`."""
    match = _TO.fullmatch(parameters)
    if match is None:
        return replies.SYNTAX
    if match[2]:
        return replies.UNKNOWN_PARAMETER
    try:
        recipient = parse_path(match[1], bare_postmaster=True)
    except AddressError as error:
        return replies.bad_address(str(error), recipient=True)
    return replies.NULL_RECIPIENT if recipient is None else Rcpt(recipient)


def _options(text: bytes) -> dict[bytes, bytes] | None:
    """`KEY=value` pairs in upper case; None if a key comes twice."""
    pairs = [option.partition(b"=") for option in text.upper().split()]
    options = {key: value for key, _, value in pairs}
    return options if len(options) == len(pairs) else None
