"""The conversation itself, with `sslconfig` and `commit` for examples: typed, piped, in one line, and left half way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conversation import LEFT, Desk, configuration, converse, one_line

EDIT = ("sslconfig", "inbound", "1-3", "", "")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, configuration())


def versions(desk: Desk) -> tuple[str, ...]:
    return desk.current().tls.inbound_smtp.versions


def pending(desk: Desk) -> bool:
    return "showchanges" in converse(desk)[0]


def test_a_piped_conversation_reads_as_a_typed_one_without_its_answers(tmp_path: Path) -> None:
    lines = (*EDIT, "commit", "TLS 1.3", "quit")
    folders = [tmp_path / name for name in ("typed", "piped")]
    for folder in folders:
        folder.mkdir()
    typed, piped = (converse(Desk(folder, configuration()), *lines, piped=folder.name == "piped") for folder in folders)
    for line in filter(None, lines):
        assert f"> {line}\n" in typed[0]
        typed = (typed[0].replace(f"> {line}\n", "> \n", 1), typed[1])
    assert piped == typed
    assert piped[1] == 0


def test_a_refused_answer_ends_the_command_of_a_pipe_and_forbids_the_commit(desk: Desk) -> None:
    said, status = converse(desk, "sslconfig", "inbound", "1,4", "commit", "no", piped=True)
    assert "type 1-4." in said
    assert "commit is not carried out: an answer before it was refused." in said
    assert status == 1
    assert versions(desk) == ("1.1", "1.2")
    assert not pending(desk)


def test_an_unknown_command_of_a_pipe_forbids_the_commit_as_well(desk: Desk) -> None:
    said, status = converse(desk, *EDIT, "comit", "commit", "", piped=True)
    assert "Unknown command: comit. Did you mean commit?" in said
    assert status == 1
    assert versions(desk) == ("1.1", "1.2")
    assert pending(desk)  # what was right is still there, to be committed or cleared


@pytest.mark.parametrize("end", range(1, len(EDIT)))
def test_input_that_ends_in_the_middle_of_a_command_changes_nothing(desk: Desk, end: int) -> None:
    said, status = converse(desk, *EDIT[:end], piped=True)
    assert "The input ended in the middle of sslconfig: nothing of it was kept." in said
    assert status == 1
    assert not pending(desk)


@pytest.mark.parametrize("end", range(1, len(EDIT)))
def test_a_command_that_is_left_with_ctrl_c_changes_nothing_and_the_session_goes_on(desk: Desk, end: int) -> None:
    said, status = converse(desk, *EDIT[:end], LEFT, "commit", "quit")
    assert "There is no data to commit." in said
    assert status == 0


def test_a_person_is_asked_again(desk: Desk) -> None:
    said, status = converse(desk, "sslconfig", "inbond", "inbound", "4-1", "1-3", "BOGUS", "", "", "commit", "", "quit")
    assert "There is no operation 'inbond'; did you mean INBOUND?" in said
    assert "'BOGUS' is no cipher suite or selector that OpenSSL knows" in said
    assert versions(desk) == ("1.1", "1.2", "1.3")
    assert status == 0


def test_a_line_with_its_answers_is_a_whole_command(desk: Desk) -> None:
    said, status = converse(desk, "sslconfig inbound 1-3", 'commit "TLS 1.3 everywhere"', piped=True)
    assert status == 0
    assert "Inbound SMTP method: tlsv1_1tlsv1_2tlsv1_3\n" in said
    assert "Choose the operation" not in said
    assert versions(desk) == ("1.1", "1.2", "1.3")
    assert desk.revisions.list()[0].comment == "TLS 1.3 everywhere"


def test_a_line_that_ends_with_a_word_of_a_menu_goes_on_as_a_conversation(desk: Desk) -> None:
    said, status = converse(desk, "sslconfig outbound", "2", "", "commit", "", piped=True)
    assert status == 0
    assert "Enter the outbound SMTP ssl method you want to use." in said
    assert desk.current().tls.outbound_smtp.versions == ("1.2",)


def test_words_that_are_too_many_are_refused_and_nothing_is_done(desk: Desk) -> None:
    said, status = converse(desk, 'sslconfig inbound 1-3 default gui 2 "" "" more', piped=True)
    assert "more" in said
    assert status == 1
    assert not pending(desk)


def test_one_command_from_the_shell(desk: Desk) -> None:
    assert one_line(desk, "sslconfig", "inbound", "1-3")[1] == 0
    assert one_line(desk, "sslconfig", "inbound", "1,3")[1] == 1
    assert one_line(desk, "commit", "with blanks in it")[1] == 0
    assert desk.revisions.list()[0].comment == "with blanks in it"
    assert versions(desk) == ("1.1", "1.2", "1.3")


def test_words_are_taken_in_any_letter_case(desk: Desk) -> None:
    assert converse(desk, "SSLCONFIG", "InBound", "1-3", "", "", "Commit", "", "EXIT", piped=True)[1] == 0
    assert versions(desk) == ("1.1", "1.2", "1.3")


def test_leaving_with_changes_is_asked_of_a_person_and_said_in_a_pipe(desk: Desk) -> None:
    said, _ = converse(desk, *EDIT, "quit", "n", "quit", "y")
    assert said.count("Do you want to leave?") == 2
    said, status = converse(desk, "exit", piped=True)
    assert said.startswith("Changes of an earlier session are not committed")
    assert "There are uncommitted changes: they are kept until you commit or clear them." in said
    assert status == 0
    assert converse(desk, piped=True)[0].count("uncommitted") == 1


def test_help_and_question_marks_say_what_may_be_typed(desk: Desk) -> None:
    said, _ = converse(desk, "help", "?", "help sslconfig", "help sslconfg", "sslconfig", "?", "inbound", "?", LEFT)
    assert len(re.findall(r"^sslconfig +Show and edit which TLS versions", said, re.MULTILINE)) == 2
    assert "sslconfig verify CIPHERS" in said
    assert "Unknown command: sslconfg. Did you mean sslconfig?" in said
    assert "Type GUI, INBOUND, OUTBOUND" in said
    assert "Type the numbers of the versions this service is to speak" in said
    said, _ = converse(desk, "help quit", "halp", "certconfig", "commit", LEFT)
    assert "quit - Leave; exit does the same." in said
    assert "Unknown command: halp. Did you mean help?" in said
    assert "There is no operation 'commit'; there is only CERTIFICATE." in said


def test_an_open_quotation_mark_is_a_sentence(desk: Desk) -> None:
    said, status = converse(desk, 'commit "half', piped=True)
    assert "A quotation mark is not closed" in said
    assert status == 1
