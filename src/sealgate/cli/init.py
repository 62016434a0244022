"""`sealgate init`: the first configuration of a gateway, from questions or from flags."""

from __future__ import annotations

import argparse
import datetime
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from sealgate.cli.commands import read_text, stored
from sealgate.cli.door import Refused
from sealgate.cli.imported import imported_lines
from sealgate.cli.text import note_lines
from sealgate.config.asyncos import Import, lay, read
from sealgate.config.defaults import first_configuration
from sealgate.config.edit import Add, Remove, Set, Step, edited
from sealgate.config.problem import ConfigurationError
from sealgate.config.schema import CertificateProfile, Configuration, TlsSettings
from sealgate.config.schema.delivery import MX
from sealgate.config.weakness import weaknesses
from sealgate.control import offline
from sealgate.control.passphrases import FIRST, with_passphrase
from sealgate.directory.passphrase import generated, hash_passphrase
from sealgate.net.tls.credential import self_signed
from sealgate.net.tls.library import measure_library
from sealgate.process.lock import HomeInUse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags; what is not given is asked for on a terminal, and has its default elsewhere."""
    parser.add_argument("--hostname", help="the name of this gateway in greetings and trace fields")
    parser.add_argument("--domain", action="append", help="a domain to accept mail for; may be repeated")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="an AsyncOS configuration (XML) to begin with; the other flags go over what it says",
    )
    parser.add_argument("--next-hop", metavar="HOST:PORT", help="where the mail of these domains goes (default: MX)")
    parser.add_argument("--port-base", type=int, default=0, help="added to every port, for a second gateway")
    parser.add_argument(
        "--defaults",
        choices=("modern", "asyncos-15.5"),
        default="modern",
        help="TLS 1.2 + 1.3 on every service, or the state right after an upgrade: TLS 1.1 + 1.2",
    )
    parser.add_argument(
        "--ports",
        choices=("evaluation", "production"),
        default="evaluation",
        help="2525, 2587, 2465, 8443, 4431 on loopback, or 25, 587, 465, 443, 4431 on every address",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace the configuration that is there, as a new revision"
    )


def init(options: argparse.Namespace) -> int:
    """Store the first revision and say what it means."""
    options.door.no_operator("making a configuration")
    if stored(options.home).current() is not None and not options.force:
        print(
            f"{options.home} has a configuration already; --force replaces it, and keeps it as an earlier revision",
            file=sys.stderr,
        )
        return 1
    now = datetime.datetime.now(datetime.UTC)
    try:
        configuration, imported = _imported(options, now) if options.source else (_configuration(options, now), None)
        comment = f"sealgate init ({imported.source if imported else options.defaults})"
        passphrase = generated()
        configuration = with_passphrase(configuration, FIRST, hash_passphrase(passphrase))
        with offline.at_rest(options.home):
            revision = offline.store(options.home, configuration, "init", comment, measure_library(), first=True)
    except HomeInUse as error:
        raise Refused(str(error)) from error
    except OSError as error:
        print(f"cannot read {options.source}: {error.strerror}", file=sys.stderr)
        return 1
    except ConfigurationError as error:
        print("No configuration was written:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 1
    for line in imported_lines(imported.told()) if imported else ():
        print(line)
    _report(options.home, revision.number, configuration)
    print(f"Administrator: {FIRST}, passphrase {passphrase} (shown this once; sealgate passwd sets another).")
    return 0


def _configuration(options: argparse.Namespace, now: datetime.datetime) -> Configuration:
    """From flags, and questions for what they leave open."""
    hostname = options.hostname or _ask("Name of this gateway", _own_name())
    domains = options.domain or _ask("Domains to accept mail for", "inside.example").replace(",", " ").split()
    next_hop = options.next_hop
    if next_hop is None:
        answer = _ask("Host and port that take this mail, or mx", "mx" if options.domain else "127.0.0.1:2526")
        next_hop = None if answer == "mx" else answer
    return first_configuration(
        hostname,
        tuple(_profile(hostname, kind, now) for kind in ("rsa", "ec")),
        domains=tuple(domains),
        next_hop=next_hop,
        port_base=options.port_base,
        defaults=options.defaults,
        production=options.ports == "production",
    )


def _imported(options: argparse.Namespace, now: datetime.datetime) -> tuple[Configuration, Import]:
    """From an AsyncOS configuration, with the flags that are given over it; nothing is asked."""
    reading = read(read_text(options.source))
    hostname = options.hostname or reading.hostname or _own_name()
    first = first_configuration(
        hostname,
        tuple(_profile(hostname, kind, now) for kind in ("rsa", "ec")),
        domains=tuple(options.domain or reading.domains),
        next_hop=None,
        port_base=options.port_base,
        defaults=options.defaults,
        production=options.ports == "production",
    )
    imported = lay(reading, first, measure_library())
    return edited(imported.configuration, list(_over(options, imported.configuration))), imported


def _over(options: argparse.Namespace, configuration: Configuration) -> Iterator[Step]:
    """The flags, as changes of what the file says."""
    if options.hostname:
        yield Set("gateway.hostname", options.hostname)
    domains = options.domain or configuration.gateway.accepted_domains
    yield Set("gateway.accepted_domains", list(domains))
    if options.next_hop not in (None, MX):
        there = {route.domain for route in configuration.routes}
        for domain in domains:
            if domain in there:
                yield Remove("routes", domain)
            yield Add("routes", {"domain": domain, "hosts": [options.next_hop]})


def _profile(hostname: str, kind: str, now: datetime.datetime) -> CertificateProfile:
    certificate, key = self_signed(hostname, kind, now=now)
    return CertificateProfile(name=f"self-signed-{kind}", certificate=certificate, key=key)


def _report(home: Path, number: int, configuration: Configuration) -> None:
    gateway, services = configuration.gateway, configuration.tls
    print(f"Revision {number} written to {home}:")
    print(f"{gateway.hostname} takes mail for {', '.join(gateway.accepted_domains)}.")
    print(f"{_versions(services)} Certificates: self-signed, RSA and ECDSA.")
    for line in note_lines(weaknesses(configuration, measure_library())):
        print(line)


def _versions(services: TlsSettings) -> str:
    each = {
        "GUI HTTPS": services.gui_https,
        "Inbound SMTP": services.inbound_smtp,
        "Outbound SMTP": services.outbound_smtp,
        "Other TLS Client Services": services.other_clients,
    }
    said = {name: ", ".join(version.label for version in service.selection) for name, service in each.items()}
    if len(set(said.values())) == 1:
        return f"TLS on every service: {said['GUI HTTPS']}."
    return f"TLS: {'; '.join(f'{name} {versions}' for name, versions in said.items())}."


def _own_name() -> str:
    name = socket.gethostname()
    return name if "." in name else f"{name}.example"


def _ask(question: str, default: str) -> str:
    """Ask on a terminal; take the default from a pipe."""
    if not sys.stdin.isatty():
        return default
    return input(f"{question} [{default}]> ").strip() or default
