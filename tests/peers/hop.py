"""A next hop that a test leads by the hand: every answer can be chosen, and it remembers who came and what was said."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.peers.ports import HOST

SILENCE = ""
"""As an answer: nothing is said any more, and the connection stays."""

Answer = str | Callable[[str, "Visit"], str]
"""What is said; or what makes it of the command and of what this connection has seen."""


@dataclass
class Visit:
    """One connection."""

    source: str
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    """Sizes of what came by BDAT."""
    server_name: str | None = None
    cipher: str = ""
    version: str = ""
    """The TLS version as OpenSSL writes it: TLSv1, TLSv1.1 …"""
    certificate: bytes | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Hop(socketserver.ThreadingTCPServer):
    """`answers` changes what is said to a verb; "greeting" and "end" stand for the first word and the last dot."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: str = HOST, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, port), _Handler)
        self.tls = tls
        if tls is not None:
            tls.sni_callback = _remember_name
        self.answers: dict[str, Answer] = {}
        self.extensions: tuple[str, ...] = ()
        """What EHLO offers besides STARTTLS."""
        self.instead_of_tls: bytes | None = None
        """What is sent behind the 220 to STARTTLS, where a handshake was promised, before it hangs up."""
        self.slowness = 0.0
        """Seconds before a message is answered."""
        self.visits: list[Visit] = []
        self.most_at_once = 0
        self._open = 0
        self._counting = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.server_address[1]
        return port

    @property
    def offers_tls(self) -> bool:
        """Whether EHLO is answered with STARTTLS."""
        return self.tls is not None or self.instead_of_tls is not None or "STARTTLS" in self.answers

    @property
    def messages(self) -> list[bytes]:
        """Everything that has arrived, over all connections."""
        return [message for visit in self.visits for message in visit.messages]

    def came(self, visit: Visit) -> None:
        """A connection begins."""
        with self._counting:
            self.visits.append(visit)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)

    def went(self, visit: Visit) -> None:
        """A connection is over."""
        with self._counting:
            self._open -= 1
        visit.ended.set()

    def handle_error(self, request: object, client_address: object) -> None:
        """A gateway that hangs up, or that refuses the handshake, is what many tests are about."""


def _remember_name(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    connection.asked_for = name  # type: ignore[attr-defined]


class _Handler(socketserver.StreamRequestHandler):
    server: Hop

    def handle(self) -> None:
        visit = Visit(self.client_address[0])
        self.server.came(visit)
        try:
            self._converse(visit)
        finally:
            self.server.went(visit)

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _converse(self, visit: Visit) -> None:
        self._say("greeting", "220 hop.example ESMTP", "", visit)
        gathered = b""
        while line := self.rfile.readline():
            command = line.decode().rstrip()
            visit.commands.append(command)
            verb = command.partition(" ")[0].upper()
            if verb == "EHLO":
                self._say(verb, self._offer(visit), command, visit)
            elif verb == "STARTTLS":
                if not self._say(verb, "220 go ahead", command, visit).startswith("220"):
                    continue
                if self.server.instead_of_tls is not None:
                    self.rfile.read1()  # the hello
                    self.request.sendall(self.server.instead_of_tls)
                    return
                self._start_tls(visit)
            elif verb == "DATA":
                if self._say(verb, "354 go ahead", command, visit).startswith("354"):
                    self._message(visit)
            elif verb == "BDAT":
                gathered = self._chunk(command, gathered, visit)
            elif verb == "QUIT":
                self._say(verb, "221 bye", command, visit)
                return
            else:
                gathered = b""
                self._say(verb, "250 ok", command, visit)

    def _offer(self, visit: Visit) -> str:
        lines = ["hop.example", *self.server.extensions]
        if self.server.offers_tls and not visit.cipher:
            lines.append("STARTTLS")
        *before, last = lines
        return "".join(f"250-{line}\r\n" for line in before) + f"250 {last}"

    def _say(self, what: str, usual: str, command: str, visit: Visit) -> str:
        answer = self.server.answers.get(what, usual)
        if not isinstance(answer, str):
            answer = answer(command, visit)
        if answer == SILENCE:
            self.rfile.read()
            raise ConnectionAbortedError("the other side has given up")
        self.request.sendall(answer.encode() + b"\r\n")
        return answer

    def _chunk(self, command: str, gathered: bytes, visit: Visit) -> bytes:
        """One BDAT with what follows it (RFC 3030); what has come of the message so far."""
        _, size, *last = command.split()
        visit.chunks.append(int(size))
        gathered += self.rfile.read(int(size))
        if self._say("BDAT", "250 ok", command, visit).startswith("2") and last:
            visit.messages.append(gathered)
        return b"" if last else gathered

    def _message(self, visit: Visit) -> None:
        lines: list[bytes] = []
        while line := self.rfile.readline():
            if line == b".\r\n" and (not lines or lines[-1].endswith(b"\r\n")):
                break  # CRLF.CRLF alone ends it (RFC 5321 §4.1.1.4)
            lines.append(line)
        threading.Event().wait(self.server.slowness)
        if self._say("end", "250 ok", "", visit).startswith("2"):
            visit.messages.append(b"".join(lines))

    def _start_tls(self, visit: Visit) -> None:
        assert self.server.tls is not None
        self.request = secured = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile = secured.makefile("rb")
        visit.server_name = getattr(secured, "asked_for", None)
        visit.version = secured.version() or ""
        visit.cipher = (secured.cipher() or ("",))[0]
        visit.certificate = secured.getpeercert(binary_form=True)


@contextmanager
def hop(address: str = HOST, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Hop]:
    """A next hop that runs."""
    with Hop(address, port, tls) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
