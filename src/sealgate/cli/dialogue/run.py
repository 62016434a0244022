"""`sealgate cli`: a session on this terminal, or what is piped in, or one command."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Collection

from sealgate import __version__
from sealgate.cli.dialogue.commands import COMMANDS
from sealgate.cli.dialogue.connection import Connection
from sealgate.cli.dialogue.piped import Piped
from sealgate.cli.dialogue.session import Session
from sealgate.cli.dialogue.talk import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A command with its answers, instead of a session."""
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="WORD", help="one command with its answers, instead of a session"
    )


def run(options: argparse.Namespace) -> int:
    """Talk until the end; from a pipe, and of one command, the exit status is 1 if anything was refused."""
    terminal = _terminal() if sys.stdin.isatty() and sys.stdout.isatty() else Piped()
    loop = asyncio.new_event_loop()  # not asyncio.run: Ctrl-C in a pipe must end the reading of it
    try:
        return loop.run_until_complete(_talk(options, terminal))
    finally:
        loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        loop.close()


async def _end(left: Collection[asyncio.Task[object]]) -> None:
    """Of a session that Ctrl-C has cut off, what still runs."""
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _terminal() -> Terminal:
    from sealgate.cli.dialogue.typed import Typed  # its library takes a while to load, and scripts do not need it

    return Typed()


async def _talk(options: argparse.Namespace, terminal: Terminal) -> int:
    connection = Connection(options.door, terminal.write)
    await connection.open()
    session = Session(terminal, connection.request, COMMANDS, options.home)
    if terminal.interactive:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, session.interrupt)
        if not options.words:
            terminal.write(f"Sealgate {__version__}. Type help to see all commands, and ? at any prompt.\n")
    try:
        return await (session.line(options.words) if options.words else session.run())
    finally:
        connection.close()
        await asyncio.sleep(0)
