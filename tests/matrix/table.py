"""What comes of every pair of peers: the one table, asserted by the tests here and printed as docs/reference/matrix.md.

Each grid is text: the first line names the columns, each further line a row. Blanks do not count. Where libraries
answer in words of their own, OpenSSL's stand before the slash and those of GnuTLS (Exim, msmtp) behind it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """Outcomes by row and column."""

    corner: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]

    def outcome(self, row: str, column: str, *, gnutls: bool = False) -> str:
        """What comes of it, with a peer of this TLS library."""
        first, *other = self.rows[row][self.columns.index(column)].split(" / ")
        return other[0] if other and gnutls else first


def _grid(text: str) -> Grid:
    lines = [[word.strip() for word in line.strip().split("|")] for line in text.strip().splitlines()]
    (corner, *columns), *rows = lines
    return Grid(corner, tuple(columns), {row: tuple(outcomes) for row, *outcomes in rows})


DELIVERY_VERSIONS = _grid(
    """
    outbound | 1.0           | 1.0-1.1      | 1.0-1.2 | 1.0-1.3 | 1.1           | 1.1-1.2   | 1.1-1.3   | 1.2       | 1.2-1.3   | 1.3
    1.0      | 1.0           | 1.0          | 1.0     | 1.0     | none fits     | none fits | none fits | none fits | none fits | none fits
    1.0-1.1  | 1.0           | 1.1          | 1.1     | 1.1     | 1.1           | 1.1       | 1.1       | none fits | none fits | none fits
    1.0-1.2  | 1.0           | 1.1          | 1.2     | 1.2     | 1.1           | 1.2       | 1.2       | 1.2       | 1.2       | none fits / nothing fits
    1.0-1.3  | 1.0           | 1.1          | 1.2     | 1.3     | 1.1           | 1.2       | 1.3       | 1.2       | 1.3       | 1.3
    1.1      | other version | 1.1          | 1.1     | 1.1     | 1.1           | 1.1       | 1.1       | none fits | none fits | none fits
    1.1-1.2  | other version | 1.1          | 1.2     | 1.2     | 1.1           | 1.2       | 1.2       | 1.2       | 1.2       | none fits / nothing fits
    1.1-1.3  | none fits / other version | 1.1 | 1.2  | 1.3     | 1.1           | 1.2       | 1.3       | 1.2       | 1.3       | 1.3
    1.2      | nothing fits  | nothing fits | 1.2     | 1.2     | nothing fits  | 1.2       | 1.2       | 1.2       | 1.2       | none fits / nothing fits
    1.2-1.3  | none fits / nothing fits | none fits / nothing fits | 1.2 | 1.3 | none fits / nothing fits | 1.2 | 1.3 | 1.2 | 1.3 | 1.3
    1.3      | none fits     | none fits    | none fits | 1.3   | none fits     | none fits | 1.3       | none fits | 1.3       | 1.3
    """  # noqa: E501
)
"""The selection of outbound SMTP against the versions of the next hop, under a level that asks for TLS."""

DELIVERY_LEVELS = _grid(
    """
    next hop                     | no    | preferred | preferred-verify | required | required-verify
    certificate valid            | clear | TLS       | TLS, verified    | TLS      | TLS, verified
    certificate for another name | clear | TLS       | TLS, unverified  | TLS      | waits: other name
    certificate expired          | clear | TLS       | TLS, unverified  | TLS      | waits: expired
    certificate self-signed      | clear | TLS       | TLS, unverified  | TLS      | waits: self-signed
    no STARTTLS                  | clear | clear     | clear            | waits: no STARTTLS | waits: no STARTTLS
    454 to STARTTLS              | clear | clear     | clear            | waits: STARTTLS refused | waits: STARTTLS refused
    502 to STARTTLS              | clear | clear     | clear            | waits: STARTTLS refused | waits: STARTTLS refused
    no version in common         | clear | waits: none fits / waits: nothing fits | waits: none fits / waits: nothing fits | waits: none fits / waits: nothing fits | waits: none fits / waits: nothing fits
    hangs up after its 220       | clear | waits: closed | waits: closed | waits: closed | waits: closed
    no TLS after its 220         | clear | waits: not TLS | waits: not TLS | waits: not TLS | waits: not TLS
    data behind its 220          | clear | waits: data behind 220 | waits: data behind 220 | waits: data behind 220 | waits: data behind 220
    TLS demanded                 | bounces: TLS demanded | TLS | TLS, verified | TLS | TLS, verified
    """  # noqa: E501
)
"""The state of the next hop against the level of the destination; the outbound selection is 1.2-1.3."""

DELIVERY_WORDS = {
    "none fits": "The server accepts none of the versions offered",
    "other version": "The server chose a version that was not offered",
    "nothing fits": "The server found nothing acceptable in what this gateway offers",
    "no STARTTLS": "TLS required, STARTTLS unavailable at",
    "STARTTLS refused": "refused STARTTLS",
    "other name": "TLS certificate verification is required and failed: the certificate is for none of",
    "self-signed": "TLS certificate verification is required and failed: self-signed certificate",
    "expired": "TLS certificate verification is required and failed: certificate has expired",
    "closed": "The peer closed the connection in the middle of the handshake and gave no reason",
    "not TLS": "The server answered the TLS hello with something that is not TLS",
    "data behind 220": "sent data behind its answer to STARTTLS, which is an attack or a defect",
    "TLS demanded": "Must issue a STARTTLS command first",
}
"""The short names of the grids, and the words of the reason in queue, log and notice."""

RECEPTION_VERSIONS = _grid(
    """
    inbound | 1.0     | 1.1     | 1.2     | 1.3     | 1.0-1.3
    1.0     | 1.0     | leaves  | leaves  | refused | 1.0
    1.0-1.1 | 1.0     | 1.1     | leaves  | refused | 1.1
    1.0-1.2 | 1.0     | 1.1     | 1.2     | refused | 1.2
    1.0-1.3 | 1.0     | 1.1     | 1.2     | 1.3     | 1.3
    1.1     | refused | 1.1     | leaves  | refused | 1.1
    1.1-1.2 | refused | 1.1     | 1.2     | refused | 1.2
    1.1-1.3 | refused | 1.1     | 1.2     | 1.3     | 1.3
    1.2     | refused | refused | 1.2     | refused | 1.2
    1.2-1.3 | refused | refused | 1.2     | 1.3     | 1.3
    1.3     | refused | refused | refused | 1.3     | 1.3
    """
)
"""The selection of inbound SMTP against the versions of the client, by STARTTLS and by implicit TLS."""

RECEPTION_DEMANDS = _grid(
    """
    listener  | clear       | TLS if offered | STARTTLS    | implicit TLS
    off       | clear       | clear          | no STARTTLS | no TLS
    preferred | clear       | TLS            | TLS         | no TLS
    required  | 530         | TLS            | TLS         | no TLS
    implicit  | no greeting | no greeting    | no greeting | TLS
    """
)
"""The TLS a listener asks for against what the client does."""

RECEPTION_WORDS = {
    "refused": "the gateway ends the handshake with the alert protocol_version; its log says `unsupported protocol`",
    "leaves": "the gateway answers with the highest version it has, and the client goes away (decision 022)",
    "530": "MAIL is answered `530 5.7.0 Must issue a STARTTLS command first`",
    "no STARTTLS": "EHLO is answered without STARTTLS, and a client that insists on it keeps the message",
    "no TLS": "the listener greets in clear text, where the client expects a handshake",
    "no greeting": "the listener waits for a handshake, and hangs up after limits.handshake_timeout",
}

FALSE_ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "LF.LFCR": b"\n.\n\r",
    "CRNUL.CRNUL": b"\r\0.\r\0",
    "LFNUL.LF": b"\n\0.\n",
}
"""What some server has once taken for the end of data (VU#302671, CVE-2023-51764 to 51766), and its kin."""
