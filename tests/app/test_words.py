"""Commands that are missing, unknown or cannot begin: what is said, and that nothing is done."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealgate.app import evaluate
from sealgate.app.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Show what runs and how much waits."),
        (("queue",), "Try deferred messages now, all or some."),
        (("qeue",), "sealgate: there is no command 'qeue'; did you mean queue?"),
        (("userconfig",), "sealgate: userconfig is a command of the dialogue: sealgate cli userconfig"),
        (("queue", "lst"), "sealgate queue: there is no command 'lst'; did you mean list?"),
        (("xyz",), "sealgate: there is no command 'xyz'; sealgate --help lists those there are"),
        (("evaluate", "--port-base", "90000"), "'90000' is no number from 0 to 62948"),
        (("evaluate", "--sink-tls", "9"), "argument --sink-tls: '9' is no TLS version"),
        (("queue", "show"), "the following arguments are required: MID"),
        (("queue", "list", "--foo"), "unrecognized arguments: --foo"),
    ],
)
def test_what_cannot_be_a_command_is_told_what_there_is(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@contextmanager
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The first port of an evaluation gateway is somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(evaluate, "PORTS", (other.getsockname()[1],))
        yield


def test_an_evaluation_whose_port_is_taken_makes_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with taken(monkeypatch):
        assert main(("--home", str(tmp_path), "evaluate")) == 1
    assert f"--home {tmp_path} evaluate --port-base 1000" in capsys.readouterr().err
    assert main(("--home", str(tmp_path), "showconfig")) == 1


def test_an_evaluation_on_other_ports_than_its_configuration_says_which_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--home", str(tmp_path))
    assert main((*words, "init", "--domain", "inside.example", "--next-hop", "mx", "--port-base", "1000")) == 0
    assert main((*words, "evaluate")) == 1
    assert "listens on ports 3525, 3587, 3465: give the --port-base that it was made with" in capsys.readouterr().err


def test_a_home_that_is_not_there_is_told_and_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "nowhere"
    for word in ("status", "showconfig", "handshakes"):
        main(("--home", str(home), word))
    said = capsys.readouterr()
    assert f"there is no gateway in {home}; where is it? --home HOME or SEALGATE_HOME says so" in said.err
    assert f"sealgate --home {home} init" in said.err.partition("There is no configuration")[2]
    assert "No handshake of that kind has failed." in said.out
    assert not home.exists()


def test_what_a_home_has_is_not_replaced_by_accident(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--home", str(tmp_path), "init", "--domain", "inside.example", "--next-hop", "mx")
    assert main(words) == 0
    assert main(words) == 1
    assert "has a configuration already; --force replaces it" in capsys.readouterr().err
    assert main((*words, "--force")) == 0
    assert main(("--home", str(tmp_path), "loadconfig", "/no/file")) == 1
    assert "cannot read /no/file: No such file or directory\n" in capsys.readouterr().err
