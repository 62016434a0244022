"""The commit family in memory: what is said of commits, conflicts, rollbacks and whole configurations."""

from __future__ import annotations

import asyncio
import datetime
import re
import stat
from pathlib import Path

import pytest

from sealgate.control.changes import Operator
from sealgate.control.verification import Trial, Verification
from tests.cli.conversation import Desk, configuration, converse, one_line

GOLDEN = Path(__file__).parents[1] / "golden" / "dialogue"
NOW = re.compile(r"Changes cleared: .*\n")
EXAMPLE = Path(__file__).parents[2] / "examples" / "asyncos-15.0.xml"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, configuration())


def other_commits(desk: Desk) -> None:
    """Somebody else puts something into force."""
    mine, desk.operator = desk.operator, Operator("eve", "cli", desk.now, "administrator")
    step = {"set": "tls.outbound_smtp.versions", "value": ["1.2"]}
    asyncio.run(desk.request("edit", {"steps": [step]}))
    asyncio.run(desk.request("commit", {"comment": "narrower"}))
    desk.operator = mine


def test_a_commit_asks_for_its_comment_and_says_what_was_done(desk: Desk) -> None:
    said, _ = converse(desk, "sslconfig inbound 2", "commit", "TLS 1.2 alone", "commit")
    assert "Please enter some comments describing your changes:\n[]> TLS 1.2 alone\n\nChanges committed: " in said
    assert "Verified by 4 handshakes: every version is spoken or refused as it should be." in said
    assert "Note: tls.inbound_smtp.versions: without TLS 1.3" in said
    assert "tls.outbound_smtp" not in said.partition("Changes committed")[2]  # only of what was changed
    assert said.endswith("> commit\nThere is no data to commit.\ngate.example> \n\n")
    assert desk.revisions.list()[0].comment == "TLS 1.2 alone"


def test_enter_ends_the_comment_which_may_be_empty(desk: Desk) -> None:
    assert converse(desk, "sslconfig inbound 2", "commit", "", piped=True)[1] == 0
    assert desk.revisions.list()[0].comment == ""


def test_a_verification_that_fails_is_told(desk: Desk) -> None:
    trial = Trial("Inbound SMTP", "127.0.0.1 port 25", "1.1", False, False, "it was spoken")
    desk.verification = Verification((trial,))
    said, _ = converse(desk, "sslconfig inbound 2", "commit now")
    assert (
        "The gateway does not speak what was committed:\n  Inbound SMTP at 127.0.0.1 port 25, TLS 1.1: it was" in said
    )


def test_a_conflict_shows_both_differences_and_the_ways_on(desk: Desk) -> None:
    converse(desk, "sslconfig inbound 2")
    other_commits(desk)
    said, status = converse(desk, "commit mine", piped=True)
    assert status == 1
    assert "Nothing was committed: eve has committed revision 2 since your changes were begun." in said
    assert 'Committed meanwhile ("narrower"):\n  tls.outbound_smtp.versions: 1.1, 1.2 -> 1.2\n' in said
    assert "Your changes:\n  tls.inbound_smtp.versions: 1.1, 1.2 -> 1.2\n" in said
    assert "clearchanges" in said
    assert "so that yours will be a conflict" in converse(desk, "showchanges")[0]
    assert converse(desk, "clearchanges y", "sslconfig inbound 2", "commit again", piped=True)[1] == 0


def test_showchanges_says_who_else_has_changes_and_what_stands_in_the_way(desk: Desk) -> None:
    mine, desk.operator = desk.operator, Operator("eve", "cli", desk.now, "administrator")
    converse(desk, "sslconfig inbound 2")
    desk.operator = mine
    said, _ = converse(desk, "showchanges")
    assert "There are no uncommitted changes.\nOthers have uncommitted changes too: eve." in said


def test_clearchanges_asks_once(desk: Desk) -> None:
    said, _ = converse(desk, "clear", "sslconfig inbound 2", "clear", "n", "clearchanges", "", "commit")
    assert "There are no changes to clear." in said
    assert said.count("Are you sure you want to clear all changes since the last commit?\n[Y]> ") == 2
    assert "Changes cleared: " in said
    assert "There is no data to commit." in said


def test_commitdetail_tells_of_an_earlier_commit_by_its_number(desk: Desk) -> None:
    converse(desk, "sslconfig inbound 2", "commit narrower", "sslconfig inbound 1-2", "commit wider")
    said, _ = converse(desk, "commitdetail 2")
    assert 'with comments: "narrower".\nRevision 2 by admin, from cli.' in said
    assert "tls.inbound_smtp.versions: 1.1, 1.2 -> 1.2" in said
    said, _ = converse(desk, "commitdetail 77")
    assert "There is no revision '77'; sealgate revisions lists those that are kept." in said


def test_commitdetail_tells_of_the_last_commit(desk: Desk) -> None:
    said, _ = converse(desk, "sslconfig inbound 2", "commit why not", "commitdetail")
    assert re.search(r'Commit at \w{3} \w{3} .* 2024 \w+ with comments: "why not"\.\n', said)
    assert "Revision 2 by admin, from cli.\nChanged:\n  tls.inbound_smtp.versions: 1.1, 1.2 -> 1.2\n" in said


