"""Every setting has a test that shows its effect: a reply, a handshake, a line in the log, a file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sealgate.config.setting import all_settings

CHECKOUT = Path(__file__).parents[2]

SESSIONS = "tests/gateway/test_sessions.py::"
OUTBOUND = "tests/gateway/test_outbound.py::"
VERSIONS = "tests/gateway/test_versions.py::"
ROTATION = "tests/journal/test_rotation.py::"

EFFECTS = {
    "gateway.hostname": OUTBOUND + "test_verification",
    "gateway.accepted_domains": SESSIONS + "test_it_is_no_open_relay",
    "tls.inbound_smtp.versions": VERSIONS + "test_exactly_the_selected_versions_are_reached",
    "tls.outbound_smtp.versions": (
        OUTBOUND + "test_tls13_only_waits_for_a_hop_that_ends_at_tls12_and_goes_once_widened"
    ),
    "tls.error_codes": OUTBOUND + "test_two_gateways_log_the_lines_of_the_source",
    "listeners[].kind": SESSIONS + "test_a_private_listener_takes_nothing_without_tls",
    "listeners[].port": SESSIONS + "test_ehlo_announces_what_there_is",
    "listeners[].tls": SESSIONS + "test_a_private_listener_takes_nothing_without_tls",
    "listeners[].implicit_tls": SESSIONS + "test_clear_text_on_the_implicit_port_is_one_quiet_line",
    "listeners[].bare_line_endings": SESSIONS + "test_allowed_bare_line_endings_pass_unchanged_and_end_nothing",
    "listeners[].max_message_size": SESSIONS + "test_a_message_larger_than_the_limit_is_refused",
    "listeners[].max_bad_commands": SESSIONS + "test_five_bad_commands_are_enough",
    "limits.connections_per_host": SESSIONS + "test_a_limit_of_five_connections_admits_five_over_two_workers",
    "limits.handshake_timeout": SESSIONS + "test_a_handshake_that_dawdles_is_ended",
    "delivery.tls": OUTBOUND + "test_a_hop_without_starttls",
    "delivery.trust_file": OUTBOUND + "test_verification",
    "delivery.lifetime": OUTBOUND + "test_a_permanent_refusal_comes_back_to_the_sender",
    "routes[].domain": OUTBOUND + "test_verification",
    "routes[].hosts": OUTBOUND + "test_verification",
    "logs.mail_log_size": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.mail_log_keep": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.record_size": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.record_keep": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
}
"""Setting -> the test that shows what it does."""

OWED = {
    *("gateway.postmaster", "gateway.workers"),
    *("tls.gui_https.versions", "tls.gui_https.ciphers", "tls.inbound_smtp.ciphers"),
    *("tls.outbound_smtp.ciphers", "tls.other_clients.versions", "tls.other_clients.ciphers"),
    *("certificates[].name", "certificates[].certificate", "certificates[].key"),
    *("certificates[].certificate_file", "certificates[].key_file"),
    *("listeners[].name", "listeners[].enabled", "listeners[].addresses", "listeners[].certificates"),
    *("listeners[].client_certificate", "listeners[].client_trust_file", "listeners[].relay_networks"),
    *("listeners[].reply_style", "listeners[].max_recipients", "listeners[].max_line"),
    *("listeners[].idle_timeout", "listeners[].session_timeout"),
    *("limits.connections", "limits.handshakes", "limits.handshakes_per_host", "limits.hello_size"),
    *("delivery.certificate", "delivery.retry_first", "delivery.retry_max"),
    *("delivery.connections_per_destination", "delivery.messages_per_connection", "delivery.idle_timeout"),
    *("delivery.connect_timeout", "delivery.command_timeout", "delivery.data_timeout"),
    *("delivery.source_v4", "delivery.source_v6", "destinations[].domain", "destinations[].tls"),
    *("dns.servers", "dns.timeout"),
}
"""Settings whose test is still to be written: the list may only become shorter."""

MOST_OWED = 44


def test_every_setting_is_shown_or_owed_and_none_is_both() -> None:
    declared = {setting.path for setting in all_settings()}
    assert EFFECTS.keys() | OWED == declared
    assert EFFECTS.keys() & OWED == set()
    assert len(OWED) <= MOST_OWED


@pytest.mark.parametrize("test", sorted(set(EFFECTS.values())))
def test_the_test_that_shows_it_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((CHECKOUT / path).read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions
