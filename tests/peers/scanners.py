"""Three TLS scanners, each reduced to what they can be compared by: versions and TLS 1.3 suites; and one tester of
injection."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.peers.ports import HOST
from tests.peers.programs import SCAN_PYTHON, run


class ScanError(Exception):
    """The scanner could not tell; what it said instead."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner found: versions as "1.0" … "1.3", and the TLS 1.3 suites by their names; None: not looked for."""

    versions: frozenset[str]
    tls13_suites: frozenset[str] | None


def sslscan(port: int, starttls: bool) -> Scan:
    """Debian's sslscan. It misreads an EHLO reply that comes in more than one piece."""
    words = ["sslscan", *(["--starttls-smtp"] if starttls else []), "--xml=-", f"{HOST}:{port}"]
    test = ElementTree.fromstring(run(words).stdout).find("ssltest")
    if test is None:
        raise ScanError(f"sslscan found nothing to scan on port {port}")
    versions = {
        found.attrib["version"]
        for found in test.iter("protocol")
        if found.attrib["type"] == "tls" and found.attrib["enabled"] == "1"
    }
    suites = {found.attrib["cipher"] for found in test.iter("cipher") if found.attrib["sslversion"] == "TLSv1.3"}
    return Scan(frozenset(versions), frozenset(suites))


def testssl(port: int, starttls: bool) -> Scan:
    """Debian's testssl.sh, which takes half a minute for suites: it is asked for versions alone."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--quiet", "--color", "0", "--warnings", "off", "-p", "--jsonfile", str(report)]
        run(["testssl", *options, *(["-t", "smtp"] if starttls else []), f"{HOST}:{port}"], timeout=300)
        findings = {row["id"]: row["finding"] for row in json.loads(report.read_text())}
    ids = {"TLS1": "1.0", "TLS1_1": "1.1", "TLS1_2": "1.2", "TLS1_3": "1.3"}
    versions = {version for name, version in ids.items() if findings[name].startswith("offered")}
    return Scan(frozenset(versions), None)


testssl.__test__ = False  # type: ignore[attr-defined]  # a scanner, though pytest takes its name for a test


def sslyze(port: int, starttls: bool) -> Scan:
    """sslyze, from an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = [f"--json_out={report}", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3"]
        options += ["--starttls=smtp"] if starttls else []
        run([SCAN_PYTHON, "-m", "sslyze", *options, f"{HOST}:{port}"])
        (server,) = json.loads(report.read_text())["server_scan_results"]
    attempts = {
        found[1].replace("_", "."): attempt
        for name, attempt in server["scan_result"].items()
        if (found := re.fullmatch(r"tls_(1_\d)_cipher_suites", name))
    }
    if failed := [attempt for attempt in attempts.values() if attempt["status"] != "COMPLETED"]:
        raise ScanError(failed[0]["error_trace"])
    accepted = {version: attempt["result"]["accepted_cipher_suites"] for version, attempt in attempts.items()}
    versions = {version for version, suites in accepted.items() if suites}
    return Scan(frozenset(versions), frozenset(suite["cipher_suite"]["name"] for suite in accepted["1.3"]))


def takes_injected_commands(port: int) -> bool:
    """Whether the command injection tester has a command obeyed inside TLS that was sent before it."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--smtp", "--smtp-port", str(port), "--nocolor", "--timeout", "0.5", "--logdir", folder, HOST]
        said = run([SCAN_PYTHON, SCAN_PYTHON.with_name("command-injection-tester"), *words]).stdout
    if "Sanity test done" not in said:
        raise ScanError(said)
    if "Probably no command injection here!" in said or "Server probably closed the connection" in said:
        return False
    if re.search("[Cc]ommand injection", said.partition("Testing for command injection")[2]):
        return True
    raise ScanError(said)
