"""The parameters of MAIL and RCPT, as tables: of which extension each is, and what its values may be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sealgate.mail.envelope import Notify
from sealgate.mail.reply import Reply
from sealgate.mail.text import is_visible
from sealgate.smtp import replies

ENVID_LIMIT = 100
"""Bytes of an ENVID (RFC 3461 §4.4)."""

ORCPT_LIMIT = 500
"""Bytes of an ORCPT (RFC 3461 §4.2)."""


class Unsupported(Exception):
    """The parameter is known, this value of it is not offered: 555 where a value that is none gets 501."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: `read` gives its value or `ValueError`; it is called with an empty text if there is no value."""

    extension: str
    read: Callable[[str], Any]


def words(text: bytes) -> list[bytes]:
    """What stands between the blanks."""
    return [word for word in re.split(rb"[ \t]+", text) if word]


def read_parameters(text: bytes, known: Mapping[str, Parameter], offered: frozenset[str]) -> dict[str, Any] | Reply:
    """The values by name, or the reply that refuses them (RFC 5321 §4.1.2, §4.1.1.11)."""
    if not text:
        return {}
    try:
        pairs = [_pair(option.decode()) for option in words(text)]
    except ValueError:
        return replies.SYNTAX
    given = dict(pairs)
    if len(given) < len(pairs):
        return replies.SYNTAX
    if any(name not in known or known[name].extension not in offered for name in given):
        return replies.UNKNOWN_PARAMETER
    try:
        return {name: known[name].read(value) for name, value in given.items()}
    except Unsupported:
        return replies.UNKNOWN_PARAMETER
    except ValueError:
        return replies.SYNTAX


_PAIR = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")


def _pair(option: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(option)
    if match is None:
        raise ValueError("no parameter")
    return match[1].upper(), match[2] or ""


# What xtext encodes must be printable: it will stand in the header of a notice (RFC 3461 §4, §4.2, §4.4).
_XCHAR = r"[!-*,-<>-~]|\+(?:[2-6][0-9A-F]|7[0-9A-E])"
_XTEXT = re.compile(rf"(?:{_XCHAR})+")
_TYPE = re.compile(r"[A-Za-z0-9-]+")
_DIGITS = re.compile(r"[0-9]{1,20}")
_UTF8_CHAR = r"[!-*,-<>-\[\]-~\x80-\U0010ffff]|\\x\{[0-9A-F]{2,6}\}"  # RFC 6533 §3: no +, = and backslash
_UTF8_TEXT = re.compile(rf"(?:{_UTF8_CHAR})+")
_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")


def _expect(text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise ValueError("malformed value")
    return text


def _flag(text: str) -> bool:
    if text:
        raise ValueError("a value where none belongs")
    return True


def _size(text: str) -> int:
    return int(_expect(text, _DIGITS))


def _body(text: str) -> bool:
    if not text:
        raise ValueError("no value")
    if text.upper() not in ("7BIT", "8BITMIME"):
        raise Unsupported(text)
    return text.upper() == "8BITMIME"


def _ret(text: str) -> str:
    if text.upper() not in ("FULL", "HDRS"):
        raise ValueError("neither FULL nor HDRS")
    return text.upper()


def _envid(text: str) -> str:
    if len(text) > ENVID_LIMIT:
        raise ValueError("too long")
    return _expect(text, _XTEXT)


def _authenticated(text: str) -> None:
    """AUTH=, who submitted the message by another server's word: read, and not believed (RFC 4954 §5)."""
    if text != "<>":
        _expect(text, _XTEXT)


def _notify(text: str) -> Notify:
    found = Notify.read(text)
    if found is None:
        raise ValueError("no value")
    return found


def _orcpt(text: str) -> str:
    kind, _, value = text.partition(";")
    _expect(kind, _TYPE)
    if len(text.encode()) > ORCPT_LIMIT:
        raise ValueError("too long")
    if kind.upper() != "UTF-8":
        _expect(value, _XTEXT)
    elif not is_visible(_EMBEDDED.sub(_character, _expect(value, _UTF8_TEXT))):
        raise ValueError("what cannot be seen")
    return text


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))  # `ValueError` beyond Unicode


def _ascii_orcpt(text: str) -> str:
    return _orcpt(text.encode("ascii").decode())


MAIL: dict[str, Parameter] = {
    "SIZE": Parameter("SIZE", _size),  # RFC 1870 §3
    "BODY": Parameter("8BITMIME", _body),  # RFC 6152 §2
    "SMTPUTF8": Parameter("SMTPUTF8", _flag),  # RFC 6531 §3.4
    "RET": Parameter("DSN", _ret),
    "ENVID": Parameter("DSN", _envid),
    "AUTH": Parameter("AUTH", _authenticated),
}

RCPT: dict[str, Parameter] = {
    "NOTIFY": Parameter("DSN", _notify),
    "ORCPT": Parameter("DSN", _ascii_orcpt),
}

RCPT_UTF8: dict[str, Parameter] = RCPT | {"ORCPT": Parameter("DSN", _orcpt)}
"""Those of RCPT in a transaction of SMTPUTF8 (RFC 6533 §3)."""
