"""What a configuration allows and an administrator should know."""

from __future__ import annotations

from typing import Any

import pytest

from sealgate.config.weakness import weaknesses
from tests.config.samples import HASH, LIBRARY, configuration, listener, relaying

REMARKS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"listeners": [listener()], **relaying("10.0.0.0/8", "198.51.100.0/24", "fd00::/8")}, []),
    ({"gateway": {"hostname": "gate"}}, ["gateway.hostname"]),
    ({"listeners": []}, ["listeners"]),
    ({"listeners": [listener(enabled=False, tls="off")]}, ["listeners"]),
    ({"routes": []}, ["gateway.accepted_domains[0]"]),
    ({"routes": [{"domain": "*", "hosts": ["smart.example"]}]}, []),
    (
        {
            "gateway": {"hostname": "gate.example", "accepted_domains": [".inside.example"]},
            "routes": [{"domain": "inside.example", "hosts": ["next.example"]}],
        },
        ["gateway.accepted_domains[0]"],
    ),
    ({"listeners": [listener(tls="off")]}, ["listeners[0].tls"]),
    ({"listeners": [listener(tls="preferred")]}, ["listeners[0].tls"]),
    ({"listeners": [listener(kind="public", tls="required")]}, ["listeners[0].tls"]),
    ({"listeners": [listener(bare_line_endings="allow")]}, ["listeners[0].bare_line_endings"]),
    (
        {"listeners": [listener()], **relaying("192.0.2.0/24", "198.0.0.0/8", ".partner.example")},
        ["sender_groups[0].members[1]", "sender_groups[0].members[2]"],
    ),
    ({"listeners": [listener(auth="offered", sender_must_match=False)]}, ["listeners[0].sender_must_match"]),
    (
        {"recipient_access": [{"recipient": "postmaster@", "action": "accept"}, {"recipient": "trap@"}]},
        ["recipient_access[0].recipient"],
    ),
    ({"accounts": [{"name": "scanner", "passphrase": HASH}]}, ["accounts[0].senders"]),
    ({"delivery": {"tls": "no"}}, ["delivery.tls"]),
    ({"destinations": [{"domain": "old.example", "tls": "no"}]}, ["destinations[0].tls"]),
    ({"tls": {"gui_https": {"versions": ["1.3"]}}}, ["tls.gui_https.versions"]),
    ({"gui": {}}, ["gui.enabled"]),
    (
        {"tls": {"outbound_smtp": {"versions": ["1.0", "1.1", "1.2"]}}},
        ["tls.outbound_smtp.versions"],
    ),
    ({"tls": {"inbound_smtp": {"ciphers": "ECDHE+AESGCM:RC4-SHA"}}}, ["tls.inbound_smtp.ciphers"]),
]


@pytest.mark.parametrize("versions", [["1.0"], ["1.1"], ["1.0", "1.1"]])
def test_a_gui_that_no_browser_opens_is_said(versions: list[str]) -> None:
    settings = configuration(tls={"gui_https": {"versions": versions}})
    said = [remark.sentence for remark in weaknesses(settings, LIBRARY) if remark.path == "tls.gui_https.versions"]
    assert any("no current browser opens the pages" in sentence for sentence in said)


@pytest.mark.parametrize(("changes", "places"), REMARKS)
def test_each_weakness_is_named_beside_its_setting(changes: dict[str, Any], places: list[str]) -> None:
    remarks = weaknesses(configuration(**changes), LIBRARY)
    assert list(dict.fromkeys(remark.path for remark in remarks)) == places  # how many is the TLS core's affair
