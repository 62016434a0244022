"""The command `sealgate`: its arguments, and which assembly each word starts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sealgate.app import evaluate, gateway, sink
from sealgate.cli import backup, changes, commands, drain, handshakes, hosts, passphrase, queue, suspend, trace, verify
from sealgate.cli import door as doors
from sealgate.cli import init as init_command
from sealgate.cli.dialogue import run as dialogue
from sealgate.cli.dialogue.commands import COMMANDS
from sealgate.cli.door import Door, NotRunning, Refused
from sealgate.cli.words import Parser, Words, add
from sealgate.store.database import StoreError

DEFAULT_HOME = "/var/lib/sealgate"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when it did what was asked."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = build_parser().parse_args(words)
    options.home = Path(options.home).absolute()
    options.door = Door(options.home, options.operator, options.passphrase_file)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (NotRunning, Refused, StoreError) as error:
        print(f"sealgate: {error}", file=sys.stderr)
    except PermissionError as error:
        print(f"sealgate: {error.filename}: {error.strerror}", file=sys.stderr)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - whoever read us has gone
    except KeyboardInterrupt:
        return 130
    return 1


def build_parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    parser = Parser(prog="sealgate", description="An open secure email gateway.")
    parser.spoken = [word for command in COMMANDS for word in (command.word, *command.also)]
    parser.add_argument(
        "--home",
        default=os.environ.get("SEALGATE_HOME", DEFAULT_HOME),
        help="the directory of all state (default: $SEALGATE_HOME, else %(default)s)",
    )
    doors.add_arguments(parser)
    words: Words[argparse.ArgumentParser] = parser.add_subparsers(
        metavar="COMMAND", required=True, parser_class=type(parser)
    )
    _gateway_commands(words)
    dialogue.add_arguments(add(words, "cli", dialogue.run, "Talk with the gateway in the words of AsyncOS."))
    _configuration_commands(words)
    for room in (changes, passphrase, verify, handshakes, queue, hosts, suspend, drain):
        room.add_commands(words)
    _evaluation_commands(words)
    return parser


def _gateway_commands(words: Words[argparse.ArgumentParser]) -> None:
    init_command.add_arguments(add(words, "init", init_command.init, "Write the first configuration."))
    add(words, "serve", gateway.serve, "Run the gateway in the foreground.")
    add(words, "status", commands.status, "Show what runs and how much waits.")
    add(words, "version", commands.version, "Show the versions of the gateway and its TLS library.")


def _configuration_commands(words: Words[argparse.ArgumentParser]) -> None:
    show = add(words, "showconfig", commands.showconfig, "Print the stored configuration as TOML.")
    show.add_argument("--secrets", action="store_true", help="with private keys, so that it can be loaded again")
    load = add(
        words,
        "loadconfig",
        commands.loadconfig,
        "Put a configuration file into force; one of AsyncOS becomes a candidate.",
    )
    load.add_argument(
        "file", metavar="FILE", help="a TOML file, an AsyncOS configuration (XML), or - for standard input"
    )
    load.add_argument("--comment", default="", help="kept with the revision")
    trace.add_arguments(add(words, "trace", trace.run, "Say what would happen to a message."))
    backup.add_backup_arguments(add(words, "backup", backup.backup, "Write all state to one file."))
    backup.add_restore_arguments(add(words, "restore", backup.restore, "Bring the state of a backup back."))


def _evaluation_commands(words: Words[argparse.ArgumentParser]) -> None:
    evaluate.add_arguments(add(words, "evaluate", evaluate.run, "Run a gateway with its own next hop, to try it."))
    sink.add_arguments(add(words, "sink", sink.run, "Run the small next hop that keeps a Maildir."))
