"""A private Exim, whose TLS is GnuTLS: as the next hop of the gateway, and as a server that relays to it.

It runs in a root of its own (tests.peers.chroot), under the account that Debian compiled into it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import chroot
from tests.peers.certificate import self_signed
from tests.peers.ports import HOST, free_port, wait_for
from tests.peers.server import MailServer
from tests.peers.versions import Versions

PACKAGE = "exim4-daemon-light"
PROGRAM = "/usr/sbin/exim4"
ACCOUNT = "Debian-exim"

# Exim's own names: `level` none offers no STARTTLS, encrypt takes mail inside TLS alone.
CONFIGURATION = """\
keep_environment =
deliver_drop_privilege = true
spool_directory = /spool
log_file_path = /logs/%s
log_selector = +tls_cipher +smtp_protocol_error +smtp_syntax_error
primary_hostname = peer.example
local_interfaces = {address}
daemon_smtp_ports = {port}
qualify_domain = peer.example
host_lookup =
rfc1413_query_timeout = 0s
notifier_socket =
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
message_size_limit = 100M
tls_certificate = /peer.example.crt
tls_privatekey = /peer.example.key
tls_advertise_hosts = {tls_hosts}
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
{demand}  accept
acl_rcpt:
  accept domains = +here
  accept condition = ${{if eq{{$sender_host_address}}{{}}}}
  deny message = relay not permitted

begin routers
here:
  driver = accept
  domains = +here
  transport = maildir
away:
  driver = manualroute
  route_list = * {relay_host}
  self = send
  transport = relay

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
relay:
  driver = smtp
  port = {relay_port}
  allow_localhost
  hosts_try_chunking = {chunking}
  {relay_demand}
  tls_require_ciphers = {relay_priority}
  tls_try_verify_hosts = *
  hosts_try_dane =
  hosts_try_auth = {login_hosts}

begin retry
* * F,1h,2s

begin authenticators
login:
  driver = plaintext
  public_name = {mechanism}
  client_send = {login}
"""
RELAY_DEMANDS = {"none": "hosts_avoid_tls = *", "may": "hosts_avoid_tls =", "encrypt": "hosts_require_tls = *"}


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

    def _run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return chroot.run(self.home, PROGRAM, *words, stdin=stdin)


@contextmanager
def running(
    *,
    level: str = "may",
    versions: Versions | None = None,
    domains: tuple[str, ...] = ("inside.example",),
    relay_to: int | None = None,
    relay_level: str = "may",
    relay_versions: Versions | None = None,
    login: tuple[str, str, str] | None = None,
    chunking: bool = True,
    settings: Mapping[str, str] | None = None,
    address: str = HOST,
    port: int | None = None,
) -> Iterator[Exim]:
    """An Exim for the length of a `with`; the words are those of tests.peers.postfix.running.

    `login` is a mechanism, a name and a passphrase that it logs in with where it relays to; `chunking` is
    whether it sends by BDAT where it can.
    """
    home = Path(tempfile.mkdtemp(prefix="sealgate-exim-"))
    place = port or free_port()
    try:
        _furnish(home)
        mechanism, name, passphrase = login or ("PLAIN", "", "")
        configuration = CONFIGURATION.format(
            address=address,
            port=place,
            tls_hosts="" if level == "none" else "*",
            priority=(versions or Versions()).gnutls,
            domains=" : ".join(domains),
            settings="".join(f"{key} = {value}\n" for key, value in (settings or {}).items()),
            demand="  deny !encrypted = *\n       message = TLS is required here\n" if level == "encrypt" else "",
            relay_host=HOST,
            relay_port=relay_to or 1,
            account=ACCOUNT,
            chunking="*" if chunking else "",
            relay_demand=RELAY_DEMANDS[relay_level],
            relay_priority=(relay_versions or Versions()).gnutls,
            login_hosts="*" if login else "",
            mechanism=mechanism,
            login=f"^{name}^{passphrase}" if mechanism == "PLAIN" else f": {name} : {passphrase}",
        )
        (home / "etc/exim4/exim4.conf").write_text(configuration)
        with chroot.started(home, PROGRAM, "-bdf", "-q2s", log=home / "output"):
            exim = Exim(home, place, address=address)
            try:
                wait_for(place, greeting=b"220", host=address)
            except TimeoutError as error:
                raise RuntimeError(f"Exim does not answer:\n{(home / 'output').read_text()}") from error
            yield exim
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _furnish(home: Path) -> None:
    ids = chroot.build(home, PACKAGE, (PROGRAM, "/bin/sh"), (ACCOUNT,))
    (home / "etc/exim4").mkdir()
    for name in ("spool", "mail", "logs"):
        (home / name).mkdir()
        chroot.give(home / name, ids[ACCOUNT])
    self_signed(home)
    chroot.give(home / "peer.example.key", ids[ACCOUNT])
