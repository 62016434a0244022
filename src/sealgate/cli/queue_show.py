"""Messages of the queue as a person reads them: in a list, one by one, and the text itself."""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sealgate.cli.client import ask
from sealgate.cli.text import local
from sealgate.mail.text import printable

END_OF_HEADER = b"\r\n\r\n"


def message_lines(message: Mapping[str, Any]) -> Iterator[str]:
    """A message and those of its recipients that wait."""
    yield head_line(message)
    for recipient in message["recipients"]:
        yield from _recipient_lines(recipient)
    if message["more"]:
        yield f"  and {message['more']} more; see them with: sealgate queue show {message['mid']}"


def head_line(message: Mapping[str, Any]) -> str:
    """A message in one line."""
    sender = printable(message["sender"] or "")
    held = "  on hold" if message["held"] else ""
    received = local(message["received_at"])
    return f"MID {message['mid']}  {message['size']} bytes  received {received}  from <{sender}>{held}"


def _recipient_lines(recipient: Mapping[str, Any]) -> Iterator[str]:
    busy = ", being delivered at this moment" if recipient.get("busy") else ""
    yield f"  RID {recipient['rid']}  <{printable(recipient['address'])}>  {recipient['state']}{busy}"
    if recipient["said"]:
        due = f"; next attempt {local(recipient['due'])}" if recipient["state"] == "deferred" and not busy else ""
        yield f"    {recipient['attempts']} attempt(s){due}"
        yield f"    {printable(recipient['said'])}"


def queue_show(options: argparse.Namespace) -> int:
    """Everything about one message, or its text."""
    if options.headers or options.body:
        _write(_parts(_pieces(options), header=options.headers, body=options.body))
        return 0
    message = ask(options.door, "queue-show", {"mid": options.mid})["message"]
    for line in envelope_lines(message):
        print(line)
    while message["recipients"]:
        for line in waiting_lines(message):
            print(line)
        after = message["recipients"][-1]["rid"]
        message = ask(options.door, "queue-show", {"mid": options.mid, "after": after})["message"]
    print(f"  kept by {message['worker']}")
    return 0


def envelope_lines(message: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a message, its recipients apart."""
    yield head_line(message)
    for line in _envelope(message):
        yield f"  {line}"


def waiting_lines(message: Mapping[str, Any]) -> Iterator[str]:
    """The recipients that wait, of one answer."""
    for recipient in message["recipients"]:
        yield from _recipient_lines(recipient)
        if wishes := _wishes(recipient):
            yield f"    {wishes}"


def _envelope(message: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a message besides its recipients."""
    origin = ", ".join(f"{name} {value}" for name, value in message["origin"].items() if value not in (None, ""))
    if origin:
        yield f"came with {printable(origin)}"
    words = {"body_8bit": "BODY=8BITMIME", "utf8": "SMTPUTF8", "bare": "BDAT (it holds bare CR or LF)"}
    asked = [word for name, word in words.items() if message[name]]
    asked += [f"{name.upper()}={message[name]}" for name in ("ret", "envid") if message[name]]
    if asked:
        yield f"asks for {printable(', '.join(asked))}"
    if message["held"]:
        yield "on hold: it is not tried, and does not grow too old"
    if message["delay_told"]:
        yield "its sender has been told that it is late"


def _wishes(recipient: Mapping[str, Any]) -> str:
    """What its sender wants to be told of a recipient (RFC 3461)."""
    return printable(" ".join(f"{name.upper()}={recipient[name]}" for name in ("notify", "orcpt") if recipient[name]))


def _pieces(options: argparse.Namespace) -> Iterator[bytes]:
    """The text of the message, a piece at a time."""
    start = 0
    while data := base64.b64decode(ask(options.door, "queue-body", {"mid": options.mid, "start": start})["data"]):
        yield data
        start += len(data)


def _parts(pieces: Iterable[bytes], *, header: bool, body: bool) -> Iterator[bytes]:
    """The header up to its empty line, what follows it, or both."""
    seen, end = b"", False
    for piece in pieces:
        if end or (header and body):
            yield piece
            continue
        seen += piece
        end = END_OF_HEADER in seen
        head, _, rest = seen.partition(END_OF_HEADER)
        if end:
            yield head + b"\r\n" if header else rest
            if header:
                return
        elif header:  # what may be the beginning of its end is kept back
            yield seen[:-3]
            seen = seen[-3:]
        else:
            seen = seen[-3:]
    if seen and not end and header:
        yield seen


def _write(pieces: Iterable[bytes]) -> None:
    """As it is; to a terminal with every control character made visible."""
    raw = getattr(sys.stdout, "buffer", None)
    for piece in pieces:
        if raw is not None and not sys.stdout.isatty():
            raw.write(piece)
            raw.flush()
        else:
            print(visible(piece), end="")


def visible(piece: bytes) -> str:
    """The text of a message with every control character made visible."""
    text = piece.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return "".join(c if c in "\n\t" else printable(c) for c in text)
