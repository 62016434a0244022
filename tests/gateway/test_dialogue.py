"""`sealgate cli` on running gateways: piped, typed at a terminal, over a restart of control, and its one-shot forms."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealgate.cli.client import ask
from tests.peers.certificate import Authority
from tests.peers.clients import openssl_client
from tests.running import COMMAND, Gateway, eventually, gateway

GOLDEN = Path(__file__).parents[1] / "golden" / "dialogue"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("dialogue"), "--defaults", "asyncos-15.5") as running:
        yield running


@pytest.fixture(autouse=True)
def clean(gate: Gateway) -> Iterator[None]:
    yield
    ask(gate.home, "discard")
    if ask(gate.home, "candidate")["confirm_by"]:
        ask(gate.home, "confirm")


def piped(gate: Gateway, *lines: str, status: int = 0) -> str:
    """Through a real pipe into a real process."""
    words = [COMMAND, "--home", str(gate.home), "cli"]
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def speaks13(gate: Gateway) -> bool:
    client = openssl_client(gate.ports["public"], starttls=True, version="1.3", stdin="QUIT\r\n")
    return client.returncode == 0 and "TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in client.stdout


@pytest.mark.needs("openssl")
def test_the_conversation_of_the_source_document_ends_with_tls13(gate: Gateway) -> None:
    assert not speaks13(gate)
    answers = ("sslconfig", "inbound", "1-3", "", "", "commit", "TLS 1.3", "quit")
    said = piped(gate, *answers)
    assert speaks13(gate)
    golden = (GOLDEN / "sslconfig-upgraded.txt").read_text().replace("gate.example", "gate.inside.example")
    for line in filter(None, answers):
        golden = golden.replace(f"> {line}\n", "> \n", 1)
    parts = said.partition("Changes committed: "), golden.partition("Changes committed: ")
    assert parts[0][0] == parts[1][0]
    assert re.match(
        r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \d{4} \S+\nVerified by \d+ handshakes: ", parts[0][2]
    )
    gate.wait_for_log("Configuration revision .* committed by .*: TLS 1.3$")


def test_a_refused_answer_changes_nothing_and_is_the_exit_status(gate: Gateway) -> None:
    before = gate.settings()
    said = piped(gate, "sslconfig", "outbound", "1,3", "commit", "", status=1)
    assert "need TLS 1.2 between them" in said
    assert "commit is not carried out" in said
    assert gate.settings() == before


def test_octets_that_are_no_text_are_a_wrong_answer(gate: Gateway) -> None:
    words = [COMMAND, "--home", str(gate.home), "cli"]
    done = subprocess.run(words, input=b"\xff\xfe\nsslconfig\n\xff\n", capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"Unknown command" in done.stdout
    assert b"Traceback" not in done.stderr


def test_the_session_outlives_control_and_says_so(gate: Gateway) -> None:
    words = [COMMAND, "--home", str(gate.home), "cli"]
    talking = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert talking.stdin is not None
    assert talking.stdout is not None
    talking.stdin.write("sslconfig outbound 1-3\n")
    talking.stdin.flush()
    while "Outbound SMTP method" not in talking.stdout.readline():
        pass
    killed = gate.children()["control"]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: gate.children().get("control") not in (None, killed))
    said, _ = talking.communicate("showchanges\ncommit again\n", timeout=60)
    assert "The connection to the gateway was lost, and is there again." in said
    assert "tls.outbound_smtp.versions: 1.1, 1.2 -> 1.1, 1.2, 1.3" in said
    assert "Changes committed" in said
    assert talking.returncode == 0


def test_ctrl_c_ends_a_pipe_at_once(gate: Gateway) -> None:
    words = [COMMAND, "--home", str(gate.home), "cli"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    talking = subprocess.Popen(words, text=True, **pipes)  # type: ignore[call-overload]
    talking.stdin.write("sslconfig\ninbound\n")
    talking.stdin.flush()
    while "Enter the inbound SMTP ssl method" not in talking.stdout.readline():
        pass
    talking.send_signal(signal.SIGINT)
    _, said = talking.communicate(timeout=30)
    assert (talking.returncode, said) == (130, "")
    assert not ask(gate.home, "candidate")["pending"]


def test_without_a_gateway_it_is_one_sentence(tmp_path: Path) -> None:
    words = [COMMAND, "--home", str(tmp_path), "cli"]
    done = subprocess.run(words, input="quit\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("sealgate: there is no gateway in")


@pytest.mark.needs("openssl")
def test_an_imported_certificate_is_shown_after_the_commit(gate: Gateway, tmp_path: Path) -> None:
    issued = Authority(tmp_path).issue("gate.inside.example")
    bundle = tmp_path / "mx.pem"
    bundle.write_bytes(issued.certificate.read_bytes() + issued.key.read_bytes())
    name = gate.settings()["listeners"][0]["certificates"][0]
    piped(gate, f"certconfig certificate import {name} y {bundle}", "commit certificate")
    shown = openssl_client(gate.ports["public"], "-sigalgs", "rsa_pss_rsae_sha256", starttls=True, stdin="QUIT\r\n")
    assert "issuer=CN = authority.example" in shown.stdout.replace("CN=", "CN = ")


# -- one-shot forms


def test_the_commit_family_for_scripts(gate: Gateway) -> None:
    first = ask(gate.home, "revisions", {"limit": 1})["revisions"][0]["revision"]
    assert gate.command("commit", check=False).stderr == "There is no data to commit.\n"
    piped(gate, "sslconfig inbound 2")
    assert "tls.inbound_smtp.versions" in gate.command("showchanges").stdout
    assert gate.command("clearchanges").stdout == "Changes cleared.\n"
    assert "no uncommitted changes" in gate.command("showchanges").stdout
    piped(gate, "sslconfig inbound 2")
    assert "Changes committed" in gate.command("commit", "TLS 1.2 alone", "--confirm", "5").stdout
    assert gate.command("confirm").stdout == f"Revision {first + 1} is confirmed.\n"
    assert "TLS 1.2 alone" in gate.command("revisions", "--limit", "1").stdout
    assert "Changes committed" in gate.command("rollback", str(first)).stdout
    assert "nothing was changed" in gate.command("rollback", str(first)).stdout
    refused = gate.command("rollback", "99999", check=False)
    assert (refused.returncode, refused.stderr) == (
        1,
        "sealgate: there is no revision 99999; see the list of revisions\n",
    )
    acts = gate.command("audit", "--limit", "3").stdout.splitlines()
    assert "from cli  commit: revision" in acts[1]
    assert "from cli  confirm: revision" in acts[2]
    offline = gate.command("rollback", str(first), "--offline", check=False)
    assert (offline.returncode, "stop it" in offline.stderr) == (1, True)


def test_a_stopped_gateway_goes_back_offline(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    gate.configure(lambda settings: settings["tls"]["inbound_smtp"].update(versions=["1.3"]))
    said = gate.command("rollback", "1", "--offline")
    assert "it is in force when the gateway is started" in said.stdout
    assert gate.settings()["tls"]["inbound_smtp"]["versions"] == ["1.2", "1.3"]
    missing = gate.command("rollback", "77", "--offline", check=False)
    assert missing.stderr.startswith("There is no revision 77; there are: ")


# -- a person at a terminal


class Keyboard:
    """A terminal of its own with `sealgate cli` on it."""

    def __init__(self, gate: Gateway, *words: str) -> None:
        self._screen = ""
        self._fd, other = pty.openpty()
        command = [COMMAND, "--home", str(gate.home), "cli", *words]
        self._process = subprocess.Popen(
            command,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(other)

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def expect(self, pattern: str) -> str:
        """What came up to this pattern, which has to come."""
        end = time.monotonic() + 30
        while not (match := re.search(pattern, self._screen)):
            assert time.monotonic() < end, self._screen
            if select.select([self._fd], [], [], 1)[0]:
                self._screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._read())
        found, self._screen = self._screen[: match.end()], self._screen[match.end() :]
        return found

    def _read(self) -> str:
        try:
            return os.read(self._fd, 65536).decode()
        except OSError:  # the other end has gone
            return ""

    def status(self) -> int:
        return self._process.wait(30)

    def close(self) -> None:
        os.close(self._fd)
        self._process.kill()
        self._process.wait()


@contextmanager
def keyboard(gate: Gateway, *words: str) -> Iterator[Keyboard]:
    opened = Keyboard(gate, *words)
    try:
        yield opened
    finally:
        opened.close()


def test_a_terminal_completes_remembers_leaves_commands_and_ends(gate: Gateway) -> None:
    with keyboard(gate) as terminal:
        terminal.expect(r"gate\.inside\.example>")
        terminal.type("sslc\t\r")
        terminal.expect("Choose the operation you want to perform:")
        terminal.expect(r"\[\]>")
        terminal.type("inb\t\r")
        terminal.expect("Enter the inbound SMTP ssl method")
        terminal.expect(r"\[[1-4-]+\]>")
        terminal.type("1,4\r")
        terminal.expect("type 1-4.")
        terminal.expect(r"\[[1-4-]+\]>")
        terminal.type("\x03")  # Ctrl-C leaves the command
        terminal.expect(r"gate\.inside\.example>")
        terminal.type("\x1b[A\r")  # the arrow brings it back
        terminal.expect("Choose the operation you want to perform:")
        terminal.expect(r"\[\]>")
        terminal.type("\r")
        terminal.expect(r"gate\.inside\.example>")
        terminal.type("\x1b[200~sslconfig inbound 2\nshowchanges\nclear y\n\x1b[201~\r")  # pasted together
        terminal.expect("tls.inbound_smtp.versions: .* -> 1.2")
        terminal.expect("Changes cleared")
        terminal.expect(r"gate\.inside\.example>")
        terminal.type("\x04")
        assert terminal.status() == 0


def test_one_command_at_a_terminal_asks_what_is_left_open(gate: Gateway) -> None:
    with keyboard(gate, "sslconfig", "inbound") as terminal:
        terminal.expect("Enter the inbound SMTP ssl method")
        terminal.type("9\r")
        terminal.expect("There is no number 9")
        terminal.type("\r")
        terminal.expect("Enter the inbound SMTP ssl cipher")
        terminal.type("\r")
        assert terminal.status() == 0
    with keyboard(gate, "sslconfig", "inbound", "9") as terminal:
        terminal.expect("There is no number 9")
        assert terminal.status() == 1
