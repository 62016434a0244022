"""Kinds of text that settings hold: names, addresses, networks, hosts, PEM. A refusal says what would be right."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from sealgate.config.schema.base import MASK, Secret, Words
from sealgate.mail.address import parse_address

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DOMAIN_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_DOMAIN_LENGTH = 253  # RFC 1035 §3.1: 255 octets on the wire
_REPLY_LENGTH = 200
_TITLE_LENGTH = 100
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_ARGON2 = re.compile(r"\$argon2id\$v=19\$m=\d{1,8},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,172}")

EVERY_HOST = "ALL"
"""The member of a sender group that every host is."""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _labels_match(text: str, label: re.Pattern[str]) -> bool:
    """Whether each part between the dots is a label; a name whose last one is a number is an address, or a mistake."""
    labels = text.split(".")
    return len(text) <= _DOMAIN_LENGTH and all(label.fullmatch(each) for each in labels) and not labels[-1].isdigit()


def _not_ascii(text: str) -> str:
    return f"{text!r} is not ASCII; write an international name in its xn-- form"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name; write up to 63 letters, digits, dots, hyphens and underscores")
    return text


def _host_name(text: str) -> str:
    host = text.removesuffix(".")
    if not host.isascii():
        raise ValueError(_not_ascii(text))
    if not _labels_match(host, _HOST_LABEL):
        raise ValueError(f"{text!r} is no host name; write one such as gate.example.com")
    return host


def _domain(text: str) -> str:
    domain = text.removesuffix(".").lower()
    if not domain.isascii():
        raise ValueError(_not_ascii(text))
    if not _labels_match(domain, _DOMAIN_LABEL):
        raise ValueError(f"{text!r} is no domain; write one such as example.com")
    return domain


def _domain_or_subdomains(text: str) -> str:
    if text == "*":
        raise ValueError("'*' would be every domain there is; name the domains")
    return f".{_domain(text[1:])}" if text.startswith(".") else _domain(text)


def _any_domain(text: str) -> str:
    return text if text == "*" else _domain_or_subdomains(text)


def _mailbox(text: str) -> str:
    return str(parse_address(text))


def _address_pattern(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        return _domain_or_subdomains(text)
    if domain:
        address = parse_address(text)
        return f"{address.local_key}@{address.domain_key}"
    return f"{parse_address(f'{local}@example').local_key}@"


def _host_pattern(text: str) -> str:
    if text == EVERY_HOST:
        return text
    if text.startswith("."):
        return _domain_or_subdomains(text)
    if "/" in text:
        return _network(text)
    if _is_address(text):
        return _address(text)
    try:
        return _host_name(text).lower()
    except ValueError:
        raise ValueError(
            f"{text!r} is no host; write an address, a network, a host name, .domain for all below it, or ALL"
        ) from None


def _reply_text(text: str) -> str:
    if not (0 < len(text) <= _REPLY_LENGTH and text.isascii() and text.isprintable()):
        raise ValueError(f"a reply is one line of 1 to {_REPLY_LENGTH} printable ASCII characters")
    return text


def _login(text: str) -> str:
    if not (_LOGIN.fullmatch(text) and text.isascii()):
        raise ValueError(f"{text!r} is no login; write up to 64 letters, digits and ._@+- without blanks")
    return text


def _operator_name(text: str) -> str:
    try:
        return _login(text).lower()
    except ValueError:
        raise ValueError(
            f"{text!r} is no name of an operator; write up to 64 letters, digits and ._@+- without blanks"
        ) from None


def _title(text: str) -> str:
    if not (0 < len(text.strip()) <= _TITLE_LENGTH and text.isprintable()):
        raise ValueError(f"this is one line of 1 to {_TITLE_LENGTH} printable characters")
    return text.strip()


def _passphrase_hash(text: str) -> str:
    if text.strip() == MASK:
        raise ValueError(
            "the hash is masked: this file was made for looking at; export one with sealgate showconfig --secrets"
        )
    if not _ARGON2.fullmatch(text):
        raise ValueError("this is no argon2 hash; make one with sealgate hash-passphrase")
    return text


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IP address; write one such as 192.0.2.1 or 2001:db8::1") from None
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        raise ValueError(f"{text!r} is an IPv4 address in IPv6 clothing; write {mapped}")
    return str(address)


def _ipv4(text: str) -> str:
    if ":" in _address(text):
        raise ValueError(f"{text!r} is an IPv6 address; an IPv4 address belongs here")
    return _address(text)


def _ipv6(text: str) -> str:
    if ":" not in _address(text):
        raise ValueError(f"{text!r} is an IPv4 address; an IPv6 address belongs here")
    return _address(text)


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no network; write one such as 192.0.2.0/24 or 2001:db8::/32") from None
    if "/" in text and ipaddress.ip_interface(text).ip != network.network_address:
        raise ValueError(f"{text!r} names a host inside a network; write {network} or the host alone")
    if getattr(network.network_address, "ipv4_mapped", None) is not None:
        raise ValueError(f"{text!r} is an IPv4 network in IPv6 clothing; write it as IPv4, such as 192.0.2.0/24")
    return str(network)


def split_host_port(text: str, default_port: int) -> tuple[str, int]:
    """(host, port) of `host`, `host:port`, `[2001:db8::1]:port` or a bare IPv6 address; `ValueError` is a sentence."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or not _is_address(host):
            raise ValueError(f"{text!r} has no IPv6 address between brackets; write it as [2001:db8::1]:25")
    elif _is_address(text):
        host, rest = text, ""
    else:
        host, colon, number = text.partition(":")
        rest = colon + number
    if not rest:
        return host, default_port
    number = rest.removeprefix(":")
    if not (rest.startswith(":") and number.isascii() and number.isdigit() and len(number) <= 5):
        raise ValueError(f"{text!r} has no port number behind the host; write it as host:25")
    if not 1 <= int(number) <= 65535:
        raise ValueError(f"{text!r}: a port is a number from 1 to 65535")
    return host, int(number)


