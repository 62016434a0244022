"""Every setting has a test that shows its effect: a reply, a handshake, a line in the log, a file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sealgate.config.setting import all_settings

CHECKOUT = Path(__file__).parents[2]

SESSIONS = "tests/gateway/test_sessions.py::"
LISTENER = "tests/gateway/test_settings_listener.py::"
DELIVERY = "tests/gateway/test_settings_delivery.py::"
OUTBOUND = "tests/gateway/test_outbound.py::"
VERSIONS = "tests/gateway/test_versions.py::"
HOUSE = "tests/gateway/test_housekeeping.py::"
ROTATION = "tests/journal/test_rotation.py::"

EFFECTS = {
    "gateway.hostname": OUTBOUND + "test_verification",
    "gateway.accepted_domains": SESSIONS + "test_it_is_no_open_relay",
    "gateway.postmaster": LISTENER + "test_postmaster_without_a_domain_is_the_one_of_the_settings",
    "gateway.workers": LISTENER + "test_the_number_of_workers_changes_while_mail_comes_in",
    "tls.inbound_smtp.versions": VERSIONS + "test_exactly_the_selected_versions_are_reached",
    "tls.inbound_smtp.ciphers": LISTENER + "test_a_chosen_suite_is_the_one_negotiated",
    "tls.outbound_smtp.versions": (
        OUTBOUND + "test_tls13_only_waits_for_a_hop_that_ends_at_tls12_and_goes_once_widened"
    ),
    "tls.outbound_smtp.ciphers": DELIVERY + "test_a_chosen_suite_is_the_one_negotiated",
    "tls.error_codes": OUTBOUND + "test_two_gateways_log_the_lines_of_the_source",
    "certificates[].name": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].certificate": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].key": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].certificate_file": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].key_file": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "listeners[].name": LISTENER + "test_the_log_calls_a_listener_by_its_name",
    "listeners[].enabled": LISTENER + "test_a_listener_that_is_not_enabled_is_not_there",
    "listeners[].kind": SESSIONS + "test_a_private_listener_takes_nothing_without_tls",
    "listeners[].addresses": LISTENER + "test_it_listens_on_its_addresses_and_no_other",
    "listeners[].port": SESSIONS + "test_ehlo_announces_what_there_is",
    "listeners[].implicit_tls": SESSIONS + "test_clear_text_on_the_implicit_port_is_one_quiet_line",
    "listeners[].tls": SESSIONS + "test_a_private_listener_takes_nothing_without_tls",
    "listeners[].certificates": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "listeners[].client_certificate": LISTENER + "test_client_certificates",
    "listeners[].client_trust_file": LISTENER + "test_client_certificates",
    "listeners[].bare_line_endings": SESSIONS + "test_allowed_bare_line_endings_pass_unchanged_and_end_nothing",
    "listeners[].reply_style": LISTENER + "test_replies_in_the_style_of_asyncos",
    "listeners[].max_message_size": SESSIONS + "test_a_message_larger_than_the_limit_is_refused",
    "listeners[].max_recipients": LISTENER + "test_a_third_recipient_is_one_too_many",
    "listeners[].max_line": LISTENER + "test_a_longer_command_line_is_refused",
    "listeners[].max_bad_commands": SESSIONS + "test_five_bad_commands_are_enough",
    "listeners[].idle_timeout": LISTENER + "test_an_idle_session_ends",
    "listeners[].session_timeout": LISTENER + "test_a_busy_session_ends_too",
    "limits.connections": LISTENER + "test_a_connection_too_many_is_turned_away",
    "limits.connections_per_host": SESSIONS + "test_a_limit_of_five_connections_admits_five_over_two_workers",
    "limits.handshakes": LISTENER + "test_a_handshake_too_many_is_turned_away",
    "limits.handshakes_per_host": LISTENER + "test_a_host_with_too_many_handshakes_is_turned_away_alone",
    "limits.handshake_timeout": SESSIONS + "test_a_handshake_that_dawdles_is_ended",
    "limits.hello_size": LISTENER + "test_a_hello_larger_than_the_limit_is_not_read",
    "limits.queue_messages": HOUSE + "test_a_queue_that_is_full_puts_mail_off_in_equal_shares",
    "limits.disk_reserve": HOUSE + "test_mail_is_put_off_before_the_disk_is_full_and_the_queue_goes_on",
    "delivery.tls": OUTBOUND + "test_a_hop_without_starttls",
    "delivery.certificate": DELIVERY + "test_the_certificate_of_delivery_is_shown_to_servers_that_ask",
    "delivery.trust_file": OUTBOUND + "test_verification",
    "delivery.lifetime": OUTBOUND + "test_a_permanent_refusal_comes_back_to_the_sender",
    "delivery.retry_first": DELIVERY + "test_a_message_that_waits_is_tried_after_doubling_waits_up_to_the_longest",
    "delivery.retry_max": DELIVERY + "test_a_message_that_waits_is_tried_after_doubling_waits_up_to_the_longest",
    "delivery.connections_per_destination": DELIVERY + "test_a_destination_has_so_many_connections_over_all_workers",
    "delivery.messages_per_connection": DELIVERY + "test_a_connection_carries_so_many_messages",
    "delivery.idle_timeout": DELIVERY + "test_an_idle_connection_waits_so_long_for_another_message",
    "delivery.connect_timeout": DELIVERY + "test_a_host_that_does_not_connect_is_given_up",
    "delivery.command_timeout": DELIVERY + "test_a_server_that_does_not_answer_a_command_is_given_up",
    "delivery.data_timeout": DELIVERY + "test_a_server_that_does_not_answer_the_message_is_given_up_later",
    "delivery.source_v4": DELIVERY + "test_connections_come_from_the_source_address",
    "delivery.source_v6": DELIVERY + "test_connections_to_ipv6_hosts_come_from_the_other_one",
    "destinations[].domain": DELIVERY + "test_a_destination_has_a_level_of_its_own",
    "destinations[].tls": DELIVERY + "test_a_destination_has_a_level_of_its_own",
    "routes[].domain": OUTBOUND + "test_verification",
    "routes[].hosts": OUTBOUND + "test_verification",
    "dns.servers": DELIVERY + "test_name_servers_are_asked_in_their_order",
    "dns.timeout": DELIVERY + "test_a_name_server_that_says_nothing_is_given_up",
    "logs.mail_log_size": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.mail_log_keep": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.record_size": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.record_keep": ROTATION + "test_logs_rotate_by_size_and_the_newest_stay",
    "logs.keep_days": ROTATION + "test_rotated_logs_are_kept_for_so_many_days",
}
"""Setting -> the test that shows what it does."""

OWED = {
    *("tls.gui_https.versions", "tls.gui_https.ciphers"),  # shown once there is a GUI with a REST API
    *("tls.other_clients.versions", "tls.other_clients.ciphers"),  # shown once there is LDAP, or alerts
}
"""Settings of services that are still to be built: the list may only become shorter."""

COMING = {
    *(
        each.path
        for each in all_settings()
        if each.path.startswith(("policies[]", "sender_groups[]", "recipient_access[]", "accounts[]"))
    ),
    *(f"listeners[].{each}" for each in ("policy", "auth", "sender_must_match", "hidden_extensions")),
    *(f"listeners[].{each}" for each in ("max_messages", "max_bad_recipients")),
    *(f"limits.{each}" for each in ("auth_failures", "auth_window")),
    *(f"delivery.{each}" for each in ("delay_warning", "double_bounces", "host_down", "max_recipients")),
    *(f"delivery.{each}" for each in ("family", "hostname")),
    *(f"destinations[].{each}" for each in ("server_name", "connections", "messages_per_connection")),
    *(f"destinations[].{each}" for each in ("max_recipients", "hostname", "source_v4", "source_v6")),
    *("dns.reverse", "dns.reverse_timeout"),
}
"""Settings of the work under way, each until its test is there."""

OWED |= COMING
MOST_OWED = 4 + len(COMING)


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
