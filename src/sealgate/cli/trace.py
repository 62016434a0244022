"""`sealgate trace`: what the configuration would make of a message, and which of its rows decide."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sealgate.cli.commands import stored
from sealgate.config.check import check
from sealgate.config.document import parse
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import Configuration
from sealgate.control import trace_step
from sealgate.control.trace import Inbound, Question, trace_inbound
from sealgate.control.trace_delivery import ask_dns, trace_delivery
from sealgate.control.trace_step import Step
from sealgate.mail.address import Address, AddressError, parse_address
from sealgate.net.tls.library import measure_library
from sealgate.tls.version import ProtocolVersion, SelectionError, parse_version

HELP = """Say what the configuration in force, or the one in a file, would make of a message: the listener, the row of
the host access table, TLS, each reply, the row that decides about the recipient, and the way on. Nothing is sent.
Limits that are counted, room in the queue, certificates and passphrases are not looked at."""

_TITLES: dict[type[Step], str] = {
    trace_step.Arrival: "Listener",
    trace_step.Host: "Host",
    trace_step.InboundTls: "TLS",
    trace_step.Handshake: "Handshake",
    trace_step.Exchange: "",
    trace_step.Way: "Way",
    trace_step.OutboundTls: "TLS",
    trace_step.Sending: "Sending",
    trace_step.Retries: "Retries",
}

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The message, and the host that brings it."""
    parser.description = HELP
    parser.add_argument("--from-host", required=True, metavar="IP", type=_typed(_ip, "an IP address"))
    parser.add_argument("--name", help="the name of that host, as DNS verifies it")
    parser.add_argument(
        "--sender", required=True, type=_typed(_sender, "an address, or <>"), help="<> is the null path"
    )
    parser.add_argument("--recipient", required=True, type=_typed(_recipient, "an address"))
    parser.add_argument("--listener", metavar="NAME", help="this one alone, instead of each that the host could reach")
    parser.add_argument("--hello", default="client.example", type=_typed(_word, "a name"), metavar="NAME")
    parser.add_argument(
        "--tls",
        type=_typed(_version, "1.0 to 1.3, or none"),
        metavar="VERSION",
        help="1.0 to 1.3, or none for clear text",
    )
    parser.add_argument("--login", metavar="NAME", help="the account that it logs in to")
    parser.add_argument("--size", type=int, metavar="BYTES", help="announced with MAIL")
    parser.add_argument("--config", metavar="FILE", help="a TOML file that is not in force yet")
    parser.add_argument("--dns", action="store_true", help="ask DNS for the hosts that take the mail")
    parser.add_argument("--json", action="store_true", help="for scripts")


def _typed(read: Callable[[str], T], what: str) -> Callable[[str], T]:
    """For argparse: the value, or what would be one."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}: {error}") from error

    return typed


def _ip(text: str) -> str:
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _sender(text: str) -> Address | None:
    return None if text in ("", "<>") else parse_address(text.strip("<>"), utf8=True)


def _recipient(text: str) -> Address:
    return parse_address(text.strip("<>"), bare_postmaster=True, utf8=True)


def _word(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise AddressError("it has no blanks, and only ASCII")
    return text


def _version(text: str) -> ProtocolVersion | str:
    try:
        return "none" if text == "none" else parse_version(text)
    except SelectionError as error:
        raise ValueError(str(error)) from error


def run(options: argparse.Namespace) -> int:
    """Print the answer; 1 if the question cannot be answered."""
    try:
        configuration = _configuration(options)
    except (OSError, UnicodeDecodeError, ConfigurationError) as error:
        print(f"sealgate: {options.config or options.home}: {error}", file=sys.stderr)
        return 1
    if options.listener is not None and options.listener not in {each.name for each in configuration.listeners}:
        print(f"sealgate: there is no listener {options.listener!r}", file=sys.stderr)
        return 1
    if options.name is not None and not configuration.dns.reverse:
        print("Note: dns.reverse is off, so the gateway would not look for the name of the host.", file=sys.stderr)
    visits = trace_inbound(configuration, _question(options))
    found = asyncio.run(ask_dns(configuration, options.recipient)) if options.dns else None
    delivery = trace_delivery(configuration, options.recipient, found)
    if options.json:
        print(json.dumps({"inbound": [_visit(each) for each in visits], "delivery": _steps(delivery)}, indent=1))
    else:
        _print(options.from_host, visits, delivery)
    return 0


def _configuration(options: argparse.Namespace) -> Configuration:
    if options.config is not None:
        configuration = parse(Path(options.config).read_text("utf-8"))
        problems = check(configuration, measure_library())
        if problems:
            raise ConfigurationError(problems)
        return configuration
    revision = stored(options.home).current()
    if revision is None:
        raise FileNotFoundError("there is no configuration; make one with: sealgate init")
    return revision.configuration


def _question(options: argparse.Namespace) -> Question:
    return Question(
        ip=options.from_host,
        sender=options.sender,
        recipient=options.recipient,
        name=options.name,
        listener=options.listener,
        hello=options.hello,
        tls=options.tls,
        login=options.login,
        size=options.size,
    )


def _steps(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [{"step": type(each).__name__, **asdict(each)} for each in steps]


def _visit(visit: Inbound) -> dict[str, Any]:
    return {
        "listener": visit.listener,
        "name": visit.name,
        "accepted": visit.accepted,
        "said": visit.said,
        "steps": _steps(visit.steps),
    }


def _print(ip: str, visits: Sequence[Inbound], delivery: Sequence[Step]) -> None:
    if not visits:
        print(f"No listener can be reached from {ip}.")
    listeners = [each.listener for each in visits]
    for name in {each: None for each in listeners if listeners.count(each) > 1}:
        print(f"The name of the host could decide on listener {name}: each case is shown. With --name, one is.")
    for visit in visits:
        _print_steps(visit.steps)
        print(f"=> {'taken' if visit.accepted else 'not taken'}\n")
    if any(each.accepted for each in visits):
        _print_steps(delivery)


def _print_steps(steps: Iterable[Step]) -> None:
    for each in steps:
        title = _TITLES[type(each)]
        print(f"{title}: {each.words}" if title else f"  {each.words}")
