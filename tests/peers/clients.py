"""TLS and SMTP clients of others, run against a port of 127.0.0.1 to their end."""

from __future__ import annotations

import subprocess

from tests.peers import unpack
from tests.peers.ports import HOST
from tests.peers.programs import run
from tests.peers.versions import Versions

OPENSSL_OPTIONS = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}


def openssl_client(
    port: int, *options: str, starttls: bool = False, version: str | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`openssl s_client`, at security level 0 so that TLS 1.0 and 1.1 can be offered at all."""
    words = ["openssl", "s_client", "-connect", f"{HOST}:{port}", "-cipher", "ALL:@SECLEVEL=0"]
    words += ["-starttls", "smtp"] if starttls else []
    words += [OPENSSL_OPTIONS[version]] if version else []
    return run([*words, *options], stdin=stdin)


def gnutls_client(
    port: int, *options: str, starttls: bool = False, version: str | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`gnutls-cli`; in Debian's build TLS 1.0 and 1.1 need no more than to be named."""
    versions = f"-VERS-ALL:+VERS-TLS{version}" if version else "+VERS-TLS1.0:+VERS-TLS1.1"
    words = ["gnutls-cli", "--no-ca-verification", "--priority", f"NORMAL:{versions}", "--port", str(port)]
    words += ["--starttls-proto", "smtp"] if starttls else []
    return run([*words, *options, HOST], stdin=stdin)


def swaks(port: int, recipient: str, *options: str, body: str = "Hello.") -> subprocess.CompletedProcess[str]:
    """Send one message with swaks: `--tls`, `--tlsc` for implicit TLS, `--tls-protocol tlsv1_2`."""
    words = ["swaks", "--server", f"{HOST}:{port}", "--to", recipient, "--from", "sender@outside.example"]
    return run([*words, "--helo", "client.example", "--body", body, *options])


def msmtp(
    port: int,
    recipient: str,
    *options: str,
    tls: str = "starttls",
    versions: Versions | None = None,
    body: str = "Subject: a test\n\nHello.\n",
) -> subprocess.CompletedProcess[str]:
    """Send one message with msmtp, a client of GnuTLS; `tls` is `off`, `starttls` or `implicit`.

    It logs in with `--auth=plain --user=NAME --passwordeval="echo PASSPHRASE"`.
    """
    root = unpack.tree("msmtp")
    words = ["--file=/dev/null", f"--host={HOST}", f"--port={port}", "--from=sender@outside.example"]
    words += ["--domain=client.example", "--tls=off"] if tls == "off" else ["--domain=client.example", "--tls=on"]
    words += [f"--tls-starttls={'on' if tls == 'starttls' else 'off'}", "--tls-certcheck=off"]
    words += [f"--tls-priorities={(versions or Versions()).gnutls}", "--debug", *options, "--", recipient]
    return run([root / "usr/bin/msmtp", *words], env=unpack.environment(root), stdin=body)
