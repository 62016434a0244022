"""The peer: Debian's Postfix, unpacked and never installed, with Debian's own main.cf and master.cf.

Added to them is what the job needs: its folders, one port on the loopback, a certificate, the relayed
domain with its next hop over TLS, and settings that help Postfix in this comparison: no chroot to copy,
no pause when more comes in than goes out (in_flow_delay).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.gateway import Running, wait_for_greeting
from bench.machine import Tree
from bench.traffic import running_sink
from tests.peers import unpack
from tests.peers.certificate import self_signed
from tests.peers.ports import HOST, free_port
from tests.peers.postfix import MAIL_OWNER, MAILBOX_OWNER, SETGID_GROUP
from tests.peers.programs import why_missing


@contextmanager
def running_postfix(folder: Path) -> Iterator[Running]:
    """Postfix in `folder`, relaying inside.example over TLS to a sink of its own."""
    if reason := why_missing("postfix"):
        raise SystemExit(f"{reason} (--only sealgate measures without it)")
    root = unpack.tree("postfix")
    folder = folder / "postfix"
    etc = folder / "etc"
    for name in (etc, folder / "spool", folder / "data"):
        name.mkdir(parents=True)
    shutil.chown(folder / "data", MAIL_OWNER)
    self_signed(folder, "mx.inside.example", elliptic=True)
    port = free_port()
    with running_sink(folder) as sink:
        (etc / "main.cf").write_text(_main(root, folder, sink.port))
        (etc / "master.cf").write_text(_master(root, port))
        shutil.copy(root / "etc/postfix/postfix-files", etc)
        shutil.copy(root / "usr/share/postfix/dynamicmaps.cf", etc)
        command = [str(root / "usr/sbin/postfix"), "-c", str(etc), "start-fg"]
        tree = Tree(command, folder / "output", {**os.environ, **unpack.environment(root)})
        try:
            wait_for_greeting(port, tree, folder / "output")
            yield Running("Postfix", port, tree, sink, folder)
        finally:
            tree.stop()


def _main(root: Path, folder: Path, sink_port: int) -> str:
    """Debian's main.cf with the settings of this job in it."""
    parts = [(root / "usr/share/postfix" / name).read_text() for name in ("main.cf.debian", "main.cf.tls")]
    added = {
        "queue_directory": f"{folder}/spool",
        "data_directory": f"{folder}/data",
        "command_directory": f"{root}/usr/sbin",
        "daemon_directory": f"{root}/usr/lib/postfix/sbin",
        "shlib_directory": f"{root}/usr/lib/postfix",
        "meta_directory": f"{folder}/etc",
        "import_environment": "MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH",
        "maillog_file": f"{folder}/log",
        "maillog_file_prefixes": str(folder),
        "mail_owner": MAIL_OWNER,
        "setgid_group": SETGID_GROUP,
        "default_privs": MAILBOX_OWNER,
        "myhostname": "mx.inside.example",
        "mydestination": "",
        "mynetworks": "",
        "inet_interfaces": HOST,
        "inet_protocols": "ipv4",
        "alias_maps": "",
        "alias_database": "",
        "relay_domains": "inside.example",
        "transport_maps": f"inline:{{{{inside.example = smtp:[{HOST}]:{sink_port}}}}}",
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "smtpd_tls_cert_file": f"{folder}/mx.inside.example.crt",
        "smtpd_tls_key_file": f"{folder}/mx.inside.example.key",
        "smtp_tls_security_level": "encrypt",
        "message_size_limit": "104857600",
        "in_flow_delay": "0",
    }
    shipped = [line for line in "".join(parts).splitlines() if line.partition("=")[0].strip() not in added]
    return "\n".join(shipped + [f"{name} = {value}" for name, value in added.items()]) + "\n"


def _master(root: Path, port: int) -> str:
    """Debian's master.cf with another port, and without chroot."""
    text = (root / "usr/share/postfix/master.cf.dist").read_text()
    text = re.sub(r"^smtp( +inet)", rf"{HOST}:{port}\1", text, flags=re.MULTILINE)
    return re.sub(r"^(\S+ +(?:unix|inet|unix-dgram) +\S+ +\S+ +)y", r"\1n", text, flags=re.MULTILINE)
