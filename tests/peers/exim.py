"""A private Exim, whose TLS is GnuTLS: as the next hop of the gateway, and as a server that relays to it.

It runs in a root of its own (tests.peers.chroot), under the account that Debian compiled into it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import chroot
from tests.peers.certificate import self_signed
from tests.peers.ports import HOST, wait_for
from tests.peers.server import MailServer, Relay, Service

PACKAGE = "exim4-daemon-light"
PROGRAM = "/usr/sbin/exim4"
ACCOUNT = "Debian-exim"

CONFIGURATION = """\
keep_environment =
deliver_drop_privilege = true
spool_directory = /spool
log_file_path = /logs/%s
log_selector = +tls_cipher +smtp_protocol_error +smtp_syntax_error
primary_hostname = peer.example
local_interfaces = {address}
daemon_smtp_ports = {ports}
qualify_domain = peer.example
host_lookup =
rfc1413_query_timeout = 0s
notifier_socket =
smtp_accept_max = 200
message_size_limit = 100M
tls_certificate = {certificate}
tls_privatekey = {key}
tls_advertise_hosts = {advertise}
tls_require_ciphers = {priority}
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
domainlist here = {domains}
{settings}
begin acl
acl_mail:
  deny condition = {demand}
       !encrypted = *
       message = Must issue a STARTTLS command first
  accept
acl_rcpt:
  accept domains = +here
  accept condition = ${{if eq{{$sender_host_address}}{{}}}}
  deny message = relay not permitted

begin routers
here:
  driver = accept
  domains = +here
  transport = maildir
{routers}
begin transports
maildir:
  driver = appendfile
  directory = /mail/inbox
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = {account}
  mode_fail_narrower = false
{transports}
begin retry
* * F,1h,2s

begin authenticators
{authenticators}
"""
ROUTER = """\
{name}:
  driver = manualroute
  domains = {domain}
  route_list = * {host}
  self = send
  transport = {name}
"""
TRANSPORT = """\
{name}:
  driver = smtp
  protocol = {protocol}
  port = {port}
  allow_localhost
  hosts_try_chunking = {chunking}
  {demand}
  tls_require_ciphers = {priority}
  tls_try_verify_hosts = *
  hosts_try_dane =
  hosts_require_auth = {login_hosts}
"""
AUTHENTICATOR = """\
{name}:
  driver = plaintext
  public_name = PLAIN
  client_condition = {condition}
  client_send = ^{user}^{passphrase}
"""
DEMANDS = {"none": "hosts_avoid_tls = *", "may": "hosts_avoid_tls =", "encrypt": "hosts_require_tls = *"}


@dataclass(frozen=True, slots=True)
class Exim(MailServer):
    """An Exim that is running."""

    @property
    def log_file(self) -> Path:
        """What is rejected stands here as well."""
        return self.home / "logs/main"

    def submit(self, sender: str, recipient: str, text: str = "Subject: a test\n\nHello.\n") -> None:
        """Give it a message of its own; it delivers or relays it."""
        answer = self._run("-f", sender, "-oi", recipient, stdin=text)
        if answer.returncode:
            raise RuntimeError(f"exim: {answer.stdout}")

    def queue(self) -> str:
        """Its queue as `exim -bp` lists it."""
        return self._run("-bp").stdout

    def flush(self) -> None:
        """Let it try at once whatever waits in its queue."""
        self._run("-qff")

    def forget(self) -> None:
        """Drop its queue, and what it has learnt about hosts that failed."""
        for name in ("input", "msglog", "db"):
            shutil.rmtree(self.home / "spool" / name, ignore_errors=True)

    def _run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return chroot.run(self.home, PROGRAM, *words, stdin=stdin)


@contextmanager
def running(
    *services: Service,
    domains: tuple[str, ...] = ("inside.example",),
    relay: Relay | None = None,
    relays: Mapping[str, Relay] | None = None,
    chunking: bool = True,
    settings: Mapping[str, str] | None = None,
    address: str = HOST,
) -> Iterator[Exim]:
    """An Exim for the length of a `with`; the words are those of tests.peers.postfix.running.

    `chunking` is whether it sends by BDAT where it can.
    """
    home = Path(tempfile.mkdtemp(prefix="sealgate-exim-"))
    chosen = services or (Service(),)
    away = {**(relays or {}), **({"*": relay} if relay else {})}
    try:
        _furnish(home, chosen)
        configuration = CONFIGURATION.format(
            address=address,
            account=ACCOUNT,
            domains=" : ".join(domains),
            settings="".join(f"{key} = {value}\n" for key, value in (settings or {}).items()),
            **_receiving(chosen),
            **_relaying(away, chunking),
        )
        (home / "etc/exim4/exim4.conf").write_text(configuration)
        exim = Exim(home, chosen[0].port, address=address)
        with chroot.started(home, PROGRAM, "-bdf", "-q2s", log=home / "output"):
            try:
                wait_for(exim.port, greeting=b"220", host=address)
            except TimeoutError as error:
                raise RuntimeError(f"Exim does not answer:\n{(home / 'output').read_text()}") from error
            yield exim
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _furnish(home: Path, services: Sequence[Service]) -> None:
    ids = chroot.build(home, PACKAGE, (PROGRAM, "/bin/sh"), (ACCOUNT,))
    (home / "etc/exim4").mkdir()
    for name in ("spool", "mail", "logs"):
        (home / name).mkdir()
        chroot.give(home / name, ids[ACCOUNT])
    own = self_signed(home)
    chroot.give(own.key, ids[ACCOUNT])
    for service in services:
        pair = service.pair or own
        shutil.copy(pair.certificate, home / f"{service.port}.crt")
        shutil.copy(pair.key, home / f"{service.port}.key")
        chroot.give(home / f"{service.port}.key", ids[ACCOUNT])


def _receiving(services: Sequence[Service]) -> dict[str, str]:
    """One Exim has several ports; what differs among them it looks up by the port of the connection."""

    def ports(level: str) -> str:
        return " : ".join(str(service.port) for service in services if service.level == level)

    priorities = " ".join(f"port{service.port}={service.versions.gnutls}" for service in services)
    return {
        "ports": " : ".join(str(service.port) for service in services),
        "certificate": "/$received_port.crt",
        "key": "/$received_port.key",
        "advertise": f"${{if inlist{{$received_port}}{{{ports('none')}}}{{}}{{*}}}}",
        "priority": f"${{extract{{port$received_port}}{{{priorities}}}}}",
        "demand": f"${{if inlist{{$received_port}}{{{ports('encrypt')}}}}}",
    }


def _relaying(away: Mapping[str, Relay], chunking: bool) -> dict[str, str]:
    names = {domain: f"away{number}" for number, domain in enumerate(away)}
    transports = [
        TRANSPORT.format(
            name=names[domain],
            protocol="smtps" if to.implicit else "smtp",
            port=to.port,
            chunking="*" if chunking else "",
            demand=DEMANDS[to.level],
            priority=to.versions.gnutls,
            login_hosts="*" if to.login else "",
        )
        for domain, to in away.items()
    ]
    logins = [
        AUTHENTICATOR.format(
            name=names[domain],
            condition="true" if domain == "*" else f"${{if eq{{$domain}}{{{domain}}}}}",
            user=to.login[0],
            passphrase=to.login[1],
        )
        for domain, to in away.items()
        if to.login
    ]
    return {
        "routers": "".join(ROUTER.format(name=name, domain=domain, host=HOST) for domain, name in names.items()),
        "transports": "".join(transports),
        "authenticators": "".join(logins),
    }
