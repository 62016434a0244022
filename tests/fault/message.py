"""A message that can be recognised and proved whole wherever it arrives."""

from __future__ import annotations

import hashlib

# Each line begins with a dot, which both hops must stuff and unstuff.
LINE = b".All work and no play makes Jack a dull boy, says line %06d.\r\n"


def compose(message_id: str, size: int) -> bytes:
    """A message of about `size` bytes whose header carries its id and the digest of its body."""
    body = b"".join(LINE % number for number in range(max(size // len(LINE % 0), 1)))
    header = (
        "From: sender@load.example\r\nTo: someone@inside.example\r\nSubject: fault test\r\n"
        f"Message-ID: {message_id}\r\nX-Digest: {hashlib.sha256(body).hexdigest()}\r\n\r\n"
    )
    return header.encode("ascii") + body


def recognise(data: bytes) -> str:
    """The id of an arrived message; ValueError when its body is not the one that was sent."""
    header, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in header.decode("ascii").split("\r\n") if ": " in line)
    if hashlib.sha256(body).hexdigest() != fields["X-Digest"]:
        raise ValueError(f"{fields['Message-ID']} arrived changed: {len(body)} bytes")
    return fields["Message-ID"]
