"""How commands come in: as the operator who is named, and never past the question who that is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sealgate.cli
from sealgate.app.main import build_parser
from sealgate.cli.door import Door, NotRunning, Refused

ROOM = Path(sealgate.cli.__file__).parent


def test_no_command_asks_past_the_door() -> None:
    for path in ROOM.rglob("*.py"):
        assert not re.search(r"\bask\(\s*(options\.)?home\b", path.read_text()), f"{path.name} forgets --as"


def test_the_operator_may_be_named_before_or_behind_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEALGATE_AS", raising=False)
    assert build_parser().parse_args(["status"]).operator is None
    assert build_parser().parse_args(["--as", "lea", "status"]).operator == "lea"
    assert build_parser().parse_args(["status", "--as", "lea"]).operator == "lea"
    monkeypatch.setenv("SEALGATE_AS", "max")
    assert build_parser().parse_args(["status"]).operator == "max"
    assert build_parser().parse_args(["status", "--as", "lea"]).operator == "lea"


def test_the_first_line_of_the_file_is_the_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("open sesame\r\nand more\n")
    assert Door(tmp_path, "lea", str(path)).passphrase == "open sesame"
    path.write_bytes(b"\xff\n")
    with pytest.raises(Refused, match="is not text in UTF-8"):
        _ = Door(tmp_path, "lea", str(path)).passphrase
    with pytest.raises(Refused, match=r"cannot read the passphrase from .*none: No such file"):
        _ = Door(tmp_path, "lea", str(tmp_path / "none")).passphrase


def test_files_of_the_home_are_for_users_of_the_machine(tmp_path: Path) -> None:
    Door(tmp_path).no_operator("a backup")
    with pytest.raises(Refused, match=r"a backup takes a user of the machine .*; leave out --as and SEALGATE_AS"):
        Door(tmp_path, "lea").no_operator("a backup")
    assert isinstance(Door(tmp_path).not_running, NotRunning)
