"""What the linked OpenSSL can really do, measured once at start rather than believed."""

from __future__ import annotations

from OpenSSL import SSL

from sealgate.net.tls.engine import group_known
from sealgate.tls.group import KNOWN_GROUPS
from sealgate.tls.library import Library
from sealgate.tls.version import ProtocolVersion


def measure_library() -> Library:
    """Versions, suites and groups of this build of OpenSSL."""
    suites = frozenset(_suites())
    return Library(
        name=SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii", "replace"),
        versions=frozenset(version for version in ProtocolVersion if _speaks(version)),
        suites=suites,
        groups=frozenset(group for group in KNOWN_GROUPS if group_known(group)),
    )


def _context(cipher_list: bytes) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(cipher_list)
    return context


def _suites() -> list[str]:
    """Every suite of the build, weak ones too, by OpenSSL's names."""
    return SSL.Connection(_context(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0"), None).get_cipher_list()


def _speaks(version: ProtocolVersion) -> bool:
    """Whether a client of this build produces a hello when limited to `version`."""
    context = _context(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    client = SSL.Connection(context, None)
    client.set_connect_state()
    try:
        client.do_handshake()
    except SSL.WantReadError:
        return True
    except SSL.Error:
        return False
    return False
