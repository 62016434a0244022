"""A client of GUI HTTPS that keeps its connection, and shows what became of it."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from tests.peers.ports import HOST
from tests.smtp_client import any_certificate


class Client:
    """One connection over HTTPS, and requests on it one after the other."""

    def __init__(
        self, port: int, *, most: ssl.TLSVersion | None = None, host: str = HOST, source: str | None = None
    ) -> None:
        context = any_certificate()
        if most is not None:
            context.maximum_version = most
        self._connection = http.client.HTTPSConnection(
            host, port, timeout=30, context=context, source_address=(source, 0) if source else None
        )
        self._connection.connect()
        self._connection.auto_open = 0  # it never comes again by itself

    @property
    def socket(self) -> ssl.SSLSocket:
        """The socket, for what HTTP cannot say."""
        assert isinstance(self._connection.sock, ssl.SSLSocket)
        return self._connection.sock

    @property
    def version(self) -> str | None:
        """The TLS version it speaks."""
        return self.socket.version()

    @property
    def certificate(self) -> bytes:
        """What the server has shown."""
        return self.socket.getpeercert(binary_form=True) or b""

    def ask(self, method: str, path: str, body: Any = None, **fields: str) -> Answer:
        """One request; `body` is sent as JSON."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        self._connection.request(method, path, data, headers)
        with self._connection.getresponse() as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def get(self, path: str, **fields: str) -> Answer:
        """A GET."""
        return self.ask("GET", path, **fields)

    def is_over(self) -> bool:
        """Whether the server closes the connection, waiting for it a little; what else it says is passed over."""
        sock = self._connection.sock
        if sock is None:
            return True
        sock.settimeout(5)
        try:
            while sock.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """The end."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.data)


def ask(port: int, method: str, path: str, body: Any = None, **fields: str) -> Answer:
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.ask(method, path, body, **fields)