def _next_hop(text: str) -> str:
    host, _ = split_host_port(text, 25)
    if not _is_address(host):
        _host_name(host)
    return text


def _name_server(text: str) -> str:
    host, _ = split_host_port(text, 53)
    _address(host)
    return text


def _file(text: str) -> str:
    if not text.startswith("/") or not text.isprintable():
        raise ValueError(f"{text!r} is no absolute path; write one that begins with /")
    return text


def _ciphers(text: str) -> str:
    if not (text.strip() and text.isascii() and text.isprintable()):
        raise ValueError("a cipher string is one line of OpenSSL's names; write default for the recommended suites")
    return text.strip()


def _pem(text: str) -> str:
    """PEM with the line ends that a PEM file has on this system, so that it travels through TOML unchanged."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def _certificate(text: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise ValueError("this is no certificate in PEM form; it begins with -----BEGIN CERTIFICATE-----")
    return _pem(text)


def _private_key(text: str) -> str:
    if text.strip() == MASK:
        raise ValueError(
            "the key is masked: this file was made for looking at; export one with sealgate showconfig --secrets"
        )
    if "PRIVATE KEY-----" not in text:
        raise ValueError("this is no private key in PEM form; it begins with -----BEGIN PRIVATE KEY-----")
    return _pem(text)


Name = Annotated[str, AfterValidator(_name), Words("a name")]
HostName = Annotated[str, AfterValidator(_host_name), Words("a host name")]
AcceptedDomain = Annotated[str, AfterValidator(_domain_or_subdomains), Words("a domain, or .domain for all below it")]
AnyDomain = Annotated[
    str, AfterValidator(_any_domain), Words("a domain, .domain for all below it, or * for all others")
]
AddressPattern = Annotated[
    str, AfterValidator(_address_pattern), Words("an address, user@, a domain, or .domain for all below it")
]
HostPattern = Annotated[
    str, AfterValidator(_host_pattern), Words("an address, a network, a host name, .domain for all below it, or ALL")
]
ReplyText = Annotated[str, AfterValidator(_reply_text), Words("a line of text")]
Login = Annotated[str, AfterValidator(_login), Words("a login")]
OperatorName = Annotated[str, AfterValidator(_operator_name), Words("a name")]
Title = Annotated[str, AfterValidator(_title), Words("a line of text")]
PassphraseHash = Annotated[str, AfterValidator(_passphrase_hash), Words("an argon2 hash"), Secret()]
Mailbox = Annotated[str, AfterValidator(_mailbox), Words("a mail address")]
IpAddress = Annotated[str, AfterValidator(_address), Words("an IP address")]
Ipv4 = Annotated[str, AfterValidator(_ipv4), Words("an IPv4 address")]
Ipv6 = Annotated[str, AfterValidator(_ipv6), Words("an IPv6 address")]
Network = Annotated[str, AfterValidator(_network), Words("a network or an address")]
NextHop = Annotated[str, AfterValidator(_next_hop), Words("host, host:port, or mx")]
NameServer = Annotated[str, AfterValidator(_name_server), Words("address or address:port")]
File = Annotated[str, AfterValidator(_file), Words("an absolute path")]
Ciphers = Annotated[str, AfterValidator(_ciphers), Words("a cipher string of OpenSSL, or default")]
CertificatePem = Annotated[str, AfterValidator(_certificate), Words("PEM text")]
PrivateKeyPem = Annotated[str, AfterValidator(_private_key), Words("PEM text"), Secret()]
