"""A name server on loopback that answers as it is told: addresses, MX hosts, an error, or nothing at all."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.peers.ports import HOST

Answer = list[str] | Literal["SERVFAIL", "silence"]
Zone = Mapping[tuple[str, str], Answer]
"""(name, type) -> records as text; a name without any row does not exist."""


class NameServer(socketserver.UDPServer):
    """Answers from its zone and remembers the questions."""

    def __init__(self, zone: Zone) -> None:
        super().__init__((HOST, 0), _Handler)
        self.zone = zone
        self.questions: list[tuple[str, str]] = []

    @property
    def place(self) -> str:
        """Address and port, as `dns.servers` takes them."""
        return f"{HOST}:{self.server_address[1]}"

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        """The response to a query, or None for silence."""
        asked = query.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.questions.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        while kind != "CNAME" and (alias := self.zone.get((name, "CNAME"))):
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "CNAME", list(alias)))
            name = alias[0].rstrip(".")
        found = self.zone.get((name, kind), [])
        if found == "silence":
            return None
        if found == "SERVFAIL":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, list(found)))
        elif name not in {known for known, _ in self.zone}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


class _Handler(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        data, sock = self.request
        response = self.server.answer(dns.message.from_wire(data))
        if response is not None:
            sock.sendto(response.to_wire(), self.client_address)


@contextmanager
def name_server(zone: Zone) -> Iterator[NameServer]:
    """A name server that runs."""
    with NameServer(zone) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
