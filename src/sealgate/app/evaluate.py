"""`sealgate evaluate`: a gateway one can try at once, with its own next hop beside it."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys

from sealgate.app import gateway
from sealgate.cli import init as init_command
from sealgate.cli.commands import stored
from sealgate.control.passphrases import FIRST
from sealgate.store.revisions import Revision
from sealgate.tls.version import Selection, SelectionError

PORTS = (2525, 2587, 2465)
SINK_PORT = 2526


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The ones of init that make sense here, and the next hop's versions."""
    parser.add_argument(
        "--port-base", type=_port_base, default=0, metavar="PORT_BASE", help="added to every port, for a second gateway"
    )
    parser.add_argument(
        "--defaults",
        choices=("modern", "asyncos-15.5"),
        default="modern",
        help="TLS 1.2 and 1.3 on every service, or 1.1 and 1.2 as right after an upgrade",
    )
    parser.add_argument("--from", dest="source", metavar="FILE", help="an AsyncOS configuration (XML) to begin with")
    parser.add_argument(
        "--sink-tls", type=_versions, default="1.2-1.3", metavar="VERSIONS", help="what the next hop speaks, or off"
    )


def _port_base(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65535 - max(PORTS)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {65535 - max(PORTS)}")
    return int(text)


def _versions(text: str) -> str:
    """As the next hop, a process of its own, takes them: without it the gateway would run on alone."""
    try:
        if text != "off":
            Selection.parse(text)
    except SelectionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def run(options: argparse.Namespace) -> int:
    """Make a configuration if there is none, start the next hop, serve until interrupted."""
    revision = stored(options.home).current()
    trouble = _other_ports(options, revision) if revision is not None else _busy_port(options)
    if trouble is not None:
        print(f"sealgate: {trouble}", file=sys.stderr)
        return 1
    if revision is None:
        made = init_command.init(_init_options(options))
        if made != 0:
            return made
    port = SINK_PORT + options.port_base
    command = [sys.executable, "-m", "sealgate", "--home", str(options.home), "sink"]
    sink = subprocess.Popen([*command, "--port", str(port), "--tls", options.sink_tls])
    try:
        return gateway.serve(options, ready=lambda: print(_welcome(options), flush=True))
    finally:
        sink.terminate()
        sink.wait(10)


def _other_ports(options: argparse.Namespace, revision: Revision) -> str | None:
    """The next hop and what is printed follow --port-base, so it must be the one of the configuration."""
    there = [listener.port for listener in revision.configuration.listeners]
    if not there or {port + options.port_base for port in PORTS} & set(there):
        return None
    listed = ", ".join(map(str, there))
    return f"{options.home} listens on ports {listed}: give the --port-base that it was made with, or remove it"


def _busy_port(options: argparse.Namespace) -> str | None:
    """Found out before a home is made that could not run."""
    for port in (*PORTS, SINK_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port + options.port_base))
            except OSError as error:
                again = f"--home {options.home} evaluate --port-base {options.port_base + 1000}"
                return (
                    f"port {port + options.port_base} of 127.0.0.1 cannot be had ({error.strerror}); "
                    f"for ports 1000 higher: {sys.argv[0]} {again}"
                )
    return None


def _init_options(options: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(
        home=options.home,
        door=options.door,
        source=options.source,
        hostname=None if options.source else "gate.inside.example",
        domain=None if options.source else ["inside.example"],
        next_hop=f"127.0.0.1:{SINK_PORT + options.port_base}",
        port_base=options.port_base,
        defaults=options.defaults,
        ports="evaluation",
        force=False,
    )


def _welcome(options: argparse.Namespace) -> str:
    smtp = 2525 + options.port_base
    home = options.home
    return f"""
Sealgate is running. Send it a message over TLS, from another terminal:

  swaks --server 127.0.0.1:{smtp} --tls --to someone@inside.example

or, where there is no swaks:

  python3 -c "import smtplib; s = smtplib.SMTP('127.0.0.1', {smtp}); s.starttls(); \\
    s.sendmail('me@me.example', 'someone@inside.example', 'Subject: hello\\n\\nHello.')"

Then look:

  grep TLS {home}/logs/mail.log      which TLS both hops spoke
  ls {home}/maildir/new              where the message went
  {sys.argv[0]} --home {home} status
  curl -k https://127.0.0.1:{8443 + options.port_base}/api/v1/health/ready

The administrator is {FIRST}. The passphrase was shown when this configuration was made; set another with

  {sys.argv[0]} --home {home} passwd {FIRST}

Ctrl-C ends the gateway.
"""
