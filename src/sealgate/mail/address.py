"""Mail addresses as SMTP writes them (RFC 5321 §4.1.2), and with `utf8` as SMTPUTF8 does (RFC 6531 §3.3).

parse_path(b"<Someone@Inside.Example>")     Address("Someone", "Inside.Example")
parse_path(b"<>")                           None, the null path of notices
parse_address("someone@inside.example")     the same without brackets
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import idna

from sealgate.mail.text import is_visible

ADDRESS_LIMIT = 64 + 1 + 255
"""Bytes of a whole address: the sums of RFC 5321 §4.5.3.1. A local part alone may have more than the 64
bytes named there, as the return addresses of mailing lists often do."""

DOMAIN_LIMIT = 253
"""Bytes of a domain: the 255 of RFC 5321 §4.5.3.1.2 as DNS counts them, which has no use for a longer one."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # with _, which some hosts have
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_ASCII_DOMAIN = re.compile(_DOMAIN)
_SOURCE_ROUTE = re.compile(rf"@{_DOMAIN}(?:,@{_DOMAIN})*:")
_WIDE = r"\x80-\U0010ffff"


def _dot_atom(wide: str) -> str:
    atom = rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{wide}-]+"
    return rf"{atom}(?:\.{atom})*"


def _local(wide: str) -> str:
    return rf'(?:{_dot_atom(wide)}|"(?:[ !#-\[\]-~{wide}]|\\[ -~])*")'


_DOT_ATOM = re.compile(_dot_atom(_WIDE))
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_LOCAL_AT = re.compile(rf"{_local(_WIDE)}@")
_ASCII_MAILBOX = re.compile(rf"({_local('')})@({_DOMAIN}|\[[^\]]*\])")
_MAILBOX = re.compile(rf"({_local(_WIDE)})@([A-Za-z0-9_.{_WIDE}-]+|\[[^\]]*\])")


class AddressError(ValueError):
    """No address; the sentence says what is wrong with it, in ASCII and without quoting it."""


class AddressNotAscii(AddressError):
    """An address that only SMTPUTF8 could carry, where nobody asked for it (RFC 6531 §3.5)."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as it was written: quotes, case and Unicode form stay. An empty domain is the bare `postmaster`."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def local_key(self) -> str:
        """The local part as a table compares it: lower case, and quoted only where it must be (RFC 5321 §4.1.2)."""
        if not self.local.startswith('"'):
            return self.local.lower()
        plain = _QUOTED_PAIR.sub(r"\1", self.local[1:-1])
        if not _DOT_ATOM.fullmatch(plain):
            plain = '"' + re.sub(r'(["\\])', r"\\\1", plain) + '"'
        return plain.lower()

    @property
    def domain_key(self) -> str:
        """The domain as it is compared and looked up: lower case, internationalised names as A-labels.

        A domain that has no such form, which `parse_address` lets nobody use, only becomes lower case.
        """
        try:
            return _key(self.domain)
        except AddressError:
            return self.domain.lower()


def parse_address(text: str, *, bare_postmaster: bool = False, utf8: bool = False) -> Address:
    """Read `local@domain`; with `bare_postmaster` also `postmaster` alone (RFC 5321 §4.5.1)."""
    if text.isascii():
        match = _ASCII_MAILBOX.fullmatch(text)
    elif utf8:
        match = _MAILBOX.fullmatch(text) if is_visible(text) else None
    else:
        raise AddressNotAscii("the address is not ASCII, and only SMTPUTF8 could carry it")
    if match is not None and _size(text) <= ADDRESS_LIMIT:
        local, domain = match.groups()
        if _is_literal(domain) if domain[0] == "[" else _is_domain(domain):
            return Address(local, domain)
    if bare_postmaster and text.lower() == "postmaster":
        return Address(text, "")
    raise AddressError(_complaint(text))


def parse_path(path: bytes, *, bare_postmaster: bool = False, utf8: bool = False) -> Address | None:
    """Read `<local@domain>`; None is the null path `<>`. A source route is dropped (RFC 5321 §C)."""
    try:
        text = path.decode("utf-8" if utf8 else "latin-1")
    except UnicodeDecodeError:
        raise AddressError("the address is neither ASCII nor UTF-8") from None
    if not (text.startswith("<") and text.endswith(">") and len(text) > 1):
        raise AddressError("the address must stand between < and >")
    text = text[1:-1]
    if not text:
        return None
    if text[0] == "@":
        text = _SOURCE_ROUTE.sub("", text, count=1)
    return parse_address(text, bare_postmaster=bare_postmaster, utf8=utf8)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _is_domain(domain: str) -> bool:
    try:
        key = _key(domain)
    except AddressError:
        return False
    return len(key) <= DOMAIN_LIMIT and _ASCII_DOMAIN.fullmatch(key) is not None


def _key(domain: str) -> str:
    """A domain as DNS knows it (RFC 5890 §2.3.2.1), in lower case; `AddressError` if it has no such form.

    What people write instead of a U-label, such as capitals, is mapped first (UTS 46, nontransitional). Only a full
    stop divides labels: another server may not see a dot in those of other scripts.
    """
    if domain.isascii():
        return domain.lower()
    try:
        return ".".join(map(_label_key, domain.split(".")))
    except UnicodeError:
        raise AddressError(_BAD_DOMAIN) from None


def _label_key(label: str) -> str:
    if label.isascii():
        return label.lower()
    return idna.alabel(idna.uts46_remap(label)).decode("ascii")


def _is_literal(domain: str) -> bool:
    """Whether it is an address literal: [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3)."""
    inside = domain[1:-1]
    try:
        if inside[:5].upper() == "IPV6:":
            return ipaddress.IPv6Address(inside[5:]).scope_id is None
        return bool(ipaddress.IPv4Address(inside))
    except ValueError:
        return False


_BAD_DOMAIN = "the domain is neither a host name nor an address literal such as [192.0.2.1]"


def _complaint(text: str) -> str:
    if _size(text) > ADDRESS_LIMIT:
        return f"the address has more than {ADDRESS_LIMIT} bytes"
    if not is_visible(text) and not text.isascii():
        return "the address holds characters that cannot be seen"
    if "@" not in text:
        return "the address has no domain: write local@domain"
    if not _LOCAL_AT.match(text):
        return "the part before @ holds what must be quoted, or dots that do not stand between words"
    return _BAD_DOMAIN
