"""A plain SMTP client that says what it is told."""

from __future__ import annotations

import socket
import ssl
from typing import BinaryIO

from tests.peers.ports import HOST


def any_certificate() -> ssl.SSLContext:
    """A context for clients that take whatever certificate they are shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """One connection, from wherever it is told to come."""

    def __init__(self, port: int, host: str = HOST, *, source: str | None = None) -> None:
        local = (source, 0) if source else None
        self.socket: socket.socket = socket.create_connection((host, port), timeout=20, source_address=local)
        self.file: BinaryIO = self.socket.makefile("rb")

    def reply(self) -> str:
        """The next reply, all its lines; empty at the end of the connection."""
        lines = []
        while True:
            line = self.file.readline().decode()
            lines.append(line.rstrip())
            if line[3:4] != "-":
                return "\n".join(lines)

    def say(self, *lines: str | bytes) -> str:
        """Send lines in one piece, and give the reply; bytes go out as they are."""
        data = b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n" for line in lines)
        self.socket.sendall(data)
        return self.reply()

    def start_tls(self, context: ssl.SSLContext | None = None, name: str = "gate.inside.example") -> None:
        """STARTTLS and the handshake, asking for the certificate of `name`."""
        assert self.say("STARTTLS").startswith("220")
        self.socket = (context or any_certificate()).wrap_socket(self.socket, server_hostname=name)
        self.file = self.socket.makefile("rb")

    def send(self, recipient: str, *, sender: str = "me@me.example", subject: str = "hello") -> None:
        """One message, which must be taken."""
        for command in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
            answer = self.say(command)
            assert answer.startswith("250"), answer
        assert self.say("DATA").startswith("354")
        answer = self.say(f"Subject: {subject}", "", "Hello.", ".")
        assert answer.startswith("250"), answer

    def close(self) -> None:
        """Hang up."""
        self.file.close()
        self.socket.close()


def greeted(port: int, host: str = HOST, *, source: str | None = None) -> Client:
    """A client that was let in and has said EHLO."""
    client = Client(port, host, source=source)
    greeting = client.reply()
    assert greeting.startswith("220"), greeting
    assert client.say("EHLO me.example").startswith("250")
    return client
