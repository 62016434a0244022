"""A private NSD: a name server of others, with the zones a test writes for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.peers import unpack
from tests.peers.ports import free_port

ADDRESS = "127.0.0.53"

CONFIGURATION = """\
server:
  ip-address: {address}@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{home}"
  database: ""
  pidfile: ""
  logfile: "{home}/log"
  xfrdfile: ""
  xfrdir: "{home}"
  zonelistfile: "{home}/zones.list"
  cookie-secret-file: ""
remote-control:
  control-enable: no
"""
ZONE = """\
$ORIGIN {name}.
$TTL 60
@ SOA ns.{name}. hostmaster.{name}. 1 3600 600 86400 60
@ NS ns.{name}.
{records}
"""


@contextmanager
def running(zones: Mapping[str, str], *, address: str = ADDRESS, port: int | None = None) -> Iterator[str]:
    """An NSD for the length of a `with`; gives ADDRESS:PORT as `dns.servers` takes them.

    `zones` are the lines of each zone file behind its SOA and NS, by the zone's name. What is in none of them
    is REFUSED. `zones` may be written once: a change is another NSD.
    """
    root = unpack.tree("nsd")
    place = port or free_port()
    with tempfile.TemporaryDirectory(prefix="sealgate-nsd-") as name:
        home = Path(name)
        configuration = CONFIGURATION.format(address=address, port=place, home=home)
        for number, (zone, records) in enumerate(zones.items()):
            lines = "\n".join(line.strip() if line[:1].isspace() else line for line in records.strip().splitlines())
            (home / f"{number}.zone").write_text(ZONE.format(name=zone, records=lines))
            configuration += f'zone:\n  name: "{zone}"\n  zonefile: "{number}.zone"\n'
        (home / "nsd.conf").write_text(configuration)
        with _started(root, home):
            _wait_until_it_answers(address, place, next(iter(zones)), home)
            yield f"{address}:{place}"


@contextmanager
def _started(root: Path, home: Path) -> Iterator[None]:
    server = subprocess.Popen(
        [root / "usr/sbin/nsd", "-d", "-c", home / "nsd.conf"],
        env={**os.environ, **unpack.environment(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_it_answers(address: str, port: int, zone: str, home: Path) -> None:
    deadline = time.monotonic() + 20
    question = dns.message.make_query(zone, "SOA")
    while time.monotonic() < deadline:
        try:
            if dns.query.udp(question, address, timeout=0.5, port=port).answer:
                return
        except (OSError, dns.exception.Timeout):
            time.sleep(0.05)
    log = home / "log"
    raise RuntimeError(f"NSD does not answer for {zone}:\n{log.read_text() if log.exists() else ''}")
