"""HTTP without TLS on a port of HTTPS."""

from __future__ import annotations

import pytest

from sealgate.http.plain import answer_plain, is_whole, looks_plain


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"G", True),
        (b"DELETE", True),
        (b"PROPFIND /x", True),
        (b"\x16\x03\x01\x02\x00\x01", False),
        (b"\x80\x2e\x01\x00\x02", False),  # a hello of SSL 2
        (b"EHLO", True),
        (b"get / http", False),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", False),
    ],
)
def test_what_is_http_is_known_by_its_beginning(data: bytes, plain: bool) -> None:
    assert looks_plain(data) is plain


@pytest.mark.parametrize(
    ("request_", "status", "place"),
    [
        (b"GET / HTTP/1.1\r\nHost: gate.example:8443\r\n\r\n", 308, b"https://gate.example:8443/"),
        (b"HEAD /a?b=c HTTP/1.0\r\nhOst:\tgate.example \r\nX: y\r\n\r\n", 308, b"https://gate.example/a?b=c"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, None),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400, None),
        (b"POST / HTTP/1.1\r\nHost: gate.example\r\n\r\n", 400, None),
        (b"GET http://gate.example/ HTTP/1.1\r\nHost: gate.example\r\n\r\n", 400, None),
        (b"GET /\rLocation:x HTTP/1.1\r\nHost: gate.example\r\n\r\n", 400, None),
        (b"GET / HTTP/1.1\r\nHost: gate.example\rX: y\r\n\r\n", 400, None),
        (b"EHLO there\r\n\r\n", 400, None),
    ],
)
def test_who_looks_is_redirected_and_who_sends_is_refused(request_: bytes, status: int, place: bytes | None) -> None:
    assert is_whole(request_)
    answer = answer_plain(request_, lambda host: host.partition(":")[0] == "gate.example")
    assert answer.status == status
    assert answer.data.startswith(b"HTTP/1.1 %d " % status)
    head, _, body = answer.data.partition(b"\r\n\r\n")
    assert (b"\r\nLocation: " in head) is (place is not None)
    assert place is None or b"\r\nLocation: " + place + b"\r\n" in head
    assert b"without TLS" in body


def test_a_head_without_end_is_not_waited_for_for_ever() -> None:
    assert not is_whole(b"GET / HTTP/1.1\r\nX: " + b"y" * 8000)
    assert is_whole(b"GET / HTTP/1.1\r\nX: " + b"y" * 9000)
