"""Operators of a running gateway: by name, by role, on record; and the way back in."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from sealgate.cli.client import Refused, ask
from sealgate.cli.door import Door
from sealgate.control.roles import LEAST
from tests.running import COMMAND, Gateway, eventually, gateway

PASSPHRASE = "correct horse battery staple"
ROLES = {"adam": "administrator", "olga": "operator", "rhea": "read-only"}

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("operators")) as running:
        steps = [
            {"add": "operators", "row": {"name": name, "role": role, "passphrase": {"plain": PASSPHRASE}}}
            for name, role in ROLES.items()
        ]
        steps.append({"set": "limits.auth_failures", "value": 20})
        assert "refused" not in ask(running.home, "edit", {"steps": steps})
        assert "revision" in ask(running.home, "commit", {"comment": "operators"})
        yield running


@pytest.fixture
def gate(made: Gateway) -> Iterator[Gateway]:
    yield made
    ask(made.home, "discard")
    ask(made.home, "resume", {"what": []})


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secret") / "passphrase"
    path.write_text(f"{PASSPHRASE}\n")
    return path


def by_name(gate: Gateway, secret: Path, who: str, op: str, **body: Any) -> Answer:
    return ask(Door(gate.home, who, str(secret)), op, body)


def acts(gate: Gateway, limit: int = 5) -> list[Answer]:
    found: list[Answer] = ask(gate.home, "audit", {"limit": limit})["acts"]
    return found


def edit(gate: Gateway, *steps: Answer) -> Answer:
    ask(gate.home, "edit", {"steps": list(steps)})
    return ask(gate.home, "commit")


def piped(gate: Gateway, *words: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [COMMAND, "--home", str(gate.home), *words]
    env = {**os.environ, **environment}
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60, env=env)


def test_init_makes_the_first_administrator_and_shows_the_passphrase_once(gate: Gateway, tmp_path: Path) -> None:
    found = re.search(r"Administrator: admin, passphrase (\S+) \(shown this once", gate.made)
    assert found
    shown = tmp_path / "shown"
    shown.write_text(found[1])
    assert by_name(gate, shown, "admin", "discard") == {"discarded": False}
    kept = [path for path in gate.home.rglob("*") if path.is_file() and found[1].encode() in path.read_bytes()]
    assert kept == []


def test_whoever_logs_in_by_name_acts_under_it(gate: Gateway, secret: Path) -> None:
    steps = [{"set": "dns.timeout", "value": 7}]
    assert by_name(gate, secret, "adam", "edit", steps=steps)["pending"]
    assert not ask(gate.home, "candidate")["pending"]  # root has a candidate of his own
    assert ask(gate.home, "candidate")["others"] == ["adam"]
    number = by_name(gate, secret, "Adam", "commit", comment="slower")["revision"]
    gate.wait_for_log(f"Configuration revision {number} committed by adam: slower")
    gate.wait_for_log(r"Operator adam \(administrator\) logged in from cli, as root")
    (entry, *_) = ask(gate.home, "revisions")["revisions"]
    assert (entry["who"], entry["face"]) == ("adam", "cli")
    told = [(act["who"], act["act"]) for act in acts(gate, 3)]
    assert told == [("adam", "commit"), ("adam", "login"), ("adam", "login")]


def test_each_role_goes_as_far_as_the_table_says(gate: Gateway, secret: Path) -> None:
    assert by_name(gate, secret, "rhea", "status")["running"]["revision"]
    assert "********" in by_name(gate, secret, "rhea", "showconfig")["text"]
    everything = {"state": "held"}
    with pytest.raises(Refused, match="rhea is read-only, and 'suspend' takes an operator"):
        by_name(gate, secret, "rhea", "suspend", what=[["delivery", ""]])
    with pytest.raises(Refused, match="'queue-act' takes an operator"):
        by_name(gate, secret, "rhea", "queue-act", act="delete", selection=everything)
    with pytest.raises(Refused, match="rhea is no administrator, and sees no secrets"):
        by_name(gate, secret, "rhea", "showconfig", secrets=True)
    assert by_name(gate, secret, "olga", "suspend", what=[["delivery", ""]])["begun"] == ["delivery"]
    assert by_name(gate, secret, "olga", "resume", what=[])["ended"] == ["delivery"]
    assert by_name(gate, secret, "olga", "queue-act", act="retry", selection=everything)["messages"] == 0
    gate.wait_for_log("Suspended by olga: delivery")
    for op in (op for op, least in LEAST.items() if least == "administrator"):
        with pytest.raises(Refused, match=f"olga is an operator, and '{op}' takes an administrator"):
            by_name(gate, secret, "olga", op, steps=[{"set": "dns.timeout", "value": 8}])
    (last, *_) = acts(gate, 1)
    assert (last["who"], last["act"], last["detail"]) == ("olga", "refused", {"request": op, "role": "operator"})
    assert gate.settings()["dns"]["timeout"] != 8
    assert "BEGIN PRIVATE KEY" in by_name(gate, secret, "adam", "showconfig", secrets=True)["text"]
    assert acts(gate, 1)[0]["act"] == "secrets shown"


def test_a_wrong_passphrase_lets_nobody_in(gate: Gateway, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("incorrect horse\n")
    for name in ("adam", "nobody"):
        with pytest.raises(Refused, match="nobody was logged in: wrong login or passphrase"):
            by_name(gate, wrong, name, "status")
    gate.wait_for_log("Operator nobody was not logged in from cli, as root: wrong login or passphrase")
    assert [(act["who"], act["act"]) for act in acts(gate, 2)] == [("nobody", "login failed"), ("adam", "login failed")]
    assert "incorrect horse" not in gate.log() + str(acts(gate, 50))


def test_too_many_wrong_ones_are_put_off(gate: Gateway, secret: Path, tmp_path: Path) -> None:
    assert "revision" in edit(
        gate, {"set": "limits.auth_failures", "value": 2}, {"set": "limits.auth_window", "value": 1}
    )
    wrong = tmp_path / "wrong"
    wrong.write_text("incorrect horse\n")

    def refusal() -> str:
        with pytest.raises(Refused) as refused:
            by_name(gate, wrong, "olga", "status")
        return str(refused.value)

    try:
        eventually(lambda: "too many failures before" in refusal())
        eventually(lambda: _gets_in(gate, secret))  # and comes to an end
    finally:
        edit(gate, {"set": "limits.auth_failures", "value": 20}, {"set": "limits.auth_window", "value": None})


def _gets_in(gate: Gateway, secret: Path) -> bool:
    with suppress(Refused):
        return bool(by_name(gate, secret, "olga", "status"))
    return False


def test_operators_are_listed_without_their_hashes(gate: Gateway, secret: Path) -> None:
    edit(gate, {"set": "operators[rhea].full_name", "value": "Rhea R."})
    answer = by_name(gate, secret, "rhea", "operators")
    assert {"name": "rhea", "role": "read-only", "full_name": "Rhea R.", "enabled": True} in answer["operators"]
    assert {each["name"] for each in answer["operators"]} == {"admin", *ROLES}
    assert "argon2" not in str(answer) + str(ask(gate.home, "candidate")) + str(acts(gate, 50))


def test_who_is_disabled_is_out_at_his_next_request(gate: Gateway, secret: Path) -> None:
    assert "revision" in edit(gate, {"set": "operators[rhea].enabled", "value": False})
    with pytest.raises(Refused, match="wrong login or passphrase"):
        by_name(gate, secret, "rhea", "status")
    edit(gate, {"set": "operators[rhea].enabled", "value": True})
    assert by_name(gate, secret, "rhea", "status")


def test_the_last_administrator_stays(gate: Gateway) -> None:
    names = ("admin", "adam")
    for steps in (
        [{"remove": "operators", "name": name} for name in names],
        [{"set": f"operators[{name}].role", "value": "operator"} for name in names],
        [{"remove": "operators", "name": name} for name in ("admin", *ROLES)],
    ):
        shown = ask(gate.home, "edit", {"steps": steps})
        assert [path for path, _ in shown["problems"]] == ["operators"]
        assert [path for path, _ in ask(gate.home, "commit")["problems"]] == ["operators"]
        ask(gate.home, "discard")
    assert {each["name"] for each in ask(gate.home, "operators")["operators"]} == {"admin", *ROLES}


def test_who_removes_himself_is_told(gate: Gateway, secret: Path) -> None:
    steps = [{"set": "operators[adam].role", "value": "operator"}]
    shown = by_name(gate, secret, "adam", "edit", steps=steps)
    assert ["operators[adam].role", "you, adam, will be no administrator any more, and could not undo this"] in shown[
        "remarks"
    ]
    by_name(gate, secret, "adam", "discard")


def test_passwd_sets_one_from_a_pipe_and_the_old_one_is_over(gate: Gateway, secret: Path, tmp_path: Path) -> None:
    before = ask(gate.home, "status")["running"]["revision"]
    done = gate.command("passwd", "olga", text="another long one\n")
    assert done.stdout == f"The passphrase of olga is set (revision {before + 1}).\n"
    with pytest.raises(Refused, match="wrong login"):
        by_name(gate, secret, "olga", "status")
    another = tmp_path / "another"
    another.write_text("another long one\n")
    # and she sets her own, as everybody may, but nobody else's
    own = piped(gate, "--as", "olga", "--passphrase-file", str(another), "passwd", text=f"{PASSPHRASE}\n")
    assert own.stdout == f"The passphrase of olga is set (revision {before + 2}).\n", own.stderr
    with pytest.raises(Refused, match="olga is no administrator, and may set his own passphrase only"):
        by_name(gate, secret, "olga", "passwd", name="adam", passphrase="a long enough one")
    short = gate.command("passwd", "olga", text="short\n", check=False)
    assert (short.returncode, short.stderr) == (
        1,
        "A passphrase has 8 to 1024 characters; better a few words: nothing was changed.\n",
    )
    unknown = gate.command("passwd", "max", text="a long enough one\n", check=False)
    assert "there is no operator 'max'; there are admin, adam, olga, rhea" in unknown.stderr
    told = [(act["who"], act["act"]) for act in acts(gate, 8) if act["act"] == "passwd"]
    assert told == [("olga", "passwd"), ("root", "passwd")]
    assert "another long one" not in gate.log() + str(acts(gate, 50))


def test_a_script_names_a_file_or_a_descriptor_for_the_passphrase(gate: Gateway, secret: Path) -> None:
    nothing = piped(gate, "status", SEALGATE_AS="olga")
    assert nothing.returncode == 1
    assert "nobody can be asked for the passphrase of olga; put it into a file" in nothing.stderr
    done = piped(gate, "status", SEALGATE_AS="olga", SEALGATE_PASSPHRASE_FILE=str(secret))
    assert done.returncode == 0, done.stderr
    script = f'exec 3< "{secret}"; exec "{COMMAND}" --home "{gate.home}" --as olga --passphrase-file /dev/fd/3 cli'
    words = ["bash", "-c", script]
    talked = subprocess.run(words, input="status\nquit\n", capture_output=True, text=True, check=False, timeout=60)
    assert talked.returncode == 0, talked.stderr
    assert "worker-1" in talked.stdout
    assert (acts(gate, 1)[0]["who"], acts(gate, 1)[0]["act"]) == ("olga", "login")
    secrets = piped(gate, "--as", "olga", "--passphrase-file", str(secret), "showconfig", "--secrets")
    assert secrets.returncode == 1
    assert "olga is no administrator, and sees no secrets" in secrets.stderr
    backup = piped(gate, "--as", "adam", "backup", str(gate.home / "x.tar"))
    assert "a backup takes a user of the machine" in backup.stderr


def test_every_act_is_on_record_and_printed(gate: Gateway, secret: Path) -> None:
    before = acts(gate, 1)[0]["at"]
    by_name(gate, secret, "adam", "edit", steps=[{"set": "dns.timeout", "value": 5}])
    by_name(gate, secret, "adam", "discard")
    by_name(gate, secret, "adam", "suspend", what=[["destination", "slow.example"]])
    by_name(gate, secret, "adam", "resume", what=[])
    by_name(gate, secret, "adam", "queue-act", act="hold", selection={"mids": [1]})
    by_name(gate, secret, "adam", "verify")
    assert "problems" in by_name(gate, secret, "adam", "loadconfig", text="nonsense = 1")
    new = [act for act in acts(gate, 50) if act["at"] > before and act["act"] != "login"]
    expected = ["clearchanges", "suspend", "resume", "queue hold", "verify", "commit refused"]
    assert [act["act"] for act in reversed(new)] == expected
    assert {act["who"] for act in new} == {"adam"}
    lines = gate.command("audit", "--limit", "3", "--json").stdout.splitlines()
    assert [json.loads(line)["act"] for line in lines] == ["commit refused", "login", "verify"]
    assert "adam from cli  commit refused" in gate.command("audit", "--limit", "1").stdout


def test_a_home_without_operators_lets_root_in_and_passwd_makes_the_first(tmp_path: Path) -> None:
    gate = Gateway(tmp_path / "home")
    _forget_operators(gate)
    first = gate.command("passwd", "max", text=f"{PASSPHRASE}\n")  # nothing runs
    assert re.fullmatch(r"The passphrase of max is set \(revision \d+\)\.\n", first.stdout)
    (row,) = gate.settings()["operators"]
    assert (row["name"], row["role"]) == ("max", "administrator")
    _forget_operators(gate)
    gate.start()
    try:
        assert ask(gate.home, "operators") == {"operators": []}
        assert "The passphrase of admin is set" in gate.command("passwd", text=f"{PASSPHRASE}\n").stdout
        assert [each["name"] for each in ask(gate.home, "operators")["operators"]] == ["admin"]
        told = [(act["who"], act["act"]) for act in acts(gate, 10)]
        assert told[:2] == [("root", "passwd"), ("offline", "passwd")]
        assert ("init", "init") in told
    finally:
        gate.stop()


def _forget_operators(gate: Gateway) -> None:
    """As a version without operators has left it."""
    with closing(sqlite3.connect(gate.home / "revisions.db")) as database:
        number, text = database.execute("SELECT max(number), configuration FROM revision").fetchone()
        kept = {key: value for key, value in json.loads(text).items() if key != "operators"}
        database.execute("UPDATE revision SET configuration = ? WHERE number = ?", (json.dumps(kept), number))
        database.commit()
