"""A private OpenSMTPD: a client that relays to the gateway over TLS, and a next hop in clear text.

Debian 12 builds 6.8.0p2 against OpenSSL 3, with which its TLS server cannot sign (OpenSMTPD issue 1171), so it
offers no STARTTLS here.  Its folders are compiled in: it runs in a root of its own (tests.peers.chroot).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import chroot
from tests.peers.ports import HOST, free_port, wait_for
from tests.peers.server import MailServer, Relay
from tests.peers.versions import openssl_name

PACKAGE = "opensmtpd"
LIBEXEC = "/usr/libexec/opensmtpd"
PROGRAMS = ("/usr/sbin/smtpd", "/usr/sbin/smtpctl", "/bin/sh", f"{LIBEXEC}/mail.maildir")
ACCOUNT, QUEUE_ACCOUNT = "opensmtpd", "opensmtpq"

CONFIGURATION = """\
smtp ciphers "ALL:@SECLEVEL=0"
listen on {address} port {port} hostname peer.example
table logins {{ gateway = "{login}" }}
action "keep" maildir "/mail/inbox" virtual {{ "@" = "{account}" }}
action "relay" relay host "{scheme}://{user}{host}:{relay_port}" {verification} {auth} helo "peer.example"
match from any for domain {{ {domains} }} action "keep"
match from local for any action "relay"
"""
# It has no words for TLS versions, so OpenSSL's own configuration chooses them.
OPENSSL = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = {lowest}
MaxProtocol = {highest}
CipherString = DEFAULT:@SECLEVEL=0
"""
SCHEMES = {"none": "smtp+notls", "may": "smtp", "encrypt": "smtp+tls"}


@dataclass(frozen=True, slots=True)
class OpenSmtpd(MailServer):
    """An OpenSMTPD that is running."""

    def submit(self, sender: str, recipient: str, text: str = "Subject: a test\n\nHello.\n") -> None:
        """Give it a message of its own; it delivers or relays it."""
        answer = chroot.run(self.home, "/usr/sbin/sendmail", "-f", sender, recipient, stdin=text)
        if answer.returncode:
            raise RuntimeError(f"sendmail: {answer.stdout}")

    def queue(self) -> str:
        """Its queue as `smtpctl show queue` lists it."""
        return chroot.run(self.home, "/usr/sbin/smtpctl", "show", "queue").stdout

    def flush(self) -> None:
        """Let it try at once whatever waits in its queue."""
        chroot.run(self.home, "/usr/sbin/smtpctl", "schedule", "all")


@contextmanager
def running(
    *,
    domains: tuple[str, ...] = ("inside.example",),
    relay: Relay | None = None,
    address: str = HOST,
    port: int | None = None,
) -> Iterator[OpenSmtpd]:
    """An OpenSMTPD for the length of a `with`; the words are those of tests.peers.postfix.running."""
    home = Path(tempfile.mkdtemp(prefix="sealgate-opensmtpd-"))
    place = port or free_port()
    away = relay or Relay(1)
    try:
        _furnish(home)
        configuration = CONFIGURATION.format(
            address=address,
            port=place,
            login=":".join(away.login or ("nobody", "nothing")),
            account=ACCOUNT,
            scheme="smtps" if away.implicit else SCHEMES[away.level],
            user="gateway@" if away.login else "",
            host=HOST,
            relay_port=away.port,
            verification="tls no-verify" if away.level == "encrypt" else "",
            auth="auth <logins>" if away.login else "",
            domains=", ".join(f'"{domain}"' for domain in domains or ("nowhere.invalid",)),
        )
        (home / "etc/smtpd.conf").write_text(configuration)
        lowest, highest = openssl_name(away.versions.lowest), openssl_name(away.versions.highest)
        (home / "usr/lib/ssl/openssl.cnf").write_text(OPENSSL.format(lowest=lowest, highest=highest))
        server = OpenSmtpd(home, place, address=address)
        with chroot.started(home, "/usr/sbin/smtpd", "-d", log=server.log_file):
            try:
                wait_for(place, greeting=b"220", host=address)
            except TimeoutError as error:
                raise RuntimeError(f"OpenSMTPD does not answer:\n{server.log()}") from error
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _furnish(home: Path) -> None:
    ids = chroot.build(home, PACKAGE, PROGRAMS, (ACCOUNT, QUEUE_ACCOUNT))
    os.chown(home / "usr/sbin/smtpctl", 0, ids[QUEUE_ACCOUNT])
    (home / "usr/sbin/smtpctl").chmod(0o2755)
    (home / "usr/sbin/sendmail").symlink_to("smtpctl")
    for name in ("var/empty", "var/spool/smtpd", "var/lib/opensmtpd/empty", "mail", "usr/lib/ssl"):
        (home / name).mkdir(parents=True)
    (home / "var/spool/smtpd").chmod(0o711)
    chroot.give(home / "mail", ids[ACCOUNT])
