"""A home of Sealgate 0.1 is served by this version; a home of a later one is refused in words."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from sealgate.store.copy import copy_database
from tests.running import Gateway, eventually, next_hop
from tests.smtp_client import Client
from tests.store import old_spool
from tests.store.old_spool import OldMessage


def as_of_0_1(home: Path) -> None:
    """Turn the newest revision into what 0.1 stored: `relay_networks`, and nothing that came later."""
    with closing(sqlite3.connect(home / "revisions.db")) as database:
        number, text = database.execute("SELECT max(number), configuration FROM revision").fetchone()
        settings = json.loads(text)
        for later in ("policies", "sender_groups", "recipient_access", "accounts", "operators"):
            settings.pop(later)
        for listener in settings["listeners"]:
            private = listener["kind"] == "private"
            listener["relay_networks"] = ["127.0.0.0/8", "::1"] if private else []
            for later in ("policy", "auth", "sender_must_match", "hidden_extensions", "max_messages"):
                listener.pop(later)
        for later in ("delay_warning", "double_bounces", "host_down", "family", "hostname"):
            settings["delivery"].pop(later)
        settings["logs"].pop("keep_days")
        database.execute("UPDATE revision SET configuration = ? WHERE number = ?", (json.dumps(settings), number))
        database.commit()


def delivered(gate: Gateway) -> set[tuple[str, str]]:
    """Messages and recipients, as the log tells."""
    told = re.findall(r"Message done DCID \d+ MID (\d+) to RID \[([\d, ]+)\]", gate.log())
    return {(mid, rid) for mid, rids in told for rid in rids.split(", ")}


def test_a_full_queue_and_the_configuration_survive_the_upgrade(tmp_path: Path) -> None:
    now = time.time()
    large = b"Subject: large\r\n\r\n" + b"".join(b"%06d %s\r\n" % (n, b"x" * 60) for n in range(5000))
    small = b"Subject: small\r\n\r\nHello.\r\n"
    with next_hop(tmp_path / "hop") as hop:
        gate = Gateway(tmp_path / "home", next_hop=hop.port)
        as_of_0_1(gate.home)
        old_spool.make(
            gate.home / "spool/worker-1",
            [
                OldMessage(11, small, now),
                OldMessage(12, large, now, ("done", "deferred", "queued")),
                OldMessage(13, small, now, ("deferred",), sender=None),
            ],
        )
        old_spool.make(gate.home / "spool/worker-4", [OldMessage(14, large, now, ("deferred",))])
        (gate.home / "ids.json").write_text('{"mid": 20, "icid": 20, "dcid": 20}')
        try:
            gate.start()
            gate.wait_for_log("the queue of worker-4 has been taken over")
            gate.command("queue", "retry")
            eventually(lambda: "empty" in gate.command("queue", "list").stdout, why=gate.log)
            arrived = [text.partition(b"Subject: ")[2] for text in hop.messages()]
            fates = {("11", "0"), ("12", "1"), ("12", "2"), ("13", "0"), ("14", "0")}
            eventually(lambda: delivered(gate) == fates, why=gate.log)
            assert set(arrived) == {large.partition(b"Subject: ")[2], small.partition(b"Subject: ")[2]}
            assert [path.name for path in (gate.home / "spool").iterdir()] == ["worker-1"]
            with closing(Client(gate.ports["private"])) as client:
                client.reply()
                client.start_tls()
                client.say("EHLO me.example")
                client.say("MAIL FROM:<me@me.example>")
                assert client.say("RCPT TO:<someone@elsewhere.example>").startswith("250")  # it relays as before
            with closing(Client(gate.ports["public"])) as client:
                client.reply()
                client.say("EHLO me.example")
                client.say("MAIL FROM:<me@me.example>")
                assert client.say("RCPT TO:<someone@elsewhere.example>").startswith("550")
        finally:
            gate.stop()


@pytest.mark.parametrize("which", ["spool/worker-1/spool.db", "revisions.db"])
@pytest.mark.parametrize("words", [("serve",), ("init", "--force"), ("showconfig",)])
def test_a_newer_home_is_refused_with_a_sentence_and_untouched(
    tmp_path: Path, which: str, words: tuple[str, ...]
) -> None:
    gate = Gateway(tmp_path / "made")
    home = tmp_path / "home"
    old_spool.make(home / "spool/worker-1", [])
    copy_database(gate.home / "revisions.db", home / "revisions.db")
    with closing(sqlite3.connect(home / which)) as database:
        database.execute("PRAGMA user_version = 99")
    before = (home / which).read_bytes()
    refused = gate.command("--home", str(home), *words, check=False)
    assert refused.returncode == 1
    assert f"{home / which} was written by a newer Sealgate (schema 99, this version knows" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (home / which).read_bytes() == before


def test_numbers_in_a_form_that_is_not_known_are_refused(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    (gate.home / "ids.json").write_text('{"mid": {"next": 5}}')
    refused = gate.command("serve", check=False)
    assert refused.returncode == 1
    assert f"cannot read the last ids used from {gate.home / 'ids.json'}" in refused.stderr
    assert (gate.home / "ids.json").read_text() == '{"mid": {"next": 5}}'
