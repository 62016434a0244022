"""What a host is counted as."""

from __future__ import annotations

import pytest

from sealgate.mail.host import counted_as


@pytest.mark.parametrize(
    ("ip", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("a trial", "a trial"),
    ],
)
def test_an_ipv6_host_is_its_network(ip: str, key: str) -> None:
    assert counted_as(ip) == key
