"""What an operator does with the queue, with what runs, and what it says to him."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.peers.hop import Hop, hop
from tests.peers.ports import HOST
from tests.running import COMMAND, Gateway, Settings, eventually, gateway
from tests.smtp_client import Client, greeted

BUSY = "451 4.7.1 later"


def route_everything(settings: Settings, port: int) -> None:
    settings["gateway"]["accepted_domains"] = ["inside.example", "other.example"]
    settings["routes"] = [{"domain": "*", "hosts": [f"{HOST}:{port}"]}]
    settings["delivery"].update(tls="no", retry_first=600, retry_max=600)


@pytest.fixture(scope="module")
def next_hop() -> Iterator[Hop]:
    with hop() as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, next_hop: Hop) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("queue"), next_hop=next_hop.port, workers=2) as running:
        running.configure(lambda settings: route_everything(settings, next_hop.port))
        yield running


@pytest.fixture
def gate(shared: Gateway, next_hop: Hop) -> Iterator[Gateway]:
    """The gateway with an empty queue, nothing suspended, and a next hop that wants to be asked later."""
    next_hop.answers["RCPT"] = BUSY
    for visit in next_hop.visits:
        visit.messages.clear()
    yield shared
    next_hop.answers.clear()
    shared.command("resume", "all")
    shared.command("queue", "release", "--all", check=False)
    shared.command("queue", "delete", "--all", "--yes", check=False)
    eventually(lambda: not listed(shared), why=lambda: shared.command("queue", "list").stdout)


def listed(gate: Gateway, *filters: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gate.command("queue", "list", "--json", *filters).stdout.splitlines()]


def send(
    gate: Gateway,
    *recipients: str,
    sender: str = "me@me.example",
    text: str = "hello",
    body: str = "The body of it.",
) -> int:
    """One message for all of them; its MID."""
    client = Client(gate.ports["public"])
    client.reply()
    client.say("EHLO me.example")
    assert client.say(f"MAIL FROM:<{sender}>").startswith("250")
    for recipient in recipients:
        assert client.say(f"RCPT TO:<{recipient}>").startswith("250")
    assert client.say("DATA").startswith("354")
    mid = re.search(r"Message (\d+) accepted", client.say(f"Subject: {text}", "", body, "."))
    client.close()
    assert mid
    return int(mid[1])


def deferred(gate: Gateway, *recipients: str, **more: Any) -> int:
    """A message whose first attempt has failed; its MID."""
    mid = send(gate, *recipients, **more)
    eventually(lambda: [one for one in listed(gate, "--state", "deferred") if one["mid"] == mid])
    return mid


def kill_workers(gate: Gateway) -> None:
    """Both, the hard way; returns when others serve in their place."""
    before = gate.children()
    for name in ("worker-1", "worker-2"):
        os.kill(before[name], signal.SIGKILL)
    eventually(lambda: len({*before.values(), *gate.children().values()}) == len(before) + 2)
    eventually(lambda: gate.command("queue", "list", check=False).returncode == 0)


def test_a_list_is_filtered_counted_and_cut(gate: Gateway) -> None:
    first = deferred(gate, "a@inside.example", "b@other.example")
    second = deferred(gate, "c@other.example", sender="boss@me.example")
    assert [one["mid"] for one in listed(gate)] == sorted([first, second])
    assert [one["mid"] for one in listed(gate, "--recipient", "a@inside.example")] == [first]
    assert [one["mid"] for one in listed(gate, "--sender", "boss@*")] == [second]
    assert [[r["address"] for r in one["recipients"]] for one in listed(gate, "--domain", "other.example")] == (
        [["b@other.example"], ["c@other.example"]] if first < second else [["c@other.example"], ["b@other.example"]]
    )
    assert listed(gate, "--older-than", "1h") == []
    assert listed(gate, "--state", "held") == []
    counted = gate.command("queue", "list", "--count", "--domain", "other.example").stdout
    assert counted.startswith("2 messages with 2 recipients, ")
    cut = gate.command("queue", "list", "--limit", "1").stdout
    assert cut.count("MID ") == 1
    assert "There are more" in cut
    assert "No message in the queue matches." in gate.command("queue", "list", "--sender", "nobody@me.example").stdout


def test_a_message_is_shown_with_all_that_is_known_and_its_text(gate: Gateway) -> None:
    mid = deferred(gate, "a@inside.example", text="to be shown")
    shown = gate.command("queue", "show", str(mid)).stdout
    for word in (f"MID {mid}", "<me@me.example>", "<a@inside.example>  deferred", "later", "next attempt", "kept by"):
        assert word in shown
    header = gate.command("queue", "show", str(mid), "--headers").stdout
    assert "Subject: to be shown" in header
    assert "The body of it." not in header
    body = gate.command("queue", "show", str(mid), "--body").stdout
    assert body.strip() == "The body of it."
    whole = gate.command("queue", "show", str(mid), "--headers", "--body").stdout
    assert whole.index("Subject: to be shown") < whole.index("The body of it.")


def test_a_held_message_waits_over_a_restart_of_its_worker_until_it_is_released(gate: Gateway, next_hop: Hop) -> None:
    mid = deferred(gate, "a@inside.example")
    assert "1 message with 1 recipient: on hold now." in gate.command("queue", "hold", str(mid)).stdout
    gate.wait_for_log(rf"MID {mid} held by \w+")
    next_hop.answers.clear()
    kill_workers(gate)
    assert [one["mid"] for one in listed(gate, "--state", "held")] == [mid]
    assert "on hold" in gate.command("queue", "list").stdout
    assert "on hold and not tried" in gate.command("queue", "retry", str(mid)).stdout
    assert next_hop.messages == []
    assert gate.command("queue", "release", str(mid)).returncode == 0
    gate.command("queue", "retry", check=False)
    eventually(lambda: len(next_hop.messages) == 1)
    gate.wait_for_log(rf"MID {mid} released by")


def test_what_was_answered_survives_the_kill_of_every_worker(gate: Gateway, next_hop: Hop) -> None:
    deleted, kept, bounced, retried = (deferred(gate, f"{name}@inside.example") for name in "dkbr")
    gate.command("suspend", "delivery")  # so that it is the disk that remembers, not an attempt
    gate.command("queue", "delete", str(deleted), "--yes")
    gate.command("queue", "hold", str(kept))
    gate.command("queue", "bounce", str(bounced))
    gate.command("queue", "retry", str(retried))
    kill_workers(gate)
    waiting = {one["mid"]: one["recipients"][0] for one in listed(gate)}
    assert deleted not in waiting
    assert bounced not in waiting
    assert waiting[kept]["state"] == "held"
    assert waiting[retried]["due"] < time.time()  # not in ten minutes
    assert gate.command("queue", "list", "--sender", "<>").stdout.count("<me@me.example>") == 1  # the notice
    next_hop.answers.clear()
    gate.command("resume", "delivery")
    gate.wait_for_log(rf"Message finished MID {retried} done")


def test_a_retry_goes_at_once(gate: Gateway, next_hop: Hop) -> None:
    mid = deferred(gate, "a@inside.example")
    other = deferred(gate, "b@other.example")
    next_hop.answers.clear()
    assert "1 message with 1 recipient: being tried again." in gate.command("queue", "retry", str(mid)).stdout
    gate.wait_for_log(rf"Message finished MID {mid} done")
    assert [one["mid"] for one in listed(gate)] == [other]


def test_a_bounce_tells_the_sender_why(gate: Gateway, next_hop: Hop) -> None:
    mid = deferred(gate, "a@inside.example", sender="author@other.example")
    next_hop.answers.clear()
    done = gate.command("queue", "bounce", str(mid), "--reason", "the mailbox has moved to the attic")
    assert "1 message with 1 recipient: bounced." in done.stdout
    (notice,) = eventually(lambda: next_hop.messages)
    assert b"the mailbox has moved to the" in b" ".join(notice.split())
    assert f"X-Sealgate-Original-MID: {mid}".encode() in notice
    gate.wait_for_log(rf"Bounced: DCID 0 MID {mid} to RID 0 - 5\.0\.0 - Message bounced by administrator")


def test_a_delete_asks_shows_the_count_and_tells_nobody(gate: Gateway, next_hop: Hop) -> None:
    kept = deferred(gate, "a@inside.example")
    mid = deferred(gate, "b@other.example", sender="author@other.example")
    refused = gate.command("queue", "delete", "--domain", "other.example", check=False)
    assert refused.returncode == 1
    assert "1 message with 1 recipient would be deleted." in refused.stdout
    assert "--yes" in refused.stderr
    assert len(listed(gate)) == 2
    next_hop.answers.clear()
    assert gate.command("queue", "delete", "--domain", "other.example", "--yes").returncode == 0
    gate.wait_for_log(rf"MID {mid} to RID \[0\] deleted by \w+")
    gate.wait_for_log(r"Queue: delete by \w+, domain other\.example.*: 1 messages, 1 recipients")
    assert [one["mid"] for one in listed(gate)] == [kept]
    assert next_hop.messages == []


def test_what_cannot_be_done_is_a_sentence(gate: Gateway, tmp_path: Path) -> None:
    for words, sentence in (
        (("queue", "show", "999999"), "no message 999999 is in the queue"),
        (("queue", "show", "999999", "--body"), "no message 999999 is in the queue"),
        (("queue", "hold", "999999"), "no message 999999 is in the queue"),
        (("queue", "hold", "--sender", "nobody@me.example"), "no message in the queue matches"),
        (("queue", "hold"), "say which messages"),
        (("queue", "hold", "--all", "--sender", "a@b.example"), "--all is everything"),
        (("queue", "list", "--domain", "a@b.example"), "'a@b.example' is an address"),
        (("queue", "list", "--older-than", "soon"), "'soon' is no age"),
        (("suspend", "listener", "nobody"), "there is no listener 'nobody'; there are public, private"),
        (("suspend", "destination", "a@b.example"), "'a@b.example' is no destination"),
    ):
        done = gate.command(*words, check=False)
        assert done.returncode != 0, words
        assert sentence in done.stderr, (words, done.stderr)
    nothing_runs = Gateway(tmp_path / "idle").command("queue", "list", check=False)
    assert nothing_runs.returncode == 1
    assert "start it with: sealgate --home" in nothing_runs.stderr


def test_a_worker_that_does_not_answer_is_named(gate: Gateway) -> None:
    stopped = gate.children()["worker-2"]
    os.kill(stopped, signal.SIGSTOP)
    try:
        done = gate.command("queue", "show", "999999", check=False)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert done.returncode == 1
    assert "not every worker answered: worker-2 has not answered within 5 s" in done.stderr


def test_hosts_show_what_waits_for_a_destination_and_why(gate: Gateway) -> None:
    deferred(gate, "a@inside.example", "b@inside.example")
    deferred(gate, "c@other.example")
    gate.command("suspend", "destination", "other.example")
    table = gate.command("hosts").stdout.splitlines()
    assert re.match(r" +1 +2 +2 +0 +\d+  inside\.example  next attempt", table[1])
    assert "later" in table[2]
    assert "other.example  suspended" in table[3]
    one = gate.command("host", "Inside.example").stdout
    for line in ("Recipients:   2", "Deferred:     2", "Next attempt: ", "Last words: "):
        assert line in one
    assert "Suspended:    destination other.example, by" in gate.command("host", "other.example").stdout


def test_a_suspended_destination_keeps_its_mail_over_a_kill_and_goes_when_resumed(gate: Gateway, next_hop: Hop) -> None:
    next_hop.answers.clear()
    gate.command("suspend", "destination", "inside.example")
    kept = send(gate, "a@inside.example")
    gone = send(gate, "b@other.example")
    gate.wait_for_log(rf"Message finished MID {gone} done")
    kill_workers(gate)
    assert [one["mid"] for one in listed(gate)] == [kept]
    assert "Suspended: destination inside.example, by" in gate.command("status").stdout
    assert len(next_hop.messages) == 1
    assert "Resumed: destination inside.example." in gate.command("resume", "destination", "inside.example").stdout
    gate.wait_for_log(rf"Message finished MID {kept} done")


def test_a_suspended_listener_answers_421_and_an_open_session_ends_after_its_message(gate: Gateway) -> None:
    open_session = Client(gate.ports["public"])
    open_session.reply()
    open_session.say("EHLO me.example")
    open_session.say("MAIL FROM:<me@me.example>")
    open_session.say("RCPT TO:<a@inside.example>")
    assert open_session.say("DATA").startswith("354")
    assert "Suspended: listener public." in gate.command("suspend", "listener", "public").stdout
    late = Client(gate.ports["public"])
    assert late.reply() == "421 4.3.2 Service not available, closing transmission channel"
    assert late.reply() == ""
    late.close()
    other = Client(gate.ports["private"])
    assert other.reply().startswith("220")
    other.close()
    assert open_session.say("Subject: last", "", "text", ".").startswith("250")
    assert open_session.reply().startswith("421")
    open_session.close()
    gate.wait_for_log(r"ICID \d+ Receiving Failed: Listener is suspended")
    gate.wait_for_log(r"Warning: Suspended by \w+: listener public")
    gate.command("resume", "listener", "public")
    again = Client(gate.ports["public"])
    assert again.reply().startswith("220")
    again.close()


def test_a_session_that_gives_its_message_up_ends_with_its_suspended_listener(gate: Gateway) -> None:
    with closing(greeted(gate.ports["public"])) as client:
        client.say("MAIL FROM:<me@me.example>")
        gate.command("suspend", "listener", "public")
        assert client.say("RCPT TO:<you@inside.example>").startswith("250")
        assert client.say("RSET").startswith("250")
        assert client.reply().startswith("421 4.3.2")
        assert client.file.read() == b""
    gate.command("resume", "all")


def test_of_all_listeners_one_can_be_resumed(gate: Gateway) -> None:
    gate.command("suspend", "all")
    status = gate.command("status").stdout
    assert "Suspended: all listeners, by" in status
    assert "Suspended: delivery, by" in status
    assert gate.command("resume", "listener", "private").stdout == "Resumed: listener private.\n"
    private, public = Client(gate.ports["private"]), Client(gate.ports["public"])
    assert private.reply().startswith("220")
    assert public.reply().startswith("421")
    private.close()
    public.close()
    assert gate.command("suspend", "listener").stdout == "Suspended: listener private.\n"
    assert "Nothing had to be changed" in gate.command("suspend", "listener").stdout
    assert gate.command("resume", "all").stdout == "Resumed: all listeners.\nResumed: delivery.\n"
    assert "Suspended" not in gate.command("status").stdout


def test_workers_obey_what_is_suspended_while_control_is_dead(gate: Gateway, next_hop: Hop) -> None:
    next_hop.answers.clear()
    gate.command("suspend", "delivery")
    mid = send(gate, "a@inside.example")
    control = gate.children()["control"]
    os.kill(control, signal.SIGSTOP)  # it neither answers nor is started again
    try:
        (gate.home / "suspended.new").write_text("[]")
        (gate.home / "suspended.new").replace(gate.home / "suspended.json")
        gate.wait_for_log(rf"Message finished MID {mid} done", within=5)
    finally:
        os.kill(control, signal.SIGCONT)


def test_a_file_that_says_nothing_suspends_what_starts_and_resume_all_mends_it(gate: Gateway, next_hop: Hop) -> None:
    next_hop.answers.clear()
    position = len(gate.log())
    (gate.home / "suspended.json").write_text("{broken")
    gate.wait_for_log("Critical: .*does not say what is suspended", after=position)
    assert send(gate, "a@inside.example")  # what ran goes on
    status = gate.command("status", check=False)
    assert status.returncode == 1
    assert "does not say what is suspended; `sealgate resume all` writes it anew" in status.stderr
    kill_workers(gate)
    client = Client(gate.ports["public"])
    assert client.reply().startswith("421")
    client.close()
    assert gate.command("resume", "all").returncode == 0
    assert "Suspended" not in gate.command("status").stdout
    assert send(gate, "a@inside.example")


def test_a_drain_takes_nothing_new_and_ends_when_the_queue_is_empty(gate: Gateway, next_hop: Hop) -> None:
    deferred(gate, "a@inside.example")
    over = gate.command("drain", "--within", "0.3s", check=False)
    assert over.returncode == 1
    assert "1 message waiting, 0 sessions open" in over.stdout
    assert "the time is over" in over.stderr
    client = Client(gate.ports["public"])
    assert client.reply().startswith("421")
    client.close()
    next_hop.answers.clear()
    done = gate.command("drain", "--within", "30s")
    assert "The queue is empty. The listeners stay suspended" in done.stdout
    assert len(next_hop.messages) == 1


def test_an_interrupted_drain_resumes_what_it_has_suspended(gate: Gateway) -> None:
    deferred(gate, "a@inside.example")
    for words, deaf in (((), False), (("--keep",), True)):
        command = [COMMAND, "--home", str(gate.home), "drain", *words]
        drain = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert drain.stdout is not None
        with drain.stdout:
            assert "Suspended: all listeners." in drain.stdout.readline()
            assert "1 message waiting" in drain.stdout.readline()
            drain.send_signal(signal.SIGINT)
            assert drain.wait(20) == 130
        assert ("all listeners" in gate.command("status").stdout) == deaf


def test_a_drained_gateway_stops_and_the_next_start_says_that_it_is_deaf(tmp_path: Path, next_hop: Hop) -> None:
    with gateway(tmp_path, next_hop=next_hop.port) as gate:
        assert "the gateway stops" in gate.command("drain", "--then", "stop").stdout
        assert gate.wait() == 0
        process = gate.serve()
        gate.wait_for_log(r"Warning: Still suspended, by \w+: all listeners")
        assert process.poll() is None


def test_a_large_message_is_written_out_piece_by_piece(gate: Gateway) -> None:
    lines = "\r\n".join(f"line {number} of a message that is large" for number in range(20_000))
    mid = deferred(gate, "a@inside.example", body=lines)
    shown = gate.command("queue", "show", str(mid), "--body").stdout
    assert len(shown) > 700_000
    assert shown.splitlines() == lines.split("\r\n")


def test_on_a_terminal_a_delete_asks(gate: Gateway) -> None:
    mid = deferred(gate, "a@inside.example")
    for answer, left in (("", 1), ("y", 0)):
        command = [COMMAND, "--home", str(gate.home), "queue", "delete", str(mid)]
        master, terminal = pty.openpty()
        process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        said = ""
        while "[no]> " not in said:
            said += os.read(master, 1000).decode()
        os.write(master, answer.encode() + b"\n")
        assert process.wait(20) == (1 if left else 0)
        os.close(master)
        assert "1 message with 1 recipient would be deleted." in said
        assert len(listed(gate)) == left
