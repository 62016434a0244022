"""One TLS connection over two memory BIOs, with no socket: bytes in, bytes out.

All private calls into pyOpenSSL live in this file and are held by `tests/net/test_engine.py`. They are here for
two things that the public interface does not give: the number of an OpenSSL error, and the groups of a context.
"""

from __future__ import annotations

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL
from OpenSSL._util import ffi as _ffi
from OpenSSL._util import lib as _lib

from sealgate.tls.failure import Origin, TlsFailure, classic_text
from sealgate.tls.verdict import Outcome, PeerCertificate
from sealgate.tls.version import ProtocolVersion

RECORD = 16384
"""Bytes of plaintext in one TLS record at most (RFC 8446 §5.1); also the size that OpenSSL reads fastest."""

_SSL_LIBRARY = 20  # ERR_LIB_SSL, the same number in every OpenSSL since 0.9
_ALERT_BASE = 1000  # SSL_AD_REASON_OFFSET: a reason of 1000 + n says that the peer sent alert n
_VERIFIED = 0  # X509_V_OK


class TlsFault(Exception):
    """A TLS connection that failed, with the reason as a value."""

    def __init__(self, failure: TlsFailure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def set_groups(context: SSL.Context, groups: str) -> None:
    """Set the key-exchange groups of a context that is not in use yet; `ValueError` names what OpenSSL refuses."""
    if _lib.SSL_CTX_set1_curves_list(context._context, groups.encode("ascii")) != 1:
        _lib.ERR_clear_error()
        raise ValueError(f"OpenSSL does not accept the groups {groups!r}")


def group_known(group: str) -> bool:
    """Whether the linked OpenSSL can use this group."""
    try:
        set_groups(SSL.Context(SSL.TLS_METHOD), group)
    except ValueError:
        return False
    return True


def _failure_from_queue() -> TlsFailure:
    """The first error of OpenSSL's queue that speaks of TLS, as a value; the queue is empty afterwards."""
    found: tuple[int, str] | None = None
    while (packed := _lib.ERR_get_error()) != 0:
        library, reason = (packed >> 23) & 0xFF, packed & 0x7FFFFF
        if found is None or (library == _SSL_LIBRARY and found[0] == 0):
            pointer = _lib.ERR_reason_error_string(packed)
            text = "" if pointer == _ffi.NULL else _ffi.string(pointer).decode("ascii", "replace")
            found = (reason if library == _SSL_LIBRARY else 0, text)
    if found is None:
        return TlsFailure(Origin.CLOSED, None, "the connection ended inside the handshake")
    number, text = found
    if number == _lib.SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return TlsFailure(Origin.CLOSED, number, "unexpected eof while reading")
    alert = number - _ALERT_BASE if number >= _ALERT_BASE else None
    origin = Origin.LOCAL if alert is None else Origin.ALERT
    return TlsFailure(origin, number or None, classic_text(number, text), alert)


class Engine:
    """TLS for one connection. Feed what the peer sent, drain what the peer must get."""

    def __init__(self, context: SSL.Context, *, server: bool, server_name: str | None = None) -> None:
        self._connection = SSL.Connection(context, None)
        self._ssl: Any = self._connection._ssl
        self._incoming: Any = self._connection._into_ssl
        self._outgoing: Any = self._connection._from_ssl
        self._scratch = _ffi.new("char[]", RECORD)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()
            if server_name:
                self._connection.set_tlsext_host_name(server_name.encode("ascii"))

    def feed(self, data: bytes) -> None:
        """Take ciphertext from the peer."""
        view = memoryview(data)
        while view:  # a memory BIO takes all it is given, but an int's worth at a time
            written = _lib.BIO_write(self._incoming, _ffi.from_buffer(view), len(view))
            view = view[written:]

    def feed_eof(self) -> None:
        """The peer has closed its side of the connection."""
        self._connection.bio_shutdown()

    def drain(self) -> bytes:
        """Ciphertext for the peer, all there is; `b""` if none."""
        parts: list[bytes] = []
        while (count := _lib.BIO_read(self._outgoing, self._scratch, RECORD)) > 0:
            parts.append(_ffi.buffer(self._scratch, count)[:])
            if count < RECORD:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def handshake(self) -> bool:
        """Go on with the handshake: True when it is done, False when the peer must speak first.

        Raises `TlsFault`; an alert for the peer, if one is due, is then waiting in `drain()`.
        """
        _lib.ERR_clear_error()
        result = _lib.SSL_do_handshake(self._ssl)
        return result == 1 or self._wants_more(result)

    def _wants_more(self, result: int) -> bool:
        """False if OpenSSL merely waits for the peer, else the error as `TlsFault`."""
        error = _lib.SSL_get_error(self._ssl, result)
        if error in (_lib.SSL_ERROR_WANT_READ, _lib.SSL_ERROR_WANT_WRITE):
            return False
        raise TlsFault(_failure_from_queue())

    def read(self) -> bytes | None:
        """The next plaintext, at most one record; `b""` if the peer must send more, None after its close_notify."""
        _lib.ERR_clear_error()
        count = _lib.SSL_read(self._ssl, self._scratch, RECORD)
        if count > 0:
            plaintext: bytes = _ffi.buffer(self._scratch, count)[:]
            return plaintext
        if _lib.SSL_get_error(self._ssl, count) == _lib.SSL_ERROR_ZERO_RETURN:
            return None
        self._wants_more(count)
        return b""

    def write(self, data: bytes) -> None:
        """Encrypt plaintext, however long; the ciphertext waits in `drain()`."""
        view = memoryview(data)
        _lib.ERR_clear_error()
        while view:
            written = _lib.SSL_write(self._ssl, _ffi.from_buffer(view), len(view))
            if written <= 0:
                # A memory BIO never lacks room, so only a broken connection comes here.
                self._wants_more(written)
                raise TlsFault(TlsFailure(Origin.LOCAL, None, "OpenSSL asked for input in the middle of output"))
            view = view[written:]

    def close_notify(self) -> None:
        """Say to the peer that no more will come (RFC 8446 §6.1)."""
        _lib.ERR_clear_error()
        _lib.SSL_shutdown(self._ssl)
        _lib.ERR_clear_error()

    def outcome(self) -> Outcome:
        """What the finished handshake agreed on."""
        connection = self._connection
        chain = connection.get_peer_cert_chain(as_cryptography=True) or []
        result = _lib.SSL_get_verify_result(self._ssl)
        name = connection.get_servername()
        return Outcome(
            version=ProtocolVersion(connection.get_protocol_version()),
            cipher=connection.get_cipher_name() or "",
            group=connection.get_group_name(),
            server_name=None if name is None else name.decode("ascii", "backslashreplace"),
            resumed=_lib.SSL_session_reused(self._ssl) == 1,
            certificate=_describe(chain[0]) if chain else None,
            verified=(result == _VERIFIED) if chain else None,
            verify_error=None if result == _VERIFIED or not chain else _verify_text(result),
            alpn=connection.get_alpn_proto_negotiated().decode("ascii", "replace") or None,
        )

    def peer_chain(self) -> list[x509.Certificate]:
        """The certificates that the peer sent, its own first; a client's view of a server includes all."""
        return self._connection.get_peer_cert_chain(as_cryptography=True) or []


def certificate_digest(certificate: x509.Certificate) -> str:
    """Its SHA-256 in hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _verify_text(result: int) -> str:
    text: str = _ffi.string(_lib.X509_verify_cert_error_string(result)).decode("ascii", "replace")
    return text


def _describe(certificate: x509.Certificate) -> PeerCertificate:
    """What log and reports say of a peer's certificate; a malformed one is described as far as it goes."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        names = ()
    return PeerCertificate(
        subject=_name(certificate, "subject"),
        issuer=_name(certificate, "issuer"),
        names=names,
        not_after=certificate.not_valid_after_utc.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sha256=certificate_digest(certificate),
    )


def _name(certificate: x509.Certificate, which: str) -> str:
    try:
        name: x509.Name = getattr(certificate, which)
        return name.rfc4514_string()
    except ValueError:
        return "(unreadable)"
