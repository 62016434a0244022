"""Values as people type them: there and back for every setting, and a sentence for what is none."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealgate.config.edit import setting_named
from sealgate.config.setting import all_settings
from sealgate.config.text import help_of, kind_of, text_of, value_of, words_of

SETTINGS = {setting.path.replace("[]", ""): setting for setting in all_settings()}


@pytest.mark.parametrize(
    ("path", "typed", "value"),
    [
        ("listeners.port", "2525", 2525),
        ("listeners.enabled", "Yes", True),
        ("listeners.enabled", "off", False),
        ("listeners.tls", "REQUIRED", "required"),
        ("listeners.max_message_size", "10M", 10 << 20),
        ("listeners.max_message_size", "1.5 gb", 3 << 29),
        ("listeners.idle_timeout", "5m", 300),
        ("delivery.lifetime", "4d", 345_600),
        ("listeners.idle_timeout", "0.5", 0.5),
        ("listeners.addresses", "127.0.0.1, ::1", ["127.0.0.1", "::1"]),
        ("listeners.hidden_extensions", "size,dsn", ["SIZE", "DSN"]),
        ("listeners.client_certificate", "none", "none"),
        ("policies.client_certificate", "default", None),
        ("listeners.policy", "None", None),
        ("gateway.accepted_domains", "none", None),
        ("tls.inbound_smtp.versions", "1.2,1.3", ["1.2", "1.3"]),
        ("gateway.hostname", "Gate.Example", "Gate.Example"),
    ],
)
def test_what_is_typed_becomes_a_value(path: str, typed: str, value: Any) -> None:
    assert value_of(setting_named(path), typed) == value


@pytest.mark.parametrize(
    ("path", "typed", "sentence"),
    [
        ("listeners.port", "smtp", "'smtp' is not a whole number from 1 to 65535"),
        ("listeners.port", "70000", "70000 is not a whole number from 1 to 65535"),
        ("listeners.port", "25.5", "'25.5' is not a whole number"),
        ("listeners.port", "none", "this cannot be left out"),
        ("listeners.enabled", "perhaps", "'perhaps' is neither yes nor no"),
        ("listeners.tls", "maybe", "'maybe' is not one of off, preferred, required"),
        ("listeners.max_message_size", "10X", "K, M and G behind it count as 1024"),
        ("listeners.max_message_size", "1K", "1024 is not a whole number of bytes from 65536"),
        ("listeners.idle_timeout", "-5", "-5 is not a number of seconds from 0.1"),
        ("listeners.addresses", "127.0.0.1, nowhere", "'nowhere' is no IP address; write one such as"),
        ("listeners.addresses", ",", "an empty list is not a list of at least one item"),
        ("tls.inbound_smtp.versions", "1.1, 1.3", "need TLS 1.2 between them"),
        ("gateway.hostname", "a b", "'a b' is no host name; write one such as gate.example.com"),
        ("listeners.port", "9" * 400, "is not a whole number"),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(path: str, typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^.") as refused:
        value_of(setting_named(path), typed)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", SETTINGS)
def test_every_setting_can_be_asked_for(path: str) -> None:
    setting = SETTINGS[path]
    assert setting.help in help_of(setting)
    assert kind_of(setting)
    assert "quotes" not in kind_of(setting)
    for word in words_of(setting):
        value_of(setting, word)


@pytest.mark.parametrize("path", SETTINGS)
def test_a_default_is_shown_as_it_would_be_typed(path: str) -> None:
    setting = SETTINGS[path]
    if setting.field.is_required() or setting.field.default_factory is not None:
        return
    default = setting.field.default
    typed = value_of(setting, text_of(setting, default))
    assert typed in (default, list(default) if isinstance(default, tuple) else default, None)


@pytest.mark.parametrize("path", SETTINGS)
@settings(max_examples=20)
@given(text=st.text(max_size=30))
def test_whatever_is_typed_is_a_value_or_a_sentence(path: str, text: str) -> None:
    with suppress(ValueError):
        value_of(SETTINGS[path], text)


@given(st.integers(64 << 10, 1 << 40))
def test_a_size_means_what_it_shows(size: int) -> None:
    setting = SETTINGS["listeners.max_message_size"]
    assert value_of(setting, text_of(setting, size)) == size


@given(st.integers(1, 86400) | st.floats(0.1, 86400).map(lambda number: round(number, 3)))
def test_a_time_means_what_it_shows(seconds: float) -> None:
    setting = SETTINGS["listeners.idle_timeout"]
    assert value_of(setting, text_of(setting, seconds)) == seconds
