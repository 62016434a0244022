"""The words with which the commands of the queue choose messages."""

from __future__ import annotations

import argparse
import re
import time

from sealgate.cli.client import Refused
from sealgate.delivery.selection import STATES, Selection, SelectionError

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Conditions that a message or recipient must meet, all that are given."""
    parser.add_argument(
        "--recipient",
        default="",
        metavar="PATTERN",
        help="recipients with this address, in this domain, or, as .domain, below it; * is any run of characters",
    )
    parser.add_argument("--sender", default="", metavar="PATTERN", help="messages of this sender; <> is the null path")
    parser.add_argument(
        "--domain",
        "--host",
        default="",
        metavar="PATTERN",
        help="recipients whose mail goes to this destination domain",
    )
    parser.add_argument("--state", choices=STATES, help="recipients not tried yet, to be tried again, or on hold")
    parser.add_argument(
        "--older-than", type=age, metavar="AGE", help="messages received longer ago: 90s, 30m, 12h, 5d; or seconds"
    )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """MIDs, filters, or explicitly everything."""
    parser.add_argument("mid", type=int, nargs="*", metavar="MID", help="the numbers of messages")
    add_filters(parser)
    parser.add_argument("--all", action="store_true", help="all messages that wait")


def age(text: str) -> float:
    """Seconds of `90s`, `30m`, `12h`, `5d`."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; write 90s, 30m, 12h or 5d")
    return float(match[1]) * _UNITS[match[2]]


def filters_of(options: argparse.Namespace) -> Selection:
    """What the filters select."""
    try:
        return Selection(
            mids=tuple(dict.fromkeys(getattr(options, "mid", ()))),
            recipient=options.recipient,
            sender=options.sender,
            domain=options.domain,
            state=options.state,
            before=None if options.older_than is None else time.time() - options.older_than,
        )
    except SelectionError as error:
        raise Refused(str(error)) from error


def choice_of(options: argparse.Namespace, *, all_by_default: bool = False) -> Selection:
    """What an act is for. The whole queue must be named, so that a slip of the hand does not reach for it."""
    selection = filters_of(options)
    if selection.is_all and not (options.all or all_by_default):
        raise Refused("say which messages: by MID, by a filter such as --recipient, or --all")
    if options.all and not selection.is_all:
        raise Refused("--all is everything: leave it out, or leave out the MIDs and filters")
    return selection
