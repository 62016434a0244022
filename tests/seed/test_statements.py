"""S1 to S25: what the source document states, shown on two real gateways, one sending to the other.

docs/reference/source-document.md has the statements in words. A statement about a page or the dialogue is tried for
real and expected to fail with FaceMissing; when the face arrives, any other end of the test is red.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from sealgate.cli.client import ask
from sealgate.config.document import render
from sealgate.store.revisions import Revisions
from tests.peers.clients import openssl_client, swaks
from tests.peers.ports import HOST
from tests.peers.probes import offered_versions_openssl
from tests.running import COMMAND, Gateway, NextHop, Settings, eventually, next_hop
from tests.seed.web import FaceMissing, dialogue, page, ports

pytestmark = pytest.mark.needs("openssl", "swaks")

CHECKOUT = Path(__file__).parents[2]
SUITES = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
NUMBERS = [0x1302, 0x1303, 0x1301]
THREE_SERVICES = ("gui_https", "inbound_smtp", "outbound_smtp")

# The log lines of the source document, to the letter.
DEFERRING = (
    "Wed Jan 17 20:41:18 2024 Info: DCID 485171 TLS deferring: (336151598, 'error:1409442E:SSL routines:"
    "ssl3_read_bytes:tlsv1 alert protocol version') TLS version mismatch could be the failure reason"
)
SENT = "Wed Jan 17 21:09:12 2024 Info: DCID 485206 TLS success protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384"
FAILED = (
    "Wed Jan 17 20:11:06 2024 Info: ICID 1020004 TLS failed: (337678594, 'error:14209102:SSL routines:"
    "tls_early_post_process_client_hello:unsupported protocol')"
)
RECEIVED = "Wed Jan 17 21:09:12 2024 Info: ICID 1020089 TLS success protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384"


def free_base(*ports: int) -> int:
    """A base to which all these ports can be added: nobody listens there now."""
    for base in range(7_000, 28_000, 777):
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in ports:
                probes.enter_context(socket.create_server((HOST, base + port)))
            return base
    raise AssertionError("no such base is free")


def no_page_yet() -> pytest.MarkDecorator:
    return pytest.mark.xfail(raises=FaceMissing, strict=True, reason="the pages are not there yet")


def prepared(home: Path, next_hop_port: int) -> Gateway:
    """A gateway that will log classic numbers, and opens a connection of its own for every message."""
    gate = Gateway(home, next_hop=next_hop_port)

    def classic(settings: Settings) -> None:
        settings["tls"]["error_codes"] = "classic"
        settings["delivery"]["idle_timeout"] = 0.0

    gate.configure(classic)
    return gate


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NextHop]:
    with next_hop(tmp_path_factory.mktemp("hop")) as running:
        yield running


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, hop: NextHop) -> Iterator[Gateway]:
    gate = prepared(tmp_path_factory.mktemp("receiver"), hop.port)
    try:
        yield gate.start()
    finally:
        gate.stop()


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory, receiver: Gateway) -> Iterator[Gateway]:
    gate = prepared(tmp_path_factory.mktemp("sender"), receiver.ports["public"])
    try:
        yield gate.start()
    finally:
        gate.stop()


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """What `sealgate init --defaults asyncos-15.5` writes, and what it says."""
    home = str(tmp_path_factory.mktemp("upgraded"))
    words = ("init", "--hostname", "gate.example", "--domain", "gate.example", "--defaults", "asyncos-15.5")
    said = sealgate(home, *words).stdout
    return tomllib.loads(sealgate(home, "showconfig").stdout), said


def sealgate(home: str, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([COMMAND, "--home", home, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def service(gate: Gateway, name: str, versions: str, ciphers: str = "default") -> None:
    """Have a service speak these versions, and put that into force; asked as the command asks, without its start."""
    settings = stored(gate)
    wanted = {"versions": versions.split(), "ciphers": ciphers}
    if settings["tls"][name] != wanted:
        settings["tls"][name] = wanted
        assert "problems" not in ask(gate.home, "loadconfig", {"text": tomli_w.dumps(settings)})


def load(gate: Gateway, **services: Settings) -> subprocess.CompletedProcess[str]:
    """`sealgate loadconfig` with other values in [tls.SERVICE], whatever comes of it."""
    settings = stored(gate)
    for name, values in services.items():
        settings["tls"][name].update(values)
    return gate.command("loadconfig", "-", check=False, text=tomli_w.dumps(settings))


def stored(gate: Gateway, number: int | None = None) -> Settings:
    """The configuration in force with its secrets, or an earlier one; 1 is what `sealgate init` wrote."""
    revisions = Revisions(gate.home / "revisions.db")
    revision = revisions.get(number) if number else revisions.current()
    assert revision is not None
    return tomllib.loads(render(revision.configuration, mask=False))


def send(gate: Gateway) -> tuple[int, str]:
    """One message into the gateway; where its log ended before, and the recipient."""
    position = len(gate.log())
    recipient = f"m{position}@inside.example"
    sent = swaks(gate.ports["public"], recipient)
    assert sent.returncode == 0, sent.stdout
    return position, recipient


def arrives(hop: NextHop, recipient: str) -> None:
    eventually(lambda: any(recipient.encode() in message for message in hop.messages()))


def shape(line: str) -> str:
    """A log line with its date and its connection number made equal to those of any other line."""
    dated = re.sub(r"^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} ", "DATE ", line)
    return re.sub(r"\b([ID]CID) \d+", r"\1 N", dated)


def suite_reached(port: int, *suites: str) -> str | None:
    """The TLS 1.3 suite that a client gets which offers these, in this order; None if it is refused by alert."""
    said = openssl_client(port, "-ciphersuites", ":".join(suites), starttls=True, version="1.3").stdout
    if found := re.search(r"New, TLSv1\.3, Cipher is (TLS_\w+)", said):
        return found[1]
    assert "SSL alert number 40" in said, said
    return None


# -- the three services and their versions


def test_s01_tls13_can_be_configured_for_three_services(receiver: Gateway) -> None:
    for name in THREE_SERVICES:
        service(receiver, name, "1.3")
        assert stored(receiver)["tls"][name]["versions"] == ["1.3"]
        service(receiver, name, "1.2 1.3")


def test_s01_gui_https_governs_every_page(receiver: Gateway) -> None:
    for port in ports(receiver):
        service(receiver, "gui_https", "1.3")
        assert offered_versions_openssl(port, False).reached == {"1.3"}
        service(receiver, "gui_https", "1.2 1.3")
        assert offered_versions_openssl(port, False).reached == {"1.2", "1.3"}


def test_s02_tls12_with_13_reaches_old_peers_and_13_alone_does_not(
    sender: Gateway, receiver: Gateway, hop: NextHop
) -> None:
    service(receiver, "inbound_smtp", "1.2")
    service(sender, "outbound_smtp", "1.3")
    position, recipient = send(sender)
    sender.wait_for_log("pending till", after=position)
    waiting = sender.command("queue", "list").stdout
    assert recipient in waiting
    assert "TLS 1.3" in waiting
    service(sender, "outbound_smtp", "1.2 1.3")  # no harm is done: widened, it goes
    arrives(hop, recipient)
    sender.wait_for_log(r"DCID \d+ TLS success protocol TLSv1\.2 cipher ECDHE-", after=position)


def test_s03_exactly_three_suites_in_this_order(receiver: Gateway) -> None:
    service(receiver, "inbound_smtp", "1.2 1.3")
    port = receiver.ports["public"]
    for suite in SUITES:
        assert suite_reached(port, suite) == suite
    for suite in ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
        assert suite_reached(port, suite) is None
    assert suite_reached(port, *reversed(SUITES)) == SUITES[0]
    assert suite_reached(port, *reversed(SUITES[1:])) == SUITES[1]


def test_s03_delivery_offers_the_same_three_in_the_same_order(sender: Gateway, receiver: Gateway, hop: NextHop) -> None:
    service(receiver, "inbound_smtp", "1.2 1.3")
    service(sender, "outbound_smtp", "1.2 1.3")
    _, recipient = send(sender)
    arrives(hop, recipient)
    record = (receiver.home / "logs" / "events-worker-1.jsonl").read_text().splitlines()
    hellos = [event["hello"] for event in map(json.loads, record) if event.get("hello") and event.get("way") == "in"]
    assert [number for number in hellos[-1]["suites"] if number >> 8 == 0x13] == NUMBERS


def test_s03_cipher_settings_neither_name_nor_exclude_them(receiver: Gateway) -> None:
    strings = {
        "gui_https": f"ECDHE+AESGCM:{SUITES[2]}",
        "inbound_smtp": f"ECDHE+AESGCM:!{SUITES[2]}",
        "outbound_smtp": f"default:-{SUITES[1]}",
    }
    before = stored(receiver)
    refused = load(receiver, **{name: {"ciphers": text} for name, text in strings.items()})
    assert refused.returncode == 1
    for name in ("gui_https", "inbound_smtp"):
        assert re.search(rf"tls\.{name}.*the suites of TLS 1\.3 are fixed", refused.stderr), refused.stderr
    assert "tls.outbound_smtp" in refused.stderr
    assert stored(receiver) == before


def test_s04_older_suites_remain_editable(receiver: Gateway) -> None:
    service(receiver, "inbound_smtp", "1.1 1.2 1.3", "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA")
    port = receiver.ports["public"]

    def reached(version: str, cipher: str) -> str:
        said = openssl_client(port, "-cipher", f"{cipher}:@SECLEVEL=0", starttls=True, version=version).stdout
        found = re.search(r"Cipher is (\S+)", said)
        assert found, said
        return found[1]

    assert reached("1.1", "ALL") == "ECDHE-RSA-AES128-SHA"
    assert reached("1.2", "ALL") == "ECDHE-RSA-AES256-GCM-SHA384"
    assert reached("1.2", "ECDHE-RSA-AES128-GCM-SHA256") == "(NONE)"
    assert [suite_reached(port, suite) for suite in SUITES] == SUITES


@no_page_yet()
def test_s05_the_page_shows_the_settings_and_opens_them(receiver: Gateway) -> None:
    text = page(receiver)
    assert "SSL Configuration" in text
    assert "Edit Settings" in text


def test_s06_after_an_upgrade_every_service_has_11_and_12(upgraded: tuple[Settings, str]) -> None:
    assert all(upgraded[0]["tls"][name]["versions"] == ["1.1", "1.2"] for name in THREE_SERVICES)


def test_s06_the_example_is_run_as_an_upgrade_leaves_it(tmp_path: Path) -> None:
    """What `make run-upgraded` does, with other ports."""
    base = free_base(2465, 2525, 2526, 2587, 4431, 8443)
    words = ("--home", str(tmp_path), "evaluate", "--port-base", str(base), "--from", "examples/asyncos-15.0.xml")
    with (tmp_path / "output").open("wb") as output:
        running = subprocess.Popen([COMMAND, *words], cwd=CHECKOUT, stdout=output, stderr=output)
    try:
        said = eventually(lambda: "Sealgate is running" in (tmp_path / "output").read_text() and (tmp_path / "output"))
        assert "TLS 1.0 was on for GUI HTTPS, Inbound SMTP and Outbound SMTP, and has been switched" in said.read_text()
        assert offered_versions_openssl(base + 2525, starttls=True).reached == {"1.1", "1.2"}
        shown = tomllib.loads(sealgate(str(tmp_path), "showconfig").stdout)
        assert all(shown["tls"][name]["versions"] == ["1.1", "1.2"] for name in (*THREE_SERVICES, "other_clients"))
        talk = "sslconfig\nINBOUND\n\n\n\nquit\n"
        told = subprocess.run([COMMAND, "--home", str(tmp_path), "cli"], input=talk, capture_output=True, text=True)
        assert "[2-3]> " in told.stdout
    finally:
        running.terminate()
        running.wait(60)


def test_s07_other_clients_have_a_selection_of_their_own(upgraded: tuple[Settings, str]) -> None:
    assert upgraded[0]["tls"]["other_clients"]["versions"] == ["1.1", "1.2"]


@no_page_yet()
def test_s07_the_page_of_other_clients_has_one_box(receiver: Gateway) -> None:
    assert "Other TLS Client Services" in page(receiver)


@no_page_yet()
def test_s08_the_edit_page_has_a_question_mark_for_each_tls13_box(receiver: Gateway) -> None:
    text = page(receiver)
    assert all(suite in text for suite in SUITES)


def test_s09_the_choices_are_one_unbroken_run_from_10_to_13(receiver: Gateway) -> None:
    holes = {"gui_https": ["1.0", "1.2"], "inbound_smtp": ["1.1", "1.3"], "outbound_smtp": ["1.0", "1.3"]}
    refused = load(receiver, **{name: {"versions": versions} for name, versions in holes.items()})
    assert refused.returncode == 1
    for name, bridge in (("gui_https", r"1\.1"), ("inbound_smtp", r"1\.2"), ("outbound_smtp", r"1\.1.*1\.2")):
        assert re.search(rf"tls\.{name}\.versions.*{bridge}", refused.stderr), refused.stderr


@no_page_yet()
def test_s09_incompatible_boxes_are_grey(receiver: Gateway) -> None:
    assert "disabled" in page(receiver)


def test_s10_tls10_is_off_by_default_and_the_owner_may_switch_it_on(
    receiver: Gateway, upgraded: tuple[Settings, str]
) -> None:
    service(receiver, "inbound_smtp", "1.2 1.3")
    for tls in (stored(receiver, 1)["tls"], upgraded[0]["tls"]):
        assert all("1.0" not in tls[name]["versions"] for name in (*THREE_SERVICES, "other_clients"))
    assert "1.0" not in offered_versions_openssl(receiver.ports["public"], True).reached
    service(receiver, "inbound_smtp", "1.0 1.1 1.2 1.3")
    assert offered_versions_openssl(receiver.ports["public"], True).reached == {"1.0", "1.1", "1.2", "1.3"}


@no_page_yet()
def test_s11_a_note_tells_of_the_disconnection(receiver: Gateway) -> None:
    assert re.search("disconnect", page(receiver), re.IGNORECASE)


# -- the dialogue


def test_s12_sslconfig_prints_methods_and_ciphers_and_its_menu(receiver: Gateway) -> None:
    service(receiver, "inbound_smtp", "1.0 1.1 1.2 1.3")
    said = dialogue(receiver, "sslconfig", "", "exit")
    assert "Inbound SMTP method: tlsv1_0tlsv1_1tlsv1_2tlsv1_3" in said
    assert "Choose the operation you want to perform:" in said
    for line in ("GUI - Edit GUI HTTPS", "INBOUND - Edit Inbound SMTP", "OUTBOUND - Edit Outbound SMTP"):
        assert f"{line} ssl settings." in said


def test_s13_the_method_prompt_shows_four_numbers_and_the_present_selection(receiver: Gateway) -> None:
    service(receiver, "inbound_smtp", "1.1 1.2")
    said = dialogue(receiver, "sslconfig", "inbound", "1-3", "", "", "exit")
    assert "Enter the inbound SMTP ssl method you want to use." in said
    for line in ("1. TLS v1.3", "2. TLS v1.2", "3. TLS v1.1", "4. TLS v1.0", "[2-3]>"):
        assert line in said
    assert "Inbound SMTP method: tlsv1_1tlsv1_2tlsv1_3" in said


@pytest.mark.parametrize(
    ("typed", "method"), [("2", "tlsv1_2"), ("1-4", "tlsv1_0tlsv1_1tlsv1_2tlsv1_3"), ("1,2,3", "tlsv1_1tlsv1_2tlsv1_3")]
)
def test_s14_a_number_a_range_or_numbers_with_commas(receiver: Gateway, typed: str, method: str) -> None:
    said = dialogue(receiver, "sslconfig", "inbound", typed, "", "", "exit")
    assert f"Inbound SMTP method: {method}\n" in said


def test_s15_the_cipher_prompt_always_comes(receiver: Gateway) -> None:
    for typed in ("1", "1-2"):
        assert "ssl cipher you want to use" in dialogue(receiver, "sslconfig", "inbound", typed, "", "", "exit")


def test_s16_commit_with_a_comment_is_all(receiver: Gateway) -> None:
    dialogue(receiver, "sslconfig", "inbound", "1-3", "", "", "commit", "TLS 1.3", "exit")
    assert stored(receiver)["tls"]["inbound_smtp"]["versions"] == ["1.1", "1.2", "1.3"]


# -- the four lines of the log


@pytest.fixture(scope="module")
def refused(sender: Gateway, receiver: Gateway) -> tuple[str, str]:
    """What both logs say when the sender speaks TLS 1.3 alone and the receiver ends at 1.2."""
    service(receiver, "inbound_smtp", "1.1 1.2")
    service(sender, "outbound_smtp", "1.3")
    before = len(receiver.log())
    position, _ = send(sender)
    return (
        sender.wait_for_log(r"DCID \d+ TLS deferring", after=position),
        receiver.wait_for_log(r"ICID \d+ TLS failed", after=before),
    )


@pytest.fixture(scope="module")
def agreed(sender: Gateway, receiver: Gateway, hop: NextHop) -> tuple[str, str]:
    """What both logs say when both speak TLS 1.3."""
    service(receiver, "inbound_smtp", "1.2 1.3")
    service(sender, "outbound_smtp", "1.2 1.3")
    before = len(receiver.log())
    position, recipient = send(sender)
    arrives(hop, recipient)
    return (
        sender.wait_for_log(r"DCID \d+ TLS success", after=position),
        receiver.wait_for_log(r"ICID \d+ TLS success", after=before),
    )


def test_s17_the_line_of_a_delivery_refused_for_its_version(refused: tuple[str, str]) -> None:
    assert shape(refused[0]) == shape(DEFERRING)


def test_s18_the_line_of_a_delivery_over_tls13(agreed: tuple[str, str]) -> None:
    assert shape(agreed[0]) == shape(SENT)


def test_s19_the_line_of_a_client_refused_for_its_version(refused: tuple[str, str]) -> None:
    assert shape(refused[1]) == shape(FAILED)


def test_s20_the_line_of_mail_received_over_tls13(agreed: tuple[str, str]) -> None:
    assert shape(agreed[1]) == shape(RECEIVED)


# -- browsers, errors, care, documents


def test_s21_without_tls13_both_interfaces_give_the_same_error(receiver: Gateway) -> None:
    both = ports(receiver)
    assert len(both) >= 2  # Classic UI and NGUI
    service(receiver, "gui_https", "1.3")
    answers = [offered_versions_openssl(port, False) for port in both]
    assert all(each == answers[0] and each.reached == {"1.3"} for each in answers)


def test_s22_mismatched_versions_and_syntax_errors_are_told_apart(receiver: Gateway) -> None:
    service(receiver, "inbound_smtp", "1.2")
    position = len(receiver.log())
    said = load(receiver, inbound_smtp={"versions": ["1-3"]}, outbound_smtp={"versions": ["TLSv1.3"]})
    nonsense = receiver.command("loadconfig", "-", check=False, text="[tls\nversions = 1.3")
    assert (said.returncode, nonsense.returncode) == (1, 1)
    assert "tls.inbound_smtp.versions" in said.stderr
    assert "tls.outbound_smtp.versions" in said.stderr
    assert "line 1" in nonsense.stderr
    assert "Traceback" not in said.stderr + nonsense.stderr
    typed = receiver.command("cli", check=False, text="sslconfig\ninbound\n3-1\n")
    assert (typed.returncode, "'3-1' runs backwards; type 1-3." in typed.stdout) == (1, True)
    eventually(lambda: receiver.log().count("refused", position) >= 2)  # each refusal is said, as what it is
    assert "TLS failed" not in receiver.log()[position:]

    position = len(receiver.log())
    assert offered_versions_openssl(receiver.ports["public"], True).reached == {"1.2"}
    receiver.wait_for_log("Info: ICID .* TLS failed: .*unsupported protocol", after=position)
    assert "refused" not in receiver.log()[position:]


@no_page_yet()
def test_s23_a_current_browser_opens_every_interface_at_tls13(receiver: Gateway) -> None:
    for port in ports(receiver):
        assert "1.3" in offered_versions_openssl(port, False).reached
    assert "<html" in page(receiver).lower()


def test_s24_weak_choices_are_said_and_a_bad_configuration_changes_nothing(
    receiver: Gateway, upgraded: tuple[Settings, str]
) -> None:
    assert re.search(
        r"Note: TLS 1.1 is deprecated \(RFC 8996\).*\n.*tls.inbound_smtp.versions, tls.outbound_smtp.versions",
        upgraded[1],
    )
    assert re.search(r"Note: without TLS 1.3 .*\n.*tls.outbound_smtp.versions", upgraded[1])
    shown = " ".join(receiver.command("showconfig").stdout.replace("\n#", "").split())
    assert "TLS 1.3 alone shuts out every peer that ends at 1.2" in shown
    before = stored(receiver)
    assert load(receiver, inbound_smtp={"versions": ["1.3"]}, gui_https={"ciphers": "NONSENSE"}).returncode == 1
    assert stored(receiver) == before


def test_s24_loadconfig_says_what_a_weak_choice_means(receiver: Gateway) -> None:
    said = load(receiver, inbound_smtp={"versions": ["1.0", "1.1", "1.2"]})
    assert said.returncode == 0
    assert "TLS 1.0 is deprecated" in said.stdout + said.stderr


def test_s25_installation_guide_manual_and_release_notes_exist_and_are_linked() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    for name in ("docs/install.md", "docs/README.md", "CHANGELOG.md", "docs/reference/source-document.md"):
        assert f"]({name})" in readme
        assert len((CHECKOUT / name).read_text().splitlines()) > 10


def test_s25_every_command_has_its_manual_page() -> None:
    listed = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^    ([a-z]+) ", listed, re.MULTILINE)
    headings = [
        heading
        for document in (CHECKOUT / "docs").rglob("*.md")
        for heading in re.findall(r"^#+ .*", document.read_text(), re.MULTILINE)
    ]
    assert commands
    assert all(any(f"sealgate {command}" in heading for heading in headings) for command in commands)
