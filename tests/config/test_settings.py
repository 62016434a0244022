"""Every setting has a test that shows its effect: a reply, a handshake, a line in the log, a file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sealgate.config.setting import all_settings

CHECKOUT = Path(__file__).parents[2]

SESSIONS = "tests/gateway/test_sessions.py::"
ACCESS = "tests/gateway/test_access.py::"
LOGIN = "tests/gateway/test_login.py::"
LISTENER = "tests/gateway/test_settings_listener.py::"
DELIVERY = "tests/gateway/test_settings_delivery.py::"
DESTINATION = "tests/gateway/test_settings_destination.py::"
OUTBOUND = "tests/gateway/test_outbound.py::"
VERSIONS = "tests/gateway/test_versions.py::"
HOUSE = "tests/gateway/test_housekeeping.py::"
OPERATORS = "tests/gateway/test_operators.py::"
GUI = "tests/gateway/test_gui.py::"
GUI_LOGIN = "tests/gateway/test_gui_login.py::"
GUI_LOAD = "tests/gateway/test_gui_load.py::"
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
    "tls.gui_https.versions": GUI + "test_exactly_the_selected_versions_are_reached_on_both_ports",
    "tls.gui_https.ciphers": GUI + "test_a_chosen_suite_is_the_one_negotiated",
    "tls.error_codes": OUTBOUND + "test_two_gateways_log_the_lines_of_the_source",
    "certificates[].name": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].certificate": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].key": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].certificate_file": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "certificates[].key_file": LISTENER + "test_the_certificate_is_chosen_by_server_name_and_key_family",
    "gui.enabled": GUI + "test_it_is_switched_off_and_on",
    "gui.addresses": GUI + "test_it_is_served_at_its_addresses_and_no_other",
    "gui.port": GUI + "test_a_port_moves_and_open_connections_stay",
    "gui.ngui_port": GUI + "test_a_port_moves_and_open_connections_stay",
    "gui.certificates": GUI + "test_the_certificate_is_the_one_that_is_named",
    "gui.hostnames": GUI + "test_a_request_for_another_name_is_refused",
    "gui.session_timeout": GUI_LOGIN + "test_a_session_ends_when_nothing_happens_in_it",
    "gui.session_lifetime": GUI_LOGIN + "test_a_session_ends_however_much_happens_in_it",
    "gui.token_lifetime": GUI_LOGIN + "test_a_token_ends_whatever_happens",
    "gui.hsts_max_age": GUI + "test_hsts_is_told_with_a_certificate_of_an_authority_and_refused_with_a_self_signed_one",
    "gui.connections": GUI_LOAD + "test_who_has_shown_least_makes_room",
    "gui.connections_per_host": GUI_LOAD + "test_a_host_makes_room_among_its_own",
    "gui.request_timeout": GUI_LOAD + "test_a_slow_client_is_ended",
    "gui.idle_timeout": GUI_LOAD + "test_a_connection_waits_so_long_for_another_request",
    "gui.max_body": GUI + "test_a_larger_body_is_refused",
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
    "policies[].name": ACCESS + "test_a_rejected_host_is_told_so_and_a_refused_one_nothing",
    "policies[].action": ACCESS + "test_a_rejected_host_is_told_so_and_a_refused_one_nothing",
    "policies[].reply": ACCESS + "test_a_rejected_host_is_told_so_and_a_refused_one_nothing",
    "policies[].tls": ACCESS + "test_tls_is_off_preferred_or_required_by_policy",
    "policies[].tls_senders": ACCESS + "test_listed_senders_need_tls_where_it_is_preferred",
    "policies[].client_certificate": ACCESS + "test_a_policy_asks_for_certificates_where_the_listener_does_not",
    "policies[].auth": LOGIN + "test_a_policy_may_ask_for_a_login_where_the_listener_does_not",
    "policies[].max_message_size": ACCESS + "test_the_size_and_number_that_a_policy_allows",
    "policies[].max_recipients": ACCESS + "test_the_size_and_number_that_a_policy_allows",
    "policies[].max_messages": ACCESS + "test_the_size_and_number_that_a_policy_allows",
    "policies[].max_bad_recipients": ACCESS + "test_the_size_and_number_that_a_policy_allows",
    "policies[].connections": ACCESS + "test_connections_of_one_host_under_a_policy_over_two_workers",
    "policies[].connections_per_hour": ACCESS + "test_connections_messages_and_recipients_an_hour_over_two_workers",
    "policies[].messages_per_hour": ACCESS + "test_connections_messages_and_recipients_an_hour_over_two_workers",
    "policies[].recipients_per_hour": ACCESS + "test_connections_messages_and_recipients_an_hour_over_two_workers",
    "sender_groups[].name": ACCESS + "test_a_rejected_host_is_told_so_and_a_refused_one_nothing",
    "sender_groups[].members": ACCESS + "test_hosts_are_known_by_names_that_lead_back",
    "sender_groups[].policy": ACCESS + "test_the_policy_of_a_listener_is_for_hosts_in_no_group",
    "sender_groups[].listeners": ACCESS + "test_a_group_may_be_for_some_listeners",
    "recipient_access[].recipient": ACCESS + "test_the_recipient_access_table_comes_before_the_accepted_domains",
    "recipient_access[].action": ACCESS + "test_the_recipient_access_table_comes_before_the_accepted_domains",
    "recipient_access[].reply": ACCESS + "test_the_recipient_access_table_comes_before_the_accepted_domains",
    "accounts[].name": LOGIN + "test_a_right_login_relays_anywhere",
    "accounts[].passphrase": LOGIN + "test_a_wrong_login_is_one_answer_for_all_reasons",
    "accounts[].enabled": LOGIN + "test_a_wrong_login_is_one_answer_for_all_reasons",
    "accounts[].senders": LOGIN + "test_a_login_sends_as_itself_unless_that_is_not_asked",
    "listeners[].policy": ACCESS + "test_the_policy_of_a_listener_is_for_hosts_in_no_group",
    "listeners[].auth": LOGIN + "test_where_a_login_is_required_nothing_comes_before_it",
    "listeners[].sender_must_match": LOGIN + "test_a_login_sends_as_itself_unless_that_is_not_asked",
    "listeners[].hidden_extensions": LISTENER + "test_hidden_extensions_are_not_offered",
    "listeners[].max_messages": ACCESS + "test_a_listener_has_its_own_numbers_of_messages_and_bad_recipients",
    "listeners[].max_bad_recipients": ACCESS + "test_a_listener_has_its_own_numbers_of_messages_and_bad_recipients",
    "operators[].name": OPERATORS + "test_whoever_logs_in_by_name_acts_under_it",
    "operators[].role": OPERATORS + "test_each_role_goes_as_far_as_the_table_says",
    "operators[].passphrase": OPERATORS + "test_a_wrong_passphrase_lets_nobody_in",
    "operators[].full_name": OPERATORS + "test_operators_are_listed_without_their_hashes",
    "operators[].enabled": OPERATORS + "test_who_is_disabled_is_out_at_his_next_request",
    "limits.auth_failures": LOGIN + "test_failures_put_off_their_host_and_leave_others_alone",
    "limits.auth_window": LOGIN + "test_failures_put_off_their_host_and_leave_others_alone",
    "dns.reverse": ACCESS + "test_names_are_not_looked_up_if_that_is_switched_off",
    "dns.reverse_timeout": ACCESS
    + "test_a_name_server_that_fails_delays_no_greeting_and_lets_nobody_past_a_row_by_name",
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
    "delivery.delay_warning": DESTINATION + "test_the_sender_of_a_message_that_waits_is_told_once",
    "delivery.double_bounces": (DESTINATION + "test_a_notice_that_nobody_takes_goes_to_the_mailbox_for_double_bounces"),
    "delivery.host_down": (
        DESTINATION + "test_a_host_that_is_down_is_left_alone_until_it_is_time_or_somebody_knows_better"
    ),
    "delivery.max_recipients": DESTINATION + "test_a_transaction_has_so_many_recipients",
    "delivery.family": DESTINATION + "test_the_families_of_a_host_are_tried_as_the_setting_says",
    "delivery.hostname": DESTINATION + "test_the_gateway_calls_itself_by_a_name_of_its_own",
    "destinations[].domain": DELIVERY + "test_a_destination_has_a_level_of_its_own",
    "destinations[].tls": DELIVERY + "test_a_destination_has_a_level_of_its_own",
    "destinations[].server_name": (
        DESTINATION + "test_the_server_name_of_a_destination_is_asked_for_and_may_be_in_the_certificate"
    ),
    "destinations[].connections": DESTINATION + "test_a_destination_has_its_own_number_of_connections",
    "destinations[].messages_per_connection": (
        DESTINATION + "test_a_connection_to_a_destination_carries_its_own_number_of_messages"
    ),
    "destinations[].max_recipients": DESTINATION + "test_a_transaction_has_so_many_recipients",
    "destinations[].hostname": DESTINATION + "test_the_gateway_calls_itself_by_a_name_of_its_own",
    "destinations[].source_v4": DESTINATION + "test_connections_to_a_destination_come_from_its_own_address",
    "destinations[].source_v6": DESTINATION + "test_connections_to_a_destination_come_from_its_own_address",
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
    *("tls.other_clients.versions", "tls.other_clients.ciphers"),  # shown once there is LDAP, or alerts
}
"""Settings of services that are still to be built: the list may only become shorter."""

MOST_OWED = 2


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
