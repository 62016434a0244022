"""Mail addresses as SMTP writes them (RFC 5321 §4.1.2), ASCII only until SMTPUTF8 is offered.

parse_path(b"<Someone@Inside.Example>")     Address("Someone", "Inside.Example")
parse_path(b"<>")                           None, the null path of notices
parse_address("someone@inside.example")     the same without brackets
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

ADDRESS_LIMIT = 64 + 1 + 255
"""Bytes of a whole address: the sums of RFC 5321 §4.5.3.1. A local part alone may have more than the 64
bytes named there, as the return addresses of mailing lists often do."""

DOMAIN_LIMIT = 253
"""Bytes of a domain: the 255 of RFC 5321 §4.5.3.1.2 as DNS counts them, which has no use for a longer one."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])*")'
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # with _, which some hosts have
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_MAILBOX = re.compile(rf"({_LOCAL})@({_DOMAIN}|\[[^\]]*\])")
_LOCAL_AT = re.compile(rf"{_LOCAL}@")
_SOURCE_ROUTE = re.compile(rf"@{_DOMAIN}(?:,@{_DOMAIN})*:")


class AddressError(ValueError):
    """No address; the sentence says what is wrong with it, in ASCII and without quoting it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as it was written: quotes and case stay. An empty domain is the bare `postmaster`."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def domain_key(self) -> str:
        """The domain as it is compared: lower case, internationalised names as A-labels."""
        return self.domain.lower()


def parse_address(text: str, *, bare_postmaster: bool = False) -> Address:
    """Read `local@domain`; with `bare_postmaster` also `postmaster` alone (RFC 5321 §4.5.1)."""
    match = _MAILBOX.fullmatch(text)
    if match is not None and len(text) <= ADDRESS_LIMIT:
        local, domain = match.groups()
        if len(domain) <= DOMAIN_LIMIT if domain[0] != "[" else _is_literal(domain):
            return Address(local, domain)
    if bare_postmaster and text.lower() == "postmaster":
        return Address(text, "")
    raise AddressError(_complaint(text))


def parse_path(path: bytes, *, bare_postmaster: bool = False) -> Address | None:
    """Read `<local@domain>`; None is the null path `<>`. A source route is dropped (RFC 5321 §C)."""
    text = path.decode("latin-1")
    if not (text.startswith("<") and text.endswith(">") and len(text) > 1):
        raise AddressError("the address must stand between < and >")
    text = text[1:-1]
    if not text:
        return None
    if text[0] == "@":
        text = _SOURCE_ROUTE.sub("", text, count=1)
    return parse_address(text, bare_postmaster=bare_postmaster)


def _is_literal(domain: str) -> bool:
    """Whether it is an address literal: [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3)."""
    inside = domain[1:-1]
    try:
        if inside[:5].upper() == "IPV6:":
            return ipaddress.IPv6Address(inside[5:]).scope_id is None
        return bool(ipaddress.IPv4Address(inside))
    except ValueError:
        return False


def _complaint(text: str) -> str:
    if not text.isascii():
        return "the address is not ASCII, and SMTPUTF8 is not offered here"
    if len(text) > ADDRESS_LIMIT:
        return f"the address has more than {ADDRESS_LIMIT} characters"
    if "@" not in text:
        return "the address has no domain: write local@domain"
    if not _LOCAL_AT.match(text):
        return "the part before @ holds what must be quoted, or dots that do not stand between words"
    return "the domain is neither a host name nor an address literal such as [192.0.2.1]"
