"""Acts on the queue, on what runs, and the mail log at the prompt: golden screens over answers of control."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sealgate.cli.dialogue.commands import COMMANDS
from sealgate.cli.dialogue.session import Session
from tests.cli.conversation import Desk, Paper, configuration, converse, one_line

GOLDEN = Path(__file__).parents[1] / "golden" / "dialogue"

RECIPIENT = {"rid": 0, "address": "you@there.example", "state": "deferred", "busy": False, "attempts": 2}
MESSAGE = {
    "mid": 17,
    "sender": "me@inside.example",
    "size": 1234,
    "received_at": 1705523000.0,
    "held": False,
    "more": 0,
    "recipients": [{**RECIPIENT, "due": 1705526600.0, "said": "451 4.7.1 later\x1b[2J"}],
}
SHOWN = {
    **MESSAGE,
    "origin": {"ICID": 4},
    "body_8bit": False,
    "utf8": False,
    "bare": False,
    "ret": None,
    "envid": None,
    "delay_told": False,
    "worker": "worker-1",
    "recipients": [{**MESSAGE["recipients"][0], "notify": None, "orcpt": None}],  # type: ignore[index]
}
HOSTS = [
    {
        "domain": domain,
        "messages": recipients,
        "recipients": recipients,
        "queued": 0,
        "deferred": recipients,
        "held": 0,
        "connections": connections,
        "next_attempt": 1705526600.0,
        "said": "451 later",
        "attempts": 2,
    }
    for domain, recipients, connections in (("there.example", 5, 0), ("else.example", 2, 3))
]
SUSPENDED = [
    {
        "kind": "destination",
        "name": "else.example",
        "who": "root",
        "at": 1705523000.0,
        "words": "destination else.example",
    }
]
RUNNING = {"revision": 1, "children": [{"child": "control", "pid": 7, "restarts": 0}]}
ANSWERS: dict[str, Any] = {
    "queue-list": {"messages": [MESSAGE], "more": False, "silent": []},
    "queue-count": {"messages": 1, "recipients": 1, "bytes": 1234, "silent": []},
    "queue-act": {
        "messages": 1,
        "recipients": 1,
        "busy": 1,
        "named": [[18, 0]],
        "passed": 0,
        "unknown": [],
        "faults": [],
        "silent": [],
    },
    "queue-show": {"message": SHOWN},
    "queue-body": {"data": base64.b64encode(b"Subject: hello\r\n\r\nbody \x07\r\n").decode()},
    "hosts": {"hosts": HOSTS, "more": False, "silent": []},
    "status": {"version": "1", "running": RUNNING, "workers": {}, "suspended": SUSPENDED, "fault": "", "silent": []},
    "suspend": {"begun": ["listener private", "listener public"], "ended": [], "silent": []},
    "resume": {"begun": [], "ended": ["delivery"], "silent": ["worker-2 does not answer"]},
    "stop": {},
}

LOG = "".join(f"Wed Jan 17 20:41:{second:02} 2024 Info: MID {second} ICID 4 From: <me@x>\n" for second in range(30))

SCREENS = {
    "queue": (
        *("showrecipients", "4", "3", "showrecipients", "host", "a b", "there.example", "showmessage", "x", "17"),
        *("deleterecipients", "1", "", "there.example", "n", "deleterecipients", "from", "<>", "y"),
        *("bouncerecipients", "all", "", "delivernow", "?", "", "there.example", "delivernow 2"),
    ),
    "hosts": ("tophosts", "", "tophosts 2", "hoststatus", "", "There.Example.", "workqueue", "quit"),
    "suspend": (
        *("suspendlistener", "?", "5", "2, private", "resumelistener", "", "suspenddel", "resumedel", "suspend"),
        *("resume", "shutdown", "", "shutdown", "y", "status"),
    ),
    "maillog": (
        "tail mail_logs 2",
        "grep -v 'MID [0-9]*[0-8] '",
        "grep nothing",
        "grep",
        "(",
        "mid 1[02] ",
        "",
        "",
        "",
    ),
}


class Gateway(Desk):
    """Control with these answers."""

    async def request(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if op == "queue-show" and "after" in body:
            self.said.append(op)
            return {"message": {**SHOWN, "recipients": []}}
        return await super().request(op, body)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("TZ", "UTC")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "mail.log").write_text(LOG)
    made = Gateway(tmp_path, configuration())
    made.answers = dict(ANSWERS)
    return made


def stable(text: str) -> str:
    """Without what the clock says."""
    return re.sub(r"(Status as of: ).*", r"\1now", text)


@pytest.mark.parametrize("name", [name for name in SCREENS if name != "maillog"])
def test_golden_screens(desk: Desk, name: str) -> None:
    assert stable(converse(desk, *SCREENS[name])[0]) == (GOLDEN / f"{name}.txt").read_text()


def test_the_mail_log_is_shown_and_searched(desk: Desk) -> None:
    """From a pipe: on a terminal it goes on."""
    said, status = converse(desk, *SCREENS["maillog"][:3], "grep", "mid 1[02] ", "", "", "", piped=True)
    assert status == 0
    assert [f"MID {number} ICID" in said for number in (28, 29)] == [True, True]
    assert "MID 27 ICID" not in said.replace("\n", " ").partition("MID 9 ICID")[0]
    found = said.partition("No line matches.")[2]
    assert [number for number in range(30) if f"MID {number} ICID" in found] == [10, 12]
    said, status = converse(desk, "grep (", piped=True)
    assert "'(' is no regular expression" in said
    assert status == 1


def test_rotated_logs_are_searched_as_well(desk: Desk) -> None:
    (desk.home / "logs" / "mail.20240117T204100000000Z.log").write_text("an old line about MID 4711\n")
    from sealgate.journal.logfile import predecessors

    assert len(predecessors(desk.home / "logs" / "mail.log")) == 1
    assert "an old line" in one_line(desk, "grep", "4711")[0]
    (desk.home / "logs" / "mail.log").unlink()
    assert one_line(desk, "tail") == ("an old line about MID 4711\n", 0)


class Watcher(Paper):
    """A terminal at which Ctrl-C is pressed when a text has come."""

    def __init__(self, lines: Sequence[str], until: str) -> None:
        super().__init__(lines, interactive=True)
        self.until = until
        self.session: Session | None = None

    def write(self, text: str) -> None:
        super().write(text)
        if self.until in text and self.session is not None:
            self.session.interrupt()


@pytest.mark.parametrize("command", ["tail", "grep -t new"])
def test_a_terminal_sees_what_follows_over_a_rotation_until_ctrl_c(desk: Desk, command: str) -> None:
    log = desk.home / "logs" / "mail.log"

    async def write() -> None:
        with log.open("a") as file:
            file.write("a new line, half of it")
            file.flush()
            await asyncio.sleep(0.5)
            file.write(" and whole\n")
        log.rename(log.with_name("mail.20240117T204200000000Z.log"))
        log.write_text("the first new line of another file\n")

    async def talk() -> str:
        paper = Watcher((command, "commit", "quit"), "of another file")
        paper.session = Session(paper, desk.request, COMMANDS, desk.home)
        writing = asyncio.ensure_future(_later(write))
        await asyncio.wait_for(paper.session.run(), 20)
        await writing
        return paper.text

    said = asyncio.run(talk())
    assert "\na new line, half of it and whole\nthe first new line of another file\n" in said
    assert "There is no data to commit." in said.partition("another file")[2]


async def _later(write: Any) -> None:
    await asyncio.sleep(0.1)
    await write()


def test_an_act_in_one_line_wants_to_hear_that_it_is_meant(desk: Desk) -> None:
    for verb in ("deleterecipients", "bouncerecipients"):
        said, status = one_line(desk, verb, "host", "there.example")
        assert status == 1
        assert "Y behind the command says that it is meant." in said
        assert "queue-act" not in desk.said
    said, status = one_line(desk, "shutdown")  # and nobody answers
    assert "The input ended in the middle of shutdown" in said
    assert status == 1
    assert "stop" not in desk.said
    said, status = one_line(desk, "deleterecipients", "host", "there.example", "y")
    assert status == 0
    assert "1 message with 1 recipient: deleted." in said
    assert one_line(desk, "shutdown", "Y")[1] == 0
    assert desk.said[-1] == "stop"


def test_an_act_is_not_carried_out_after_a_refused_answer_of_a_pipe(desk: Desk) -> None:
    said, status = converse(desk, "sethostname", "a b", "delivernow all", "suspend", "shutdown y", piped=True)
    assert said.count("is not carried out: an answer before it was refused.") == 3
    assert status == 1
    assert not {"queue-act", "suspend", "stop"} & set(desk.said)


def test_words_that_are_too_many_stop_an_act(desk: Desk) -> None:
    for line in (("suspend", "me"), ("deleterecipients", "all", "y", "y"), ("suspenddel", "30"), ("tail", "3", "4")):
        said, status = one_line(desk, *line)
        assert status == 1, line
        assert "is more than this command takes." in said
    assert not {"queue-act", "suspend", "stop"} & set(desk.said)


def test_what_is_missing_in_an_answer_is_said_and_the_status_tells(desk: Desk) -> None:
    nothing = {"messages": 0, "recipients": 0, "busy": 0, "passed": 0, "named": [], "unknown": [], "faults": []}
    desk.answers["queue-act"] = {**nothing, "silent": ["worker-2 does not answer"]}
    said, status = one_line(desk, "delivernow", "all")
    assert "Worker-2 does not answer; whether it has acted is unknown" in said
    assert status == 1
    desk.answers["queue-act"] = {**nothing, "silent": []}
    assert one_line(desk, "delivernow", "all") == ("The queue is empty.\n", 0)
    assert one_line(desk, "delivernow", "host", "there.example") == ("No message in the queue matches.\n", 1)
