"""What single settings take, refuse and mean."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sealgate.config.lookup import handling_of
from sealgate.config.schema import (
    Configuration,
    DeliverySettings,
    GatewaySettings,
    Listener,
    Route,
    TlsService,
    kinds,
)
from sealgate.config.schema.kinds import split_host_port
from sealgate.config.setting import all_settings
from sealgate.tls.level import TlsLevel
from sealgate.tls.policy import ClientCertificate, TlsPolicy
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection
from tests.config.samples import CERTIFICATE, KEY, configuration, data

TAKEN: list[tuple[Any, str, str]] = [
    (kinds.HostName, "Gate.Example.com", "Gate.Example.com"),
    (kinds.HostName, "gate.example.com.", "gate.example.com"),
    (kinds.HostName, "gate", "gate"),
    (kinds.AcceptedDomain, "Inside.Example.", "inside.example"),
    (kinds.AcceptedDomain, ".Inside.Example", ".inside.example"),
    (kinds.AcceptedDomain, "under_score.example", "under_score.example"),
    (kinds.AcceptedDomain, "xn--mller-kva.example", "xn--mller-kva.example"),
    (kinds.AnyDomain, "*", "*"),
    (kinds.Mailbox, "Post.Master@Inside.Example", "Post.Master@Inside.Example"),
    (kinds.IpAddress, "2001:DB8:0:0::1", "2001:db8::1"),
    (kinds.IpAddress, "::", "::"),
    (kinds.Network, "192.0.2.0/24", "192.0.2.0/24"),
    (kinds.Network, "192.0.2.7", "192.0.2.7/32"),
    (kinds.Network, "2001:db8::/32", "2001:db8::/32"),
    (kinds.NextHop, "next.example", "next.example"),
    (kinds.NextHop, "next.example:2526", "next.example:2526"),
    (kinds.NextHop, "[::1]:2526", "[::1]:2526"),
    (kinds.NextHop, "::1", "::1"),
    (kinds.NameServer, "192.0.2.53:5353", "192.0.2.53:5353"),
    (kinds.File, "/etc/ssl/gate way.pem", "/etc/ssl/gate way.pem"),
    (kinds.Ciphers, " ECDHE+AESGCM:!aNULL ", "ECDHE+AESGCM:!aNULL"),
    (kinds.CertificatePem, CERTIFICATE.replace("\n", "\r\n"), CERTIFICATE),
    (kinds.PrivateKeyPem, f"\n{KEY}\n\n", KEY),
]

REFUSED: list[tuple[Any, str, str]] = [
    (kinds.Name, "", "is no name"),
    (kinds.Name, "a b", "is no name"),
    (kinds.Name, "line\nbreak", "is no name"),
    (kinds.HostName, "gate_1.example", "is no host name"),
    (kinds.HostName, "-gate.example", "is no host name"),
    (kinds.HostName, "gate..example", "is no host name"),
    (kinds.HostName, "192.0.2.1", "is no host name"),
    (kinds.HostName, "müller.example", "xn--"),
    (kinds.HostName, "a" * 64 + ".example", "is no host name"),
    (kinds.HostName, ".".join(["abcdefgh"] * 30), "is no host name"),
    (kinds.AcceptedDomain, "*", "every domain"),
    (kinds.AcceptedDomain, "*.inside.example", "is no domain"),
    (kinds.AcceptedDomain, "someone@inside.example", "is no domain"),
    (kinds.AcceptedDomain, ".", "is no domain"),
    (kinds.Mailbox, "postmaster", "domain"),
    (kinds.IpAddress, "localhost", "is no IP address"),
    (kinds.IpAddress, "::ffff:192.0.2.1", "write 192.0.2.1"),
    (kinds.Ipv4, "::1", "an IPv4 address belongs here"),
    (kinds.Ipv6, "192.0.2.1", "an IPv6 address belongs here"),
    (kinds.Network, "192.0.2.1/24", "write 192.0.2.0/24"),
    (kinds.Network, "::ffff:10.0.0.0/104", "write it as IPv4"),
    (kinds.Network, "inside.example", "is no network"),
    (kinds.NextHop, "next.example:0", "from 1 to 65535"),
    (kinds.NextHop, "next.example:65536", "from 1 to 65535"),
    (kinds.NextHop, "next.example:smtp", "no port number"),
    (kinds.NextHop, "next.example:", "no port number"),
    (kinds.NextHop, "[::1", "between brackets"),
    (kinds.NextHop, "[192.0.2.1]:25", "between brackets"),
    (kinds.NextHop, "[::1]25", "no port number"),
    (kinds.NextHop, "two words", "is no host name"),
    (kinds.NameServer, "dns.example", "is no IP address"),
    (kinds.File, "key.pem", "no absolute path"),
    (kinds.File, "/key\x00.pem", "no absolute path"),
    (kinds.Ciphers, " ", "one line"),
    (kinds.Ciphers, "A\nB", "one line"),
    (kinds.CertificatePem, KEY, "-----BEGIN CERTIFICATE-----"),
    (kinds.PrivateKeyPem, CERTIFICATE, "-----BEGIN PRIVATE KEY-----"),
    (kinds.PrivateKeyPem, "********", "masked"),
]


@pytest.mark.parametrize(("kind", "written", "kept"), TAKEN)
def test_a_good_value_is_kept_in_one_form(kind: Any, written: str, kept: str) -> None:
    value = TypeAdapter[str](kind).validate_python(written)
    assert value == kept
    assert TypeAdapter[str](kind).validate_python(value) == kept  # what is kept can be read again


@pytest.mark.parametrize(("kind", "written", "reason"), REFUSED)
def test_a_bad_value_is_refused_with_what_would_be_right(kind: Any, written: str, reason: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter[str](kind).validate_python(written)
    (error,) = refusal.value.errors()
    assert error["type"] == "value_error"
    assert reason in error["msg"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("next.example", ("next.example", 25)),
        ("next.example:2526", ("next.example", 2526)),
        ("192.0.2.1:26", ("192.0.2.1", 26)),
        ("2001:db8::25", ("2001:db8::25", 25)),
        ("[2001:db8::1]", ("2001:db8::1", 25)),
        ("[2001:db8::1]:26", ("2001:db8::1", 26)),
    ],
)
def test_host_and_port(text: str, place: tuple[str, int]) -> None:
    assert split_host_port(text, 25) == place


def test_every_default_is_a_good_value() -> None:
    """Defaults are not judged when they are used: here they are."""
    for group in (GatewaySettings(hostname="gate.example"), Listener(name="public", port=25), DeliverySettings()):
        assert type(group).model_validate(group.model_dump()) == group
    plain = Configuration(gateway=GatewaySettings(hostname="gate.example"))
    assert Configuration.model_validate(plain.model_dump(mode="json")) == plain


def test_every_setting_has_help_of_at_least_one_sentence() -> None:
    for setting in all_settings():
        assert setting.help.endswith("."), setting.path
        assert setting.kind, setting.path


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_all_ten_selections_can_be_set(selection: Selection) -> None:
    numbers = [version.number for version in selection]
    service = TlsService.model_validate({"versions": numbers[::-1]})
    assert service.selection == selection
    assert list(service.versions) == numbers
    assert service.policy(ClientCertificate.REQUEST) == TlsPolicy(selection, "default", ClientCertificate.REQUEST)


@pytest.mark.parametrize("versions", [["1.0", "1.2"], ["1.1", "1.3"], ["1.0", "1.3"], ["1.0", "1.1", "1.3"], []])
def test_a_selection_with_a_hole_cannot_be_set(versions: list[str]) -> None:
    with pytest.raises(ValidationError, match=r"need TLS 1|no TLS version is selected"):
        TlsService.model_validate({"versions": versions})


def test_a_fresh_gateway_speaks_1_2_and_1_3_on_every_service() -> None:
    tls = configuration().tls
    for service in (tls.gui_https, tls.inbound_smtp, tls.outbound_smtp, tls.other_clients):
        assert service.selection == Selection(ProtocolVersion.TLS1_2, ProtocolVersion.TLS1_3)


@pytest.mark.parametrize(
    ("settings", "tls"),
    [
        ({}, "preferred"),
        ({"kind": "private"}, "required"),
        ({"implicit_tls": True}, "required"),
        ({"kind": "private", "tls": "off"}, "off"),
    ],
)
def test_how_much_tls_a_listener_asks_for_by_default(settings: dict[str, Any], tls: str) -> None:
    assert Listener.model_validate({"name": "one", "port": 25, **settings}).tls == tls


@pytest.mark.parametrize(
    ("settings", "postmaster"),
    [
        ({}, "postmaster@gate.example"),
        ({"accepted_domains": [".inside.example", "inside.example"]}, "postmaster@inside.example"),
        ({"accepted_domains": ["inside.example"], "postmaster": "me@my.example"}, "me@my.example"),
    ],
)
def test_where_the_postmaster_is_by_default(settings: dict[str, Any], postmaster: str) -> None:
    assert GatewaySettings.model_validate({"hostname": "gate.example", **settings}).postmaster == postmaster


@pytest.mark.parametrize(("workers", "cores", "count"), [(0, 4, 4), (2, 4, 2), (0, 0, 1)])
def test_one_worker_for_each_core_unless_a_number_is_set(workers: int, cores: int, count: int) -> None:
    assert GatewaySettings(hostname="gate.example", workers=workers).worker_count(cores) == count


@pytest.mark.parametrize("level", list(TlsLevel))
def test_every_tls_level_can_be_set(level: TlsLevel) -> None:
    assert DeliverySettings.model_validate({"tls": level.word}).level is level
    row = {"domain": "partner.example", "tls": level.word}
    assert handling_of(configuration(destinations=[row]), "partner.example").level is level


def test_a_route_names_hosts_or_asks_dns() -> None:
    assert Route(domain="*", hosts=("a.example", "[::1]:26")).targets == (("a.example", 25), ("::1", 26))
    assert Route(domain="inside.example", hosts=("mx",)).targets is None


@pytest.mark.parametrize(
    ("path", "value"),
    [("port", "2525"), ("port", True), ("port", 2525.0), ("enabled", 1), ("idle_timeout", "5"), ("idle_timeout", True)],
)
def test_numbers_and_switches_are_not_guessed_from_other_types(path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Listener.model_validate({"name": "one", "port": 25, path: value})


@pytest.mark.parametrize("endless", [float("inf"), float("nan")])
def test_no_time_is_endless(endless: float) -> None:
    with pytest.raises(ValidationError):
        DeliverySettings(lifetime=endless)


def test_a_key_shows_in_no_message_and_in_no_print() -> None:
    assert "MIIE" not in repr(configuration())
    with pytest.raises(ValidationError) as refusal:
        Configuration.model_validate(data(certificates=[{"name": "main", "key": "MIIE secret"}]))
    assert "MIIE" not in str(refusal.value)
