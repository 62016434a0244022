"""`sealgate sink`: the small next hop as a command of its own."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import signal
import sys
import time
from pathlib import Path

import uvloop

from sealgate.evaluation.maildir import Maildir
from sealgate.evaluation.sink import SinkTools, serve
from sealgate.net.tls.context import build_server
from sealgate.net.tls.credential import read_credential, self_signed
from sealgate.net.tls.library import measure_library
from sealgate.tls.plan import plan_server
from sealgate.tls.policy import TlsPolicy
from sealgate.tls.version import Selection, SelectionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Port, TLS versions and Maildir."""
    parser.add_argument("--port", type=int, default=2526, help="on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--tls", default="1.2-1.3", metavar="VERSIONS", help="such as 1.0-1.2, 1.3, or off")
    parser.add_argument("--maildir", help="where messages go (default: HOME/maildir)")
    parser.add_argument("--hostname", default="sink.inside.example")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        selection = None if options.tls == "off" else Selection.parse(options.tls)
    except SelectionError as error:
        print(f"sealgate sink: {error}", file=sys.stderr)
        return 1
    try:
        uvloop.run(_serve(options, selection))
    except OSError as error:
        print(
            f"sealgate sink: cannot listen on 127.0.0.1 port {options.port}: {error.strerror}",
            file=sys.stderr,
        )
        return 1
    return 0


async def _serve(options: argparse.Namespace, selection: Selection | None) -> None:
    folder = Path(options.maildir) if options.maildir else options.home / "maildir"
    contexts = None
    if selection is not None:
        plan = plan_server(TlsPolicy(selection), measure_library())
        now = datetime.datetime.now(datetime.UTC)
        pairs = {kind: self_signed(options.hostname, kind, now=now) for kind in ("rsa", "ec")}
        credentials = [
            read_credential(f"sink-{kind}", certificate.encode(), key.encode())
            for kind, (certificate, key) in pairs.items()
        ]
        contexts = build_server(plan, credentials, None, "sink")
    tools = SinkTools(options.hostname, contexts, Maildir(folder), lambda line: print(line, flush=True), time.time)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    server = await serve(tools, "127.0.0.1", options.port)
    offered = "no TLS" if selection is None else f"TLS {selection}"
    print(
        f"sink: listening on 127.0.0.1 port {options.port} with {offered}; messages go to {folder}/new",
        flush=True,
    )
    await stop.wait()
    server.close()
