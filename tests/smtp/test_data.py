"""Message data: one end and no other, dots undone, bare line endings told, whatever the pieces."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealgate.smtp import replies
from sealgate.smtp.data import BareLineEndings, DataEnd, DataReader, Stuffer, Tally
from tests.smtp.cutting import cuts, pieces

REFUSE, ALLOW = BareLineEndings.REFUSE, BareLineEndings.ALLOW
ENOUGH = 1 << 30

AWKWARD = st.lists(st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"a", b"\0", b"\xff"])).map(
    b"".join
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of everything it was fed."""

    plain: bytes
    end: DataEnd | None
    rest: bytes


def read(data: list[bytes], bare: BareLineEndings = REFUSE, limit: int = ENOUGH) -> Read:
    """Feed the pieces up to the end; what comes behind it is not the reader's."""
    reader = DataReader(Tally(bare, limit))
    plain = b""
    for number, piece in enumerate(data):
        settled, end, rest = reader.feed(piece)
        plain += settled
        if end is not None:
            return Read(plain, end, rest + b"".join(data[number + 1 :]))
    return Read(plain, None, b"")


MESSAGES = {
    "empty": (b".\r\n", b""),
    "one line": (b"a\r\n.\r\n", b"a\r\n"),
    "one empty line": (b"\r\n.\r\n", b"\r\n"),
    "a dot on the first line": (b"..\r\n.\r\n", b".\r\n"),
    "a dot on a later line": (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
    "a dot that nobody doubled": (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n"),
    "many dots": (b"....\r\n....\r\n.\r\n", b"...\r\n...\r\n"),
    "dots within a line": (b"a.b..c.\r\n.\r\n", b"a.b..c.\r\n"),
    "NUL and eight bits": (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
    "other controls end no line": (b"\x0b\x0c\x1c\x1d\x1e\x85\r\n.\r\n", b"\x0b\x0c\x1c\x1d\x1e\x85\r\n"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_read(name: str) -> None:
    raw, plain = MESSAGES[name]
    for data in ([raw + b"QUIT\r\n"], [bytes([byte]) for byte in raw + b"QUIT\r\n"]):
        assert read(data) == Read(plain, DataEnd(len(plain), bare=False, fault=None), b"QUIT\r\n")


# What servers have been made to take for the end of a message.
NO_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r.\n",
    b"\n.\r",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\n\n.\n\n",
    b"\r\r.\r\r",
    b"\n\r.\n\r",
]
SMUGGLED = b"MAIL FROM:<admin@inside.example>\r\nRCPT TO:<a@inside.example>\r\nDATA\r\n"


@pytest.mark.parametrize("no_end", NO_ENDS)
def test_a_false_end_ends_nothing_and_condemns_the_message(no_end: bytes) -> None:
    raw = b"a" + no_end + SMUGGLED + b".\r\nNOOP\r\n"
    for data in ([raw], [bytes([byte]) for byte in raw]):
        found = read(data)
        assert found.end is not None
        assert found.end.bare
        assert found.rest == b"NOOP\r\n"


@pytest.mark.parametrize("no_end", NO_ENDS)
def test_a_false_end_ends_nothing_where_bare_line_endings_are_allowed(no_end: bytes) -> None:
    raw = b"a" + no_end + SMUGGLED
    found = read([raw + b".\r\n"], ALLOW)
    assert found.end is not None
    assert found.end.bare
    assert found.end.fault is None
    assert found.plain == raw.replace(b"\r\n.", b"\r\n")


@pytest.mark.parametrize("near", [b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n. \r\n", b"\r\n.\t\r\n"])
def test_a_dot_in_company_ends_nothing(near: bytes) -> None:
    found = read([b"a" + near + b".\r\n"])
    assert found.end == DataEnd(len(found.plain), bare=False, fault=None)
    assert found.plain == b"a" + near.replace(b"\r\n.", b"\r\n")


def test_a_true_end_behind_a_bare_cr_is_an_end() -> None:
    found = read([b"a\r\r\n.\r\nNOOP\r\n"])
    assert found.end == DataEnd(4, bare=True, fault=replies.BARE_IN_BODY)
    assert found.rest == b"NOOP\r\n"


def reference(data: bytes) -> tuple[bytes, bool, bytes] | None:
    """What RFC 5321 says of the data, said slowly: the plain bytes, whether any ending is bare, the rest."""
    body, end, rest = (b"\r\n" + data).partition(b"\r\n.\r\n")
    if not end:
        return None
    lines = (body + b"\r\n")[2:].split(b"\r\n")
    plain = b"\r\n".join(line.removeprefix(b".") for line in lines)
    return plain, any(b"\r" in line or b"\n" in line for line in lines), rest


@given(AWKWARD | st.binary(), cuts())
def test_any_cutting_gives_what_the_rfc_says(data: bytes, where: list[int]) -> None:
    expected = reference(data)
    refused = read(pieces(data, where), REFUSE)
    allowed = read(pieces(data, where), ALLOW)
    if expected is None:
        assert refused.end is allowed.end is None
        return
    plain, bare, rest = expected
    assert allowed == Read(plain, DataEnd(len(plain), bare, None), rest)
    assert refused.end == DataEnd(len(plain), bare, replies.BARE_IN_BODY if bare else None)
    assert refused.rest == rest
    if not bare:
        assert refused.plain == plain


@given(AWKWARD, cuts(), st.integers(0, 12))
def test_a_message_over_the_limit_is_told_and_its_end_found(data: bytes, where: list[int], limit: int) -> None:
    whole = reference(data + b"\r\n.\r\n")
    assert whole is not None
    plain, bare, rest = whole
    found = read(pieces(data + b"\r\n.\r\n", where), ALLOW, limit)
    assert found.end == DataEnd(len(plain), bare, replies.MESSAGE_TOO_LARGE if len(plain) > limit else None)
    assert found.rest == rest
    assert len(found.plain) <= limit


@given(AWKWARD | st.binary(), cuts(), cuts())
def test_the_reader_undoes_what_the_stuffer_did(body: bytes, one: list[int], other: list[int]) -> None:
    stuffer = Stuffer()
    wire = b"".join(stuffer.feed(piece) for piece in pieces(body, one)) + stuffer.end()
    arrived = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    found = read(pieces(wire, other), ALLOW)
    assert (found.plain, found.rest) == (arrived, b"")


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b"a\n", b"a\n\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n.\r\n"),
    ],
)
def test_a_body_is_stuffed_and_ended(body: bytes, wire: bytes) -> None:
    stuffer = Stuffer()
    assert stuffer.feed(body) + stuffer.end() == wire


def test_a_small_message_comes_in_one_piece() -> None:
    assert DataReader(Tally(REFUSE, ENOUGH)).feed(b"a: b\r\n\r\n..\r\nc\r\n.\r\n")[0] == b"a: b\r\n\r\n.\r\nc\r\n"
