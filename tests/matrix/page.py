"""The page of the matrix, made from the table: `python -m tests.matrix.page > docs/reference/matrix.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.matrix.table import (
    DELIVERY_LEVELS,
    DELIVERY_VERSIONS,
    DELIVERY_WORDS,
    FALSE_ENDS,
    RECEPTION_DEMANDS,
    RECEPTION_VERSIONS,
    RECEPTION_WORDS,
    Grid,
)

_HEAD = """\
# Who reaches whom

What comes of every pair of peers, cell by cell. This page is made from the table in `tests/matrix/table.py`, which
`make test` asserts of running gateways (`make soak`: of every cell); to make it anew:

    python -m tests.matrix.page > docs/reference/matrix.md

Where TLS libraries answer in words of their own, those of OpenSSL (Postfix, OpenSMTPD, swaks, Sealgate) stand before
the slash and those of GnuTLS (Exim, msmtp) behind it.
"""
_DELIVERY = """
## Delivery: versions

The rows are the selection of outbound SMTP, the columns the versions of the next hop. A number is the version over
which the message is delivered. Words are those of a message that waits; nothing of it leaves in clear text. It is the
same under the levels `preferred`, `preferred-verify`, `required` and `required-verify`. Next hops: Postfix, Exim, a
hop of Python's OpenSSL, `sealgate sink`.

"""
_LEVELS = """
## Delivery: levels

The rows are the state of the next hop, the columns the level of the destination, with outbound SMTP at 1.2-1.3. A
certificate is *valid* when its chain ends at a trusted authority and it is for the host or the domain. Next hops:
Postfix, Exim, OpenSMTPD (without STARTTLS), `sealgate sink`, and a hop led by hand for what a sound server does not do.

"""
_RECEPTION = """
## Reception: versions

The rows are the selection of inbound SMTP, the columns the versions of the client, with STARTTLS and with implicit TLS.
A number is the version over which the message is taken. Clients: swaks, msmtp, Postfix, Exim, OpenSMTPD, and Sealgate
itself (STARTTLS alone).

"""
_DEMANDS = """
## Reception: what a listener asks for

The rows are `tls` of the listener, or `implicit_tls`; the columns what the client does. *TLS if offered* goes on in
clear text where STARTTLS is not offered, *STARTTLS* does not.

"""
_ENDS = """
## False ends of data

Only CRLF.CRLF ends the data of a message. What some server has once taken for it as well does not: {ends}.

| `bare_line_endings` | came by | what becomes of a message with one of them |
|---|---|---|
| refuse | DATA, BDAT | answered `554 5.6.0 message body contains illegal bare CR/LF characters.`; nothing is obeyed |
| allow | DATA | one message, passed on by DATA as it is; how the next server reads it is its own affair |
| allow | BDAT | one message, passed on by BDAT alone; it comes back with 5.6.1 from a server without CHUNKING |

`tests/outside/test_smuggling.py` sends each of them, whole and cut up, in clear text and over TLS; the next hops
are Postfix, Exim, OpenSMTPD and a hop that keeps every byte.
"""


def render() -> str:
    """The page in Markdown."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    yield _DELIVERY + _table(DELIVERY_VERSIONS)
    yield _LEVELS + _table(DELIVERY_LEVELS)
    yield "\nThe words of queue, log and notice:\n\n" + _words(
        {key: f"…{text}…" for key, text in DELIVERY_WORDS.items()}
    )
    yield _RECEPTION + _table(RECEPTION_VERSIONS)
    yield _DEMANDS + _table(RECEPTION_DEMANDS)
    yield "\nWhat is meant:\n\n" + _words(RECEPTION_WORDS)
    yield _ENDS.format(ends=", ".join(FALSE_ENDS))


def _table(grid: Grid) -> str:
    rows = [(grid.corner, *grid.columns), ("---",) * (len(grid.columns) + 1)]
    rows += [(f"**{name}**", *outcomes) for name, outcomes in grid.rows.items()]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _words(words: Mapping[str, str]) -> str:
    return "| word | meaning |\n|---|---|\n" + "".join(f"| {key} | {text} |\n" for key, text in words.items())


if __name__ == "__main__":
    print(render(), end="")
