"""A private Postfix on a loopback port: as the next hop of the gateway, and as a server that relays to it.

It runs from the unpacked package with a configuration, queue and data folder of its own, its master process
in the foreground as our child.  Nothing of an installed Postfix is read or touched.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import unpack
from tests.peers.certificate import self_signed
from tests.peers.ports import HOST, wait_for
from tests.peers.programs import run
from tests.peers.server import MailServer, Relay, Service
from tests.peers.versions import Versions

# Accounts that every Debian has; Postfix wants three that differ from one another and from root.
MAIL_OWNER, SETGID_GROUP, MAILBOX_OWNER = "mail", "uucp", "nobody"

QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "pid", "private", "saved", "trace"),
)

MASTER = """\
pickup     unix  n - n 1 1   pickup
cleanup    unix  n - n - 0   cleanup
qmgr       unix  n - n 1 1   qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - -   trivial-rewrite
bounce     unix  - - n - 0   bounce
defer      unix  - - n - 0   bounce
trace      unix  - - n - 0   bounce
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - -   proxymap
smtp       unix  - - n - -   smtp
relay      unix  - - n - -   smtp
error      unix  - - n - -   error
retry      unix  - - n - -   error
virtual    unix  - n n - -   virtual
anvil      unix  - - n - 1   anvil
scache     unix  - - n - 1   scache
postlog    unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix(MailServer):
    """A Postfix that is running."""

    root: Path = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What its programs need in their environment."""
        return {**unpack.environment(self.root), "MAIL_CONFIG": str(self.home / "etc")}

    def submit(
        self,
        sender: str,
        recipient: str,
        text: str = "Subject: a test\n\nHello.\n",
        *,
        options: tuple[str, ...] = (),
    ) -> None:
        """Give it a message of its own, as its sendmail command does; it delivers or relays it."""
        answer = self._run("usr/sbin/sendmail", *options, "-f", sender, "--", recipient, stdin=text)
        if answer.returncode:
            raise RuntimeError(f"sendmail: {answer.stdout}")

    def flush(self) -> None:
        """Let it try at once whatever waits in its queue."""
        self._run("usr/sbin/postqueue", "-f")

    def queue(self) -> str:
        """Its queue as `postqueue -p` lists it."""
        return self._run("usr/sbin/postqueue", "-p").stdout

    def source(self, port: int, recipient: str, *options: str) -> subprocess.CompletedProcess[str]:
        """smtp-source to 127.0.0.1:port in clear: `-m 100` messages, `-s 4` sessions, `-l 4000` bytes."""
        return self._run("usr/sbin/smtp-source", "-t", recipient, *options, f"{HOST}:{port}", timeout=300)

    def finger(
        self, port: int, *options: str, level: str = "encrypt", versions: Versions | None = None
    ) -> subprocess.CompletedProcess[str]:
        """posttls-finger against 127.0.0.1:port; `-w` for implicit TLS, `-L all` for more words."""
        protocols = (versions or Versions()).postfix
        words = ("-c", "-L", "summary", "-l", level, "-p", protocols, *options, f"[{HOST}]:{port}")
        return self._run("usr/sbin/posttls-finger", *words)

    def _run(self, program: str, *words: str, stdin: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return run([self.root / program, *words], env=self.environment, stdin=stdin, timeout=timeout)


@contextmanager
def running(
    *services: Service,
    domains: tuple[str, ...] = ("inside.example",),
    relay: Relay | None = None,
    relays: Mapping[str, Relay] | None = None,
    settings: Mapping[str, str] | None = None,
    address: str = HOST,
) -> Iterator[Postfix]:
    """A Postfix for the length of a `with`.

    It receives mail for `domains` into its Maildir, at each of the services (one that takes TLS, if none is
    given).  Mail for a domain of `relays` it gives on as that says, all other mail as `relay` says.
    `settings` are lines of main.cf that rule over the rest.
    """
    root = unpack.tree("postfix")
    home = Path(tempfile.mkdtemp(prefix="sealgate-postfix-"))
    chosen = services or (Service(),)
    postfix = Postfix(home, chosen[0].port, root, address=address)
    away = {"*": relay, **(relays or {})}
    try:
        _furnish(home)
        main = {
            **_places(home, root, address),
            **_receiving(home, domains),
            **_relaying(away),
            **(settings or {}),
        }
        (home / "etc/main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main.items()))
        entries = [
            *(_entry(f"{address}:{service.port} inet n - n - - smtpd", _service(service)) for service in chosen),
            *(_entry(f"{_transport(name)} unix - - n - - smtp", _client(to)) for name, to in away.items() if to),
        ]
        (home / "etc/master.cf").write_text(MASTER + "".join(entries))
        (home / "logins").write_text("".join(_login(to) for to in away.values() if to and to.login))
        with _master(postfix):
            yield postfix
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _master(postfix: Postfix) -> Iterator[None]:
    master = subprocess.Popen(
        [postfix.root / "usr/lib/postfix/sbin/master", "-d"],
        env={**os.environ, **postfix.environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # at its end master signals its own process group
    )
    try:
        _wait_until_it_answers(postfix)
        yield
    finally:
        master.terminate()
        try:
            master.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(master.pid, 9)
            master.wait()


def _wait_until_it_answers(postfix: Postfix) -> None:
    try:
        wait_for(postfix.port, greeting=b"220", host=postfix.address)
    except TimeoutError as error:
        raise RuntimeError(f"Postfix does not answer:\n{postfix.log()}") from error


def _furnish(home: Path) -> None:
    """The folders Postfix expects, with the owners it expects."""
    owner, group = pwd.getpwnam(MAIL_OWNER).pw_uid, grp.getgrnam(SETGID_GROUP).gr_gid
    home.chmod(0o755)
    for name in ("etc", "spool", "data", "mail"):
        (home / name).mkdir()
    for name in QUEUES:
        (home / "spool" / name).mkdir(mode=0o700)
        os.chown(home / "spool" / name, owner, -1)
    os.chown(home / "spool/pid", 0, -1)
    for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
        (home / "spool" / name).mkdir()
        os.chown(home / "spool" / name, owner, group)
        (home / "spool" / name).chmod(mode)
    os.chown(home / "data", owner, -1)
    mailboxes = pwd.getpwnam(MAILBOX_OWNER)
    os.chown(home / "mail", mailboxes.pw_uid, mailboxes.pw_gid)
    self_signed(home)


def _places(home: Path, root: Path, address: str) -> dict[str, str]:
    return {
        "compatibility_level": "3.6",
        "queue_directory": f"{home}/spool",
        "data_directory": f"{home}/data",
        "command_directory": f"{root}/usr/sbin",
        "daemon_directory": f"{root}/usr/lib/postfix/sbin",
        "shlib_directory": f"{root}/usr/lib/postfix",
        "meta_directory": f"{home}/etc",
        "maillog_file": f"{home}/log",
        "maillog_file_prefixes": str(home),
        "import_environment": "MAIL_CONFIG LD_LIBRARY_PATH TZ LANG=C",
        "export_environment": "MAIL_CONFIG LD_LIBRARY_PATH TZ LANG=C",
        "mail_owner": MAIL_OWNER,
        "setgid_group": SETGID_GROUP,
        "default_privs": MAILBOX_OWNER,
        "myhostname": "peer.example",
        "mydestination": "",
        "mynetworks": "",
        "inet_interfaces": address,
        "inet_protocols": "ipv4",
        "alias_maps": "",
        "alias_database": "",
        "smtputf8_enable": "no",
        "in_flow_delay": "0",
        "message_size_limit": "104857600",
        "mailbox_size_limit": "0",
        "virtual_mailbox_limit": "0",
        # TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 allows at security level 0 alone.
        "tls_medium_cipherlist": "ALL:!aNULL:!eNULL:@SECLEVEL=0",
    }


def _receiving(home: Path, domains: tuple[str, ...]) -> dict[str, str]:
    mailboxes = pwd.getpwnam(MAILBOX_OWNER)
    return {
        "virtual_mailbox_domains": " ".join(domains),
        "virtual_mailbox_base": f"{home}/mail",
        "virtual_mailbox_maps": "static:inbox/",
        "virtual_uid_maps": f"static:{mailboxes.pw_uid}",
        "virtual_gid_maps": f"static:{mailboxes.pw_gid}",
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "smtpd_peername_lookup": "no",  # 127.0.0.1 has a name on some machines; on others one waits for DNS
        "smtpd_client_connection_rate_limit": "0",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_tls_cert_file": f"{home}/peer.example.crt",
        "smtpd_tls_key_file": f"{home}/peer.example.key",
        "smtpd_tls_loglevel": "1",
        "smtpd_tls_received_header": "yes",
    }


def _service(service: Service) -> dict[str, str]:
    pair = service.pair
    certificate = {"smtpd_tls_cert_file": str(pair.certificate), "smtpd_tls_key_file": str(pair.key)} if pair else {}
    return {"smtpd_tls_security_level": service.level, **_both("smtpd_tls", service.versions), **certificate}


def _relaying(away: Mapping[str, Relay | None]) -> dict[str, str]:
    chosen = {name: f"{_transport(name)}:[{HOST}]:{to.port}" for name, to in away.items() if to}
    named = " ".join(f"{{ {name} = {nexthop} }}," for name, nexthop in chosen.items() if name != "*")
    return {
        "default_transport": chosen.get("*", "error:this Postfix relays nothing"),
        "transport_maps": f"inline:{{ {named.rstrip(',')} }}" if named else "",
        "smtp_tls_loglevel": "1",
        "smtp_tls_note_starttls_offer": "yes",
        "minimal_backoff_time": "2s",
        "queue_run_delay": "2s",
    }


def _client(to: Relay) -> dict[str, str]:
    login = {
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": "texthash:$queue_directory/../logins",
        "smtp_sasl_security_options": "noanonymous",
    }
    return {
        "smtp_tls_security_level": to.level,
        "smtp_tls_wrappermode": "yes" if to.implicit else "no",
        **_both("smtp_tls", to.versions),
        **(login if to.login else {}),
    }


def _transport(domain: str) -> str:
    return "away" if domain == "*" else f"away-{domain.replace('.', '-')}"


def _login(to: Relay) -> str:
    name, passphrase = to.login or ("", "")
    return f"[{HOST}]:{to.port} {name}:{passphrase}\n"


def _entry(line: str, options: Mapping[str, str]) -> str:
    """A line of master.cf with settings of its own."""
    return f"{line}\n" + "".join(f"  -o {{ {name} = {value} }}\n" for name, value in options.items())


def _both(prefix: str, versions: Versions) -> dict[str, str]:
    """Postfix keeps the settings of mandatory and of opportunistic TLS apart."""
    return {
        f"{prefix}_{kind}{name}": value
        for kind in ("", "mandatory_")
        for name, value in (("protocols", versions.postfix), ("ciphers", "medium"))
    }
