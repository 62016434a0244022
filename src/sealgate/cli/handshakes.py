"""`sealgate handshakes`: those that failed, why in words, and what would mend it.

`mail.log` has them in the words of OpenSSL, where programs look for them; the record has the explanation as well.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from sealgate.cli.text import local
from sealgate.cli.words import Words, add
from sealgate.event.codec import Record, encode
from sealgate.event.facts import TlsFailed, TlsNotEnough
from sealgate.event.tls import Way
from sealgate.journal.tail import records
from sealgate.mail.text import printable


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare it."""
    more = "The newest come first. They are read from the record of this home, also when no gateway runs."
    one = add(words, "handshakes", show, "Say why handshakes failed, and what would mend it.", more)
    one.add_argument(
        "connection",
        type=int,
        nargs="?",
        metavar="ICID|DCID|HCID",
        help="of the connection with this number in mail.log",
    )
    one.add_argument("--peer", metavar="PEER", help="with this address, or on the way to this domain")
    one.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: %(default)s)")
    one.add_argument("--json", action="store_true", help="the lines of the record, with all that the client offered")


def show(options: argparse.Namespace) -> int:
    """The newest that are asked for."""
    options.door.no_operator("reading the record")
    found = newest(options.home, options.limit, options.connection, options.peer)
    if options.json:
        print("".join(encode(each).decode() for each in found), end="")
    else:
        print("\n".join(failed_lines(found)))
    return 0


def newest(home: Path, limit: int, connection: int | None, peer: str | None = None) -> list[Record]:
    """The newest of a connection, of a peer, or of all."""
    there = records(home / "logs", only=(TlsFailed, TlsNotEnough))
    wanted = (each for each in there if _is_wanted(each, connection, peer))
    return list(deque(wanted, maxlen=max(1, limit)))[::-1]


def _is_wanted(record: Record, connection: int | None, peer: str | None) -> bool:
    event = record.event
    if isinstance(event, TlsFailed):
        number, about = event.connection, (event.peer_ip, event.domain)
    elif isinstance(event, TlsNotEnough):
        number, about = event.dcid, (event.ip, event.domain)
    else:
        return False
    return connection in (None, number) and (peer is None or peer.lower() in about)


def failed_lines(found: Sequence[Record]) -> Iterator[str]:
    """Each with where it was, the reason, and what would mend it."""
    if not found:
        yield "No handshake of that kind has failed."
    for record in found:
        at, event = local(record.at.timestamp()), record.event
        if isinstance(event, TlsFailed):
            yield f"{at}  {_where(event)}"
            yield f"    {printable(event.explanation.sentence)}"
            if event.explanation.mend:
                yield f"    {printable(event.explanation.mend)}"
        elif isinstance(event, TlsNotEnough):
            yield f"{at}  DCID {event.dcid} to {printable(event.domain)} ({event.ip})"
            yield f"    {printable(event.sentence)}"


def _where(event: TlsFailed) -> str:
    if event.way is Way.IN:
        return f"ICID {event.connection} from {event.peer_ip} to listener {event.service}"
    if event.way is Way.GUI:
        return f"HCID {event.connection} from {event.peer_ip} to {event.service}"
    waits = ", its mail waits" if event.deferring else ""
    return f"DCID {event.connection} to {printable(event.domain or event.service)} ({event.peer_ip}){waits}"
