"""Addresses: what is one, what is none and why, and that writing undoes reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.mail.address import Address, AddressError, AddressNotAscii, parse_address, parse_path

LONGEST_LABEL = "d" * 63
LONGEST_DOMAIN = ".".join([LONGEST_LABEL] * 3 + ["d" * 61])

PATHS = {
    b"<a@b.example>": Address("a", "b.example"),
    b"<Some.One@Inside.EXAMPLE>": Address("Some.One", "Inside.EXAMPLE"),
    b"<>": None,
    b"<a@localhost>": Address("a", "localhost"),
    b"<a+b=c/d!#$%&'*?^_`{|}~-@b.example>": Address("a+b=c/d!#$%&'*?^_`{|}~-", "b.example"),
    b'<"two words"@b.example>': Address('"two words"', "b.example"),
    b'<"a@b>"@c.example>': Address('"a@b>"', "c.example"),
    b'<"quote\\" and \\\\"@b.example>': Address('"quote\\" and \\\\"', "b.example"),
    b'<""@b.example>': Address('""', "b.example"),
    b"<a@[192.0.2.1]>": Address("a", "[192.0.2.1]"),
    b"<a@[IPv6:2001:db8::1]>": Address("a", "[IPv6:2001:db8::1]"),
    b"<a@[ipv6:::ffff:192.0.2.1]>": Address("a", "[ipv6:::ffff:192.0.2.1]"),
    b"<a@xn--mnchen-3ya.example>": Address("a", "xn--mnchen-3ya.example"),
    b"<a@under_score.example>": Address("a", "under_score.example"),
    b"<@relay.example:a@b.example>": Address("a", "b.example"),
    b"<@one.example,@two.example:a@b.example>": Address("a", "b.example"),
    b"<" + b"l" * 64 + b"@" + LONGEST_DOMAIN.encode() + b">": Address("l" * 64, LONGEST_DOMAIN),
    b"<" + b"list-return-" * 8 + b"@b.example>": Address("list-return-" * 8, "b.example"),
}

NO_PATHS = {
    b"": "between < and >",
    b"<": "between < and >",
    b"a@b.example": "between < and >",
    b"<a@b.example": "between < and >",
    b"a@b.example>": "between < and >",
    b"<a>": "no domain",
    b"<postmaster>": "no domain",
    b"<@b.example>": "before @",
    b"<a@>": "the domain",
    b"<.a@b.example>": "before @",
    b"<a..b@c.example>": "before @",
    b"<a b@c.example>": "before @",
    b"<a\x00b@c.example>": "before @",
    b"<a\r\nb@c.example>": "before @",
    b'<"a\r\nb"@c.example>': "before @",
    b'<"open@b.example>': "before @",
    b"<a@b@c.example>": "the domain",
    b"<a@b..example>": "the domain",
    b"<a@.example>": "the domain",
    b"<a@b.example.>": "the domain",
    b"<a@-b.example>": "the domain",
    b"<a@b-.example>": "the domain",
    b"<a@b.example >": "the domain",
    b"<a@" + b"d" * 64 + b".example>": "the domain",
    b"<a@[192.0.2.256]>": "the domain",
    b"<a@[192.0.2]>": "the domain",
    b"<a@[IPv6:2001:db8::1::2]>": "the domain",
    b"<a@[IPv6:fe80::1%eth0]>": "the domain",
    b"<a@[2001:db8::1]>": "the domain",
    b"<a@[]>": "the domain",
    b"<a@" + LONGEST_DOMAIN.encode() + b"d>": "the domain",
    b"<@relay.example a@b.example>": "before @",
    b"<@relay.example:>": "no domain",
    "<jürgen@b.example>".encode(): "not ASCII",
    "<a@münchen.example>".encode(): "not ASCII",
    b"<\xff@b.example>": "not ASCII",
    b"<" + b"l" * 400 + b"@b.example>": "more than 320",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_read(path: bytes) -> None:
    assert parse_path(path) == PATHS[path]


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path_is_refused_with_the_reason(path: bytes) -> None:
    with pytest.raises(AddressError, match=NO_PATHS[path]):
        parse_path(path)


@pytest.mark.parametrize("path", NO_PATHS)
def test_the_reason_can_stand_in_a_reply(path: bytes) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(path)
    sentence = str(caught.value)
    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) < 200


@pytest.mark.parametrize("name", ["postmaster", "Postmaster", "POSTMASTER"])
def test_postmaster_needs_no_domain_where_that_is_allowed(name: str) -> None:
    assert parse_path(f"<{name}>".encode(), bare_postmaster=True) == Address(name, "")
    assert str(Address(name, "")) == name


def test_nobody_else_may_lack_a_domain() -> None:
    with pytest.raises(AddressError, match="no domain"):
        parse_path(b"<hostmaster>", bare_postmaster=True)


WIDE = {
    "jürgen@b.example": "b.example",
    "a@münchen.example": "xn--mnchen-3ya.example",
    "a@MÜNCHEN.Example": "xn--mnchen-3ya.example",
    "a@mu\u0308nchen.example": "xn--mnchen-3ya.example",
    "a@straße.example": "xn--strae-oqa.example",
    "用户@例え.テスト": "xn--r8jz45g.xn--zckzah",
    '"j ü"@under_score.münchen.example': "under_score.xn--mnchen-3ya.example",
    "ü@[192.0.2.1]": "[192.0.2.1]",
    "\u0628\u0631\u064a\u062f\u200c\u0647\u0627@b.example": "b.example",
    "a@\uff42.example": "b.example",
}

NOT_WIDE = {
    "ü": "no domain",
    "ü ü@b.example": "before @",
    "ü..ü@b.example": "before @",
    "a@ü..example": "the domain",
    "a@.ü": "the domain",
    "a@-ü.example": "the domain",
    "a@ü_.example": "the domain",
    "a@b\u3002example": "the domain",
    "a@b\uff0eexample": "the domain",
    "a@ü\u3002example": "the domain",  # a dot, but not to every server
    "a@ü.\uff41\uff3f": "the domain",
    "a@\u0301a.example": "the domain",
    "a@\u2603\ufe0f.example": "the domain",
    "a@" + "ü" * 60 + ".example": "the domain",
    "ü@-b.example": "the domain",
    "ü@b..example": "the domain",
    "ü@[192.0.2.256]": "the domain",
    "a@[ü]": "the domain",
    "a\u0085b@b.example": "cannot be seen",
    "a\u2028b@b.example": "cannot be seen",
    "a\u202eb@b.example": "cannot be seen",
    "a\u00a0b@b.example": "cannot be seen",
    "a\ufeffb@b.example": "cannot be seen",
    "ü" * 160 + "@b.example": "more than 320",
}


@pytest.mark.parametrize("text", WIDE)
def test_smtputf8_allows_every_script(text: str) -> None:
    address = parse_path(f"<{text}>".encode(), utf8=True)
    assert address is not None
    assert str(address) == text
    assert address.domain_key == WIDE[text]


@pytest.mark.parametrize("text", NOT_WIDE)
def test_smtputf8_does_not_allow_everything(text: str) -> None:
    with pytest.raises(AddressError, match=NOT_WIDE[text]) as caught:
        parse_address(text, utf8=True)
    assert str(caught.value).isascii()


@pytest.mark.parametrize("text", WIDE)
def test_without_smtputf8_they_are_refused_as_such(text: str) -> None:
    with pytest.raises(AddressNotAscii):
        parse_path(f"<{text}>".encode())


@pytest.mark.parametrize(
    "path", [b"<\xff@b.example>", b"<a@b.\xc3>", b"<\xc0\xaf@b.example>", b"<\xed\xa0\x80@b.example>"]
)
def test_what_is_not_utf8_is_no_address(path: bytes) -> None:
    with pytest.raises(AddressError, match="neither ASCII nor UTF-8"):
        parse_path(path, utf8=True)


@pytest.mark.parametrize("path", PATHS)
def test_smtputf8_changes_nothing_for_ascii(path: bytes) -> None:
    assert parse_path(path, utf8=True) == PATHS[path]


def test_a_domain_compares_in_either_form() -> None:
    assert Address("a", "MÜNCHEN.example").domain_key == Address("a", "xn--mnchen-3ya.EXAMPLE").domain_key


def test_a_domain_that_has_no_form_in_dns_is_no_accident() -> None:
    """A spool may outlive the table of characters by which an address was accepted."""
    assert Address("a", "Ü_.Example").domain_key == "ü_.example"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Some.One", "some.one"),
        ('"Some.One"', "some.one"),
        (r'"so\me.on\e"', "some.one"),
        ('"some one"', '"some one"'),
        (r'"some\ one"', '"some one"'),
        (r'"a\"b\\c"', r'"a\"b\\c"'),
        ('".one"', '".one"'),
        ('""', '""'),
        ('"Grüße"', "grüße"),
    ],
)
def test_a_local_part_compares_without_case_and_needless_quotes(written: str, key: str) -> None:
    address = parse_address(f"{written}@inside.example", utf8=True)
    assert address.local == written
    assert address.local_key == key
    assert parse_address(f"{key}@inside.example", utf8=True).local_key == key


def test_domains_compare_without_case_and_are_kept_as_written() -> None:
    address = parse_address("A@B.Example")
    assert address.domain_key == "b.example"
    assert str(address) == "A@B.Example"


@pytest.mark.parametrize("address", [address for address in PATHS.values() if address is not None])
def test_writing_undoes_reading(address: Address) -> None:
    assert parse_address(str(address)) == address


@given(st.text(max_size=20), st.text(max_size=20) | st.text("aü.-_ß\u0301\u200d。", max_size=70))
def test_an_address_of_any_script_has_a_key_of_dns(local: str, domain: str) -> None:
    try:
        address = parse_path(f"<{local}@{domain}>".encode(errors="replace"), utf8=True)
    except AddressError:
        return
    assert address is not None
    assert address.domain_key.isascii()
    assert address.domain_key == address.domain_key.lower()
    assert parse_address(str(address), utf8=True) == address
    if address.domain[0] != "[":
        assert parse_address(f"a@{address.domain_key}").domain_key == address.domain_key


@given(st.binary(max_size=80) | st.text('<>@.,:"\\[]a1 \x00é', max_size=40).map(str.encode))
def test_anything_is_an_address_or_has_a_reason(path: bytes) -> None:
    try:
        address = parse_path(path, bare_postmaster=True)
    except AddressError:
        return
    if address is None:
        assert path == b"<>"
    else:
        assert parse_address(str(address), bare_postmaster=True) == address
        assert str(address).isprintable()
