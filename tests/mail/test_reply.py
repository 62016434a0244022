"""Replies as they stand on the wire, in both styles."""

from __future__ import annotations

import pytest

from sealgate.mail.reply import Reply, ReplyStyle

ENCODED = [
    (Reply(354, "go ahead"), b"354 go ahead\r\n", b"354 go ahead\r\n"),
    (Reply(250, "ok", "2.0.0"), b"250 2.0.0 ok\r\n", b"250 ok\r\n"),
    (Reply(530, "Must", "5.7.0"), b"530 5.7.0 Must\r\n", b"530 #5.7.0 Must\r\n"),
    (Reply(421, "later", "4.4.5"), b"421 4.4.5 later\r\n", b"421 #4.4.5 later\r\n"),
    (Reply(250, ("mx", "SIZE 1")), b"250-mx\r\n250 SIZE 1\r\n", b"250-mx\r\n250 SIZE 1\r\n"),
    (
        Reply(554, ("no", "never"), "5.7.1"),
        b"554-5.7.1 no\r\n554 5.7.1 never\r\n",
        b"554-#5.7.1 no\r\n554 #5.7.1 never\r\n",
    ),
    (Reply(550, "für"), b"550 f\\xfcr\r\n", b"550 f\\xfcr\r\n"),
    (Reply(250, ""), b"250 \r\n", b"250 \r\n"),
]


@pytest.mark.parametrize(("reply", "rfc2034", "asyncos"), ENCODED)
def test_a_reply_is_written_in_the_style_asked(reply: Reply, rfc2034: bytes, asyncos: bytes) -> None:
    assert reply.encode() == rfc2034
    assert reply.encode(ReplyStyle.RFC2034) == rfc2034
    assert reply.encode(ReplyStyle.ASYNCOS) == asyncos


def test_only_a_client_that_reads_utf8_gets_it() -> None:
    reply = Reply(250, "sender <jürgen@b.example> ok", "2.1.0")
    assert reply.encode(utf8=True).decode() == "250 2.1.0 sender <jürgen@b.example> ok\r\n"
    assert reply.encode() == b"250 2.1.0 sender <j\\xfcrgen@b.example> ok\r\n"


@pytest.mark.parametrize(
    ("code", "positive", "temporary", "permanent"),
    [
        (220, True, False, False),
        (354, True, False, False),
        (421, False, True, False),
        (452, False, True, False),
        (500, False, False, True),
        (554, False, False, True),
    ],
)
def test_the_first_digit_decides(code: int, positive: bool, temporary: bool, permanent: bool) -> None:
    reply = Reply(code, "text")
    assert (reply.is_positive, reply.is_temporary, reply.is_permanent) == (positive, temporary, permanent)


def test_lines_are_lines_however_the_text_was_given() -> None:
    assert Reply(250, "one").lines == ("one",)
    assert Reply(250, ("one", "two")).lines == ("one", "two")
