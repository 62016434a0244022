"""There is no setting that no command of the dialogue can set."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from sealgate.cli.dialogue.setconfig import GROUPS
from sealgate.config.edit import value_at
from sealgate.config.masking import masked
from sealgate.config.setting import Setting, all_settings, setting_at
from sealgate.config.text import text_of
from tests.cli.conversation import Desk, configuration, converse, one_line

OTHERS = {"tls": "sslconfig", "certificates[]": "certconfig"}
"""Groups with commands that have tests of their own."""

TEXTS = {
    "a host name": "other.example",
    "a mail address": "someone@other.example",
    "an IP address": "127.0.0.9",
    "an IPv4 address": "127.0.0.9",
    "an IPv6 address": "::1",
    "an absolute path": "/etc/ssl/cert.pem",
    "address or address:port": "192.0.2.53",
    "a domain, or .domain for all below it": "other.example",
}
NAMES = {"certificates": "demo", "policies": "RELAYED", "listeners": "private"}

ROWS = {
    "policies": ("hostaccess", "edit", "policy", "RELAYED"),
    "sender_groups": ("hostaccess", "edit", "1", "RELAYLIST"),
    "recipient_access": ("rcptaccess", "new", "joe@inside.example"),
}
"""Tables under a listener: the words behind `listenerconfig edit private`, up to the questions about a row."""

TABLES = {
    "destinations": ("destconfig", "new", "other.example"),
    "routes": ("smtproutes", "edit", "inside.example"),
    "accounts": ("smtpauthconfig", "new", "jane", "correct horse", "correct horse"),
    "operators": ("userconfig", "new", "jane", "correct horse", "correct horse", "operator"),
}

OWN_WORDS = {
    "destinations[].tls": "Do you want to use TLS support for other.example?",
    "recipient_access[].action": "Select the action to apply to this address.",
    "routes[].hosts": "Enter the destination hosts",
    "accounts[].passphrase": "Enter the passphrase.",
    "operators[].passphrase": "Enter the passphrase.",
}
"""Settings that are asked for in the words of AsyncOS."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, configuration())


def another(setting: Setting, present: Any) -> str:
    """A value that it does not have now, as it is typed."""
    if setting.names is not None:
        return NAMES[setting.names] if not present else "none"
    kind = setting.value_type
    if get_origin(kind) is Literal:
        return str(next(word for word in get_args(kind) if word != present))
    if kind is bool:
        return "no" if present else "yes"
    if kind in (int, float):
        return text_of(setting, present + 1)
    return TEXTS[setting.item_kind if setting.is_list else setting.kind]


def alone() -> list[str]:
    """Settings of groups, and of listeners."""
    groups = [group.path for group in GROUPS]
    paths = [setting.path for setting in all_settings()]
    return [path for path in paths if path.rpartition(".")[0] in (*groups, "listeners[]")]


@pytest.mark.parametrize("path", alone())
def test_a_setting_is_set_in_one_line(desk: Desk, path: str) -> None:
    group, _, name = path.rpartition(".")
    place = path.replace("[]", "[private]")
    present = value_at(masked(desk.current()), place)
    setting = setting_at(path.replace("[]", "").split("."))
    assert setting is not None
    if path == "listeners[].name":
        words, place, expected = ("name", "other"), "listeners[other].name", "other"
    else:
        typed = another(setting, present)
        words, expected = ("set", name, typed), None
    before = ("listenerconfig", "edit", "private") if group == "listeners[]" else ("setconfig", group)
    said, status = one_line(desk, *before, *words)
    assert status == 0, said
    shown = value_at(_candidate(desk), place)
    assert shown != present
    assert expected in (None, shown)


def _candidate(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = asyncio.run(desk.request("candidate", {}))["configuration"]
    return found


@pytest.mark.parametrize("table", [*ROWS, *TABLES])
def test_all_settings_of_a_row_are_asked_for(desk: Desk, table: str) -> None:
    before = ("listenerconfig", "edit", "private", *ROWS[table]) if table in ROWS else TABLES[table]
    said, _ = converse(desk, *before, *[""] * 40)
    inside = [each for each in all_settings() if each.path.startswith(f"{table}[]")]
    group = setting_at([table])
    assert group is not None
    identity = group.group.identity  # type: ignore[union-attr]
    assert len(inside) > 1
    for setting in inside:
        name = setting.path.rpartition(".")[2]
        if name != identity:
            assert f"\n{OWN_WORDS.get(setting.path, setting.help)}" in said, setting.path


def test_every_setting_has_a_command() -> None:
    homes = (*(group.path for group in GROUPS), "listeners[]", *(f"{table}[]" for table in (*ROWS, *TABLES)), *OTHERS)
    for setting in all_settings():
        assert any(setting.path.startswith(home) for home in homes), setting.path
    assert {setting.path.partition(".")[0] for setting in all_settings()} == {home.partition(".")[0] for home in homes}