def test_rollbackconfig_goes_back_and_asks_nothing_after_its_commit(desk: Desk) -> None:
    converse(desk, "sslconfig inbound 2", "commit one", "sslconfig inbound 1", "commit two")
    said, status = converse(desk, "rollbackconfig", "1", "y", "y", "commit", piped=True)
    assert status == 0
    assert re.search(r"\n     2\. \w{3} Jan 17 .* admin +one\n     1\. \w{3} Jan 17 .* init +sealgate init\n", said)
    assert "Changes committed: " in said
    assert "There is no data to commit." in said
    assert desk.current().tls.inbound_smtp.versions == ("1.1", "1.2")
    assert desk.revisions.list()[0].comment == "rollback to revision 1"


def test_rollbackconfig_without_its_commit_makes_a_candidate(desk: Desk) -> None:
    converse(desk, "sslconfig inbound 2", "commit one")
    said, _ = converse(desk, "rollbackconfig", "7", "1", "y", "", "showchanges", "commit", "back")
    assert "'7' is none of the numbers in the list; type one of them, such as 1." in said
    assert "Reverted to revision 1. Be sure to run commit" in said
    assert "tls.inbound_smtp.versions: 1.2 -> 1.1, 1.2" in said
    assert desk.revisions.list()[0].comment == "back"


@pytest.mark.parametrize("word", ["nan", "inf", "x", ""])
def test_a_time_that_never_comes_is_no_number_of_minutes(desk: Desk, word: str) -> None:
    said, _ = converse(desk, "sslconfig inbound 2", f"commit confirmed {word}")
    assert "Say in how many minutes it has to be confirmed: commit confirmed 5" in said


def test_a_confirmed_commit_is_confirmed_from_a_new_session(desk: Desk) -> None:
    said, _ = converse(
        desk, "sslconfig inbound 2", "commit confirmed x", "commit confirmed 5 try it", "confirm", "commit confirmed 0"
    )
    assert "Say in how many minutes it has to be confirmed: commit confirmed 5" in said
    assert "unless it is confirmed: from a new session, with confirm." in said
    assert "This session began before revision 2 came into force" in said
    desk.operator = Operator("admin", "cli", desk.now + datetime.timedelta(minutes=1), "administrator")
    said, _ = converse(desk, "confirm")
    assert said.startswith("The last commit is taken back at ")
    assert "Revision 2 is confirmed." in said
    assert one_line(desk, "confirm") == ("No commit waits to be confirmed.\n", 1)


# -- whole configurations


def test_saveconfig_masks_and_loadconfig_takes_only_what_is_whole(desk: Desk) -> None:
    for mask, name in (("y", "masked.toml"), ("n", "whole.toml")):
        said, status = one_line(desk, "saveconfig", mask, name)
        assert (status, "The configuration was saved in" in said) == (0, True)
        assert ("private keys: keep it" in said) == (mask == "n")
        path = desk.home / "configuration" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert ("PRIVATE KEY" in path.read_text()) == (mask == "n")
    assert "File exists" in one_line(desk, "saveconfig", "y", "masked.toml")[0]
    assert "is neither a bare name nor an absolute path" in one_line(desk, "saveconfig", "y", "../x")[0]
    said, status = one_line(desk, "loadconfig", "2", "masked.toml")
    assert "the key is masked" in said
    assert status == 1
    converse(desk, "sslconfig inbound 1", "commit on")
    assert converse(desk, "loadconfig 2 whole.toml", "commit and back", piped=True)[1] == 0
    assert desk.current() == configuration()


def test_loadconfig_pastes_until_a_dot(desk: Desk) -> None:
    one_line(desk, "saveconfig", "n", "whole.toml")
    lines = (desk.home / "configuration" / "whole.toml").read_text().replace('    "1.1",\n', "").splitlines()
    said, status = converse(desk, "loadconfig", "1", *lines, ".", "commit pasted", piped=True)
    assert 'Values have been loaded. Be sure to run "commit" to make these settings active.' in said
    assert status == 0
    said, status = converse(desk, "loadconfig", "1", "[tls", ".", "commit", piped=True)
    assert "Nothing was loaded:\n  this is no TOML document" in said
    assert status == 1


def test_a_configuration_of_asyncos_is_told_about_and_shows_the_upgraded_state(desk: Desk) -> None:
    said, _ = converse(
        desk, "sslconfig inbound 1", "commit first", f"loadconfig 2 {EXAMPLE}", "sslconfig", "inbound", "", "", ""
    )
    assert "*** TLS 1.0 was on for" in said
    assert "Left out:" in said
    assert "4. TLS v1.0\n[2-3]> " in said


def test_showconfig_never_shows_a_key(desk: Desk) -> None:
    said, _ = converse(desk, "showconfig")
    assert 'key = "********"' in said
    assert "PRIVATE KEY" not in said


def test_the_golden_screen_of_the_family(desk: Desk, utc: None) -> None:
    said, _ = converse(
        desk,
        *("showchanges", "commit", "sslconfig inbound 1-3", "showchanges", "commit", "?", "TLS 1.3", "commitdetail"),
        *("sslconfig inbound 1", "clear", "", "sslconfig outbound 1-3", "commit confirmed 5 try it", "confirm"),
        *("rollbackconfig", "?", "1", "y", "", "showchanges", "quit", ""),
    )
    assert said.replace(NOW.search(said)[0], "") == (GOLDEN / "commit-family.txt").read_text()  # type: ignore[index]
