"""Conversations as they stand on the wire, and how they are played.

C: what the client sends, with the escapes of Python, CRLF behind; S: a line that the server answers, or only its code;
TLS: the handshake is done.
"""

from __future__ import annotations

from tests.smtp.gateway import Gateway


def sent(line: str) -> bytes:
    """What a C: line puts on the wire."""
    text = line[2:].removeprefix(" ")
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1") + b"\r\n"


def client_lines(transcript: str) -> list[bytes]:
    """All that its client sends."""
    return [sent(line) for line in transcript.splitlines() if line.startswith("C:")]


def play(peer: Gateway, transcript: str) -> None:
    """Say the lines of the client; the gateway must answer those of the server, and no more."""
    waiting: list[str] = []
    for line in transcript.strip("\n").splitlines():
        if line.startswith("S: "):
            assert waiting, f"the server said nothing where it should say {line}"
            reply = waiting.pop(0)
            assert reply == line[3:] or (len(line) == 6 and reply.startswith(line[3:] + " ")), line
            continue
        assert not waiting, f"unasked: {waiting}"
        if line == "TLS":
            peer.machine.tls_started()
        elif line:
            waiting = peer.hear(sent(line)).decode().splitlines()
    assert not waiting, f"unasked: {waiting}"
