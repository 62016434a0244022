"""OpenSSL itself, in memory: what its cipher strings yield, what its clients send, what its handshakes agree on."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass

from OpenSSL import SSL

from sealgate.net.tls.engine import set_groups
from sealgate.tls.version import ProtocolVersion, Selection


def yielded(cipher_list: str) -> tuple[str, ...]:
    """The suites up to TLS 1.2 that OpenSSL makes of a cipher string, in its order; none if it refuses the string."""
    context = SSL.Context(SSL.TLS_METHOD)
    try:
        context.set_cipher_list(cipher_list.encode())
    except SSL.Error:
        return ()
    names = SSL.Connection(context, None).get_cipher_list()
    return tuple(name for name in names if not name.startswith("TLS_"))


@dataclass(frozen=True)
class Client:
    """A client of OpenSSL, by what it offers."""

    selection: Selection
    ciphers: str = "ALL:@SECLEVEL=0"
    groups: str = ""
    server_name: str = ""
    alpn: tuple[bytes, ...] = ()
    fallback: bool = False

    def connection(self) -> SSL.Connection:
        """The client, about to say hello."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(self.selection.lowest)
        context.set_max_proto_version(self.selection.highest)
        context.set_cipher_list(self.ciphers.encode())
        if self.groups:
            set_groups(context, self.groups)
        if self.alpn:
            context.set_alpn_protos(list(self.alpn))
        if self.fallback:
            context.set_mode(0x80)  # SSL_MODE_SEND_FALLBACK_SCSV
        connection = SSL.Connection(context, None)
        if self.server_name:
            connection.set_tlsext_host_name(self.server_name.encode())
        connection.set_connect_state()
        return connection

    def hello(self) -> bytes:
        """The records of its hello."""
        connection = self.connection()
        step(connection)
        return connection.bio_read(65536)


def stdlib_hello(highest: ProtocolVersion, server_name: str) -> bytes:
    """The hello of Python's own ssl, which has another OpenSSL behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion(highest)
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server went through")


def step(connection: SSL.Connection) -> bool:
    """Go on with a handshake; whether it is done."""
    try:
        connection.do_handshake()
    except SSL.WantReadError:
        return False
    return True


def shake(client: SSL.Connection, server: SSL.Connection) -> None:
    """A whole handshake in memory; `SSL.Error` of the side that refuses."""
    for _ in range(8):
        done = step(client)
        pass_on(client, server)
        done = step(server) and done
        pass_on(server, client)
        if done:
            return
    raise AssertionError("the handshake does not end")


def pass_on(sender: SSL.Connection, receiver: SSL.Connection) -> None:
    """Hand over everything that waits."""
    try:
        while True:
            receiver.bio_write(sender.bio_read(65536))
    except SSL.WantReadError:
        return


def refusal(error: SSL.Error) -> str:
    """The first words of an error."""
    return str(error.args[0][0][2])
