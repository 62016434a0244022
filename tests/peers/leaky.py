"""A server with the defect that command injection is: what came in clear text behind STARTTLS it takes for said in TLS.

It is there to prove the tester that looks for it (CVE-2011-0411).
"""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.peers.ports import HOST


class _Leaky(socketserver.ThreadingTCPServer):
    daemon_threads = True
    tls: ssl.SSLContext

    def handle_error(self, request: object, client_address: object) -> None:
        """A tester that hangs up in the middle is no news."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Leaky

    def handle(self) -> None:
        waiting = b""
        self.request.sendall(b"220 leaky.example ESMTP\r\n")
        while True:
            while b"\r\n" not in waiting:
                if not (data := self.request.recv(4096)):
                    return
                waiting += data
            line, _, waiting = waiting.partition(b"\r\n")
            self.request.sendall(b"250 ok\r\n" if line != b"STARTTLS" else b"220 go ahead\r\n")
            if line == b"STARTTLS":
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)  # `waiting` is kept

    def finish(self) -> None:
        self.request.close()


@contextmanager
def leaky_server(tls: ssl.SSLContext) -> Iterator[int]:
    """The port of such a server, which runs."""
    with _Leaky((HOST, 0), _Handler) as server:
        server.tls = tls
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
