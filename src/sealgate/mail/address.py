"""Mail addresses as SMTP writes them (RFC 5321 §4.1.2), ASCII only until SMTPUTF8 is offered."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]")

LOCAL_LIMIT = 64
DOMAIN_LIMIT = 255


class AddressError(ValueError):
    """No address; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `domain` is empty only in the bare `postmaster` (RFC 5321 §4.5.1)."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def domain_key(self) -> str:
        """The domain as it is compared."""
        return self.domain.lower().rstrip(".")


def parse_address(text: str, *, bare_postmaster: bool = False) -> Address:
    """Read `local@domain`."""
    if not text.isascii():
        raise AddressError("the address is not ASCII, and SMTPUTF8 is not offered")
    if bare_postmaster and text.lower() == "postmaster":
        return Address(text, "")
    quoted = _QUOTED.match(text)
    local, separator, domain = (
        (quoted.group(), text[quoted.end() : quoted.end() + 1], text[quoted.end() + 1 :])
        if quoted
        else text.partition("@")
    )
    if separator != "@" or not domain:
        raise AddressError("the address lacks a domain")
    if not quoted and not _DOT_STRING.fullmatch(local):
        raise AddressError("the part before @ is not written as RFC 5321 asks")
    if len(local) > LOCAL_LIMIT or len(domain) > DOMAIN_LIMIT:
        raise AddressError("the address is too long")
    if not (_DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain)):
        raise AddressError("the domain is not written as RFC 5321 asks")
    return Address(local, domain)


def parse_path(path: bytes, *, bare_postmaster: bool = False) -> Address | None:
    """Read `<local@domain>`; None for the null path `<>`. A source route is dropped (RFC 5321 §F.2)."""
    text = path.decode("latin-1")
    if not (text.startswith("<") and text.endswith(">")):
        raise AddressError("the address must stand between < and >")
    text = text[1:-1]
    if not text:
        return None
    if text.startswith("@"):
        route, separator, text = text.partition(":")
        if not separator:
            raise AddressError(f"the source route {route!r} has no address behind it")
    return parse_address(text, bare_postmaster=bare_postmaster)
