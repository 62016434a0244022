"""ClientHellos as real clients send them, in any pieces; and everything else that may come instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.tls.group import group_name
from sealgate.tls.hello import Hello, HelloProblem, HelloReader
from sealgate.tls.suite import suite_name
from sealgate.tls.version import LEGAL_SELECTIONS, ProtocolVersion, Selection
from tests.tls.peer import Client, stdlib_hello

LIMIT = 16384
REAL = Client(Selection.parse("1.0-1.3"), server_name="mx.example", alpn=(b"smtp", b"\xff")).hello()


def read(data: bytes, limit: int = LIMIT) -> Hello | HelloProblem | None:
    return HelloReader(limit).feed(data)


def whole(data: bytes) -> Hello:
    hello = read(data)
    assert isinstance(hello, Hello)
    return hello


def fragmented(data: bytes, size: int) -> bytes:
    """The same hello in records of `size` bytes."""
    body = data[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(data[:3] + len(part).to_bytes(2, "big") + part for part in parts)


@pytest.mark.parametrize("selection", LEGAL_SELECTIONS, ids=str)
def test_a_hello_of_openssl_names_its_versions(selection: Selection) -> None:
    hello = whole(Client(selection).hello())
    if selection.highest is ProtocolVersion.TLS1_3:
        assert set(hello.versions) == set(selection)
        assert hello.legacy_version == ProtocolVersion.TLS1_2
    else:
        assert hello.versions == tuple(range(selection.highest, 0x02FF, -1))
        assert hello.legacy_version == selection.highest
    assert hello.suites
    assert hello.groups
    assert bool(hello.key_shares) is (selection.highest is ProtocolVersion.TLS1_3)
    assert bool(hello.signature_algorithms) is (selection.highest >= ProtocolVersion.TLS1_2)


@pytest.mark.parametrize("highest", ProtocolVersion)
def test_a_hello_of_pythons_own_ssl_is_read(highest: ProtocolVersion) -> None:
    hello = whole(stdlib_hello(highest, "mx.example"))
    assert max(version for version in hello.versions if version in set(ProtocolVersion)) == highest
    assert hello.server_name == "mx.example"
    assert hello.alpn == ()
    assert "ECDHE-RSA-AES128-SHA" in map(suite_name, hello.suites)


def test_every_field_of_a_hello_is_read() -> None:
    client = Client(
        Selection.parse("1.2-1.3"),
        ciphers="ECDHE-RSA-AES128-GCM-SHA256",
        groups="*X25519:X25519MLKEM768",
        server_name="mx.inside.example",
        alpn=(b"smtp", b"h2"),
        fallback=True,
    )
    data = client.hello()
    hello = whole(data)
    assert hello.server_name == "mx.inside.example"
    assert hello.alpn == ("smtp", "h2")
    assert [group_name(number) for number in hello.groups] == ["X25519", "X25519MLKEM768"]
    assert [group_name(number) for number in hello.key_shares] == ["X25519"]
    assert 0x0804 in hello.signature_algorithms
    assert "ECDHE-RSA-AES128-GCM-SHA256" in map(suite_name, hello.suites)
    assert hello.fallback_scsv
    assert hello.size == len(data) - 5


def test_a_plain_hello_has_neither_name_nor_fallback() -> None:
    hello = whole(Client(Selection.parse("1.0")).hello())
    assert hello.server_name is None
    assert not hello.fallback_scsv


@given(st.data())
def test_pieces_make_no_difference(data: st.DataObject) -> None:
    records = fragmented(REAL, data.draw(st.integers(1, 700), label="record"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(records)), max_size=8), label="cuts"))
    reader = HelloReader(LIMIT)
    results = [reader.feed(records[a:b]) for a, b in zip([0, *cuts], [*cuts, len(records)], strict=True)]
    assert results[-1] == whole(REAL)
    assert reader.received == records


def test_a_hello_is_not_announced_before_its_last_byte() -> None:
    reader = HelloReader(LIMIT)
    assert [reader.feed(REAL[at : at + 1]) for at in range(len(REAL) - 1)] == [None] * (len(REAL) - 1)
    assert reader.feed(REAL[-1:]) == whole(REAL)


def test_what_follows_a_hello_is_kept_for_openssl_and_changes_nothing() -> None:
    reader = HelloReader(LIMIT)
    assert reader.feed(REAL + b"more") == whole(REAL)
    assert reader.feed(b" still") == whole(REAL)
    assert reader.received == REAL + b"more still"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1\r\n", "http"),
        (b"OPTIONS * HTTP/1.1\r\n", "http"),
        (b"PRI * HTTP/2.0\r\n", "http"),
        (b"EHLO client.example\r\n", "smtp"),
        (b"ehlo client.example\r\n", "smtp"),
        (b"QUIT\r\n", "smtp"),
        (b"STARTTLS\r\n", "smtp"),
        (b"\x80\x2e\x01\x00\x02\x00\x15", "sslv2"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "other"),
        (b"\x00\x00\x00\x00\x00", "other"),
        (b"SSH-2.0-x\r\n", "other"),
        (b"\x16\x02\x00\x00\x10", "malformed"),
        (b"\x16\x03\x01\x00\x00", "malformed"),
        (b"\x16\x03\x01\x40\x01", "malformed"),
        (b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", "malformed"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "malformed"),
        (b"\x16\x03\x01\x00\x01\x01\x14\x03\x01\x00\x01\x01", "malformed"),
        (REAL[:5] + b"\x01\xff\xff\xff" + REAL[9:], "too-large"),
    ],
)
def test_what_is_no_hello_is_named(data: bytes, kind: str) -> None:
    result = read(data)
    assert isinstance(result, HelloProblem)
    assert result.kind == kind
    assert result.sentence
    reader = HelloReader(LIMIT)
    dribbled = [reader.feed(data[at : at + 1]) for at in range(len(data))]
    assert dribbled[-1] == result


@pytest.mark.parametrize("size", range(5))
def test_five_bytes_are_waited_for(size: int) -> None:
    assert read(b"EHLO client.example\r\n"[:size]) is None


def test_the_limit_is_on_the_hello() -> None:
    size = len(REAL) - 5
    assert isinstance(read(REAL, limit=size), Hello)
    assert isinstance(read(fragmented(REAL, 64), limit=size), Hello)
    problem = read(REAL, limit=size - 1)
    assert isinstance(problem, HelloProblem)
    assert problem.kind == "too-large"
    assert str(size - 1) in problem.sentence


def test_tiny_records_cannot_make_the_reader_keep_more_than_it_may() -> None:
    reader = HelloReader(1000)
    head = b"\x16\x03\x01\x00\x01"
    result = None
    for byte in b"\x01\x00\x03\x00" + bytes(1000):
        result = reader.feed(head + bytes([byte]))
        if result is not None:
            break
    assert isinstance(result, HelloProblem)
    assert result.kind == "too-large"
    assert len(reader.received) < 2100


def hello_with(*extensions: tuple[int, bytes], legacy: int = 0x0303, suites: bytes = b"\xc0\x2f") -> bytes:
    """A hello made by hand."""
    block = b"".join(n.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data for n, data in extensions)
    body = legacy.to_bytes(2, "big") + bytes(32) + b"\x00" + len(suites).to_bytes(2, "big") + suites + b"\x01\x00"
    body += len(block).to_bytes(2, "big") + block if extensions else b""
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def test_grease_and_unknown_numbers_are_kept() -> None:
    hello = whole(
        hello_with((43, b"\x06\x1a\x1a\x03\x04\x7f\x1c"), (10, b"\x00\x04\x2a\x2a\x12\x34"), suites=b"\x0a\x0a\x13\x02")
    )
    assert hello.versions == (0x1A1A, 0x0304, 0x7F1C)
    assert hello.groups == (0x2A2A, 0x1234)
    assert hello.suites == (0x0A0A, 0x1302)


def test_a_hello_without_extensions_is_a_hello() -> None:
    hello = whole(hello_with(legacy=0x0300))
    assert hello.versions == (0x0300,)
    assert (hello.groups, hello.key_shares, hello.signature_algorithms, hello.alpn) == ((), (), (), ())


def test_a_version_above_12_without_supported_versions_means_12() -> None:
    assert whole(hello_with(legacy=0x0305)).versions == (0x0303, 0x0302, 0x0301, 0x0300)


def test_a_server_name_may_be_anything_and_stays_one_text() -> None:
    name = b"a\r\nb\xff"
    entry = b"\x00" + len(name).to_bytes(2, "big") + name
    other = b"\x07\x00\x01x"
    extension = (len(other + entry)).to_bytes(2, "big") + other + entry
    assert whole(hello_with((0, extension))).server_name == "a\r\nb\\xff"


@pytest.mark.parametrize("kind", [0, 10, 13, 16, 43, 51])
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff", b"\xff\xff", b"\x00\x05\x00", b"\x03\x03\x04\x01", b"\x00\x03\x00\x1d\x00"]
)
def test_a_broken_extension_does_not_hide_the_hello(kind: int, data: bytes) -> None:
    assert whole(hello_with((kind, data))).suites == (0xC02F,)


@pytest.mark.parametrize("size", range(9, 80))
def test_a_hello_cut_short_inside_is_malformed(size: int) -> None:
    body = REAL[9:][: size - 9]
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    result = read(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
    assert isinstance(result, HelloProblem)
    assert result.kind == "malformed"


@given(st.binary(max_size=200))
def test_garbage_never_fails(data: bytes) -> None:
    assert isinstance(read(data), Hello | HelloProblem | None)


@given(st.integers(5, len(REAL) - 1), st.integers(0, 255), st.integers(1, 64))
def test_a_flipped_byte_never_fails_and_pieces_still_make_no_difference(at: int, value: int, size: int) -> None:
    data = REAL[:at] + bytes([value]) + REAL[at + 1 :]
    result = read(data)
    reader = HelloReader(LIMIT)
    for start in range(0, len(data), size):
        last = reader.feed(data[start : start + size])
    assert last == result
