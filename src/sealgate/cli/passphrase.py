"""`sealgate passwd` and `sealgate hash-passphrase`: passphrases that show nowhere."""

from __future__ import annotations

import argparse
import getpass
import sys

from sealgate.cli.client import ask
from sealgate.cli.commands import stored
from sealgate.cli.door import NotRunning, Refused
from sealgate.cli.words import Words, add
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.control import offline
from sealgate.control.passphrases import whose, with_passphrase
from sealgate.directory.passphrase import fault_of, hash_passphrase
from sealgate.net.tls.library import measure_library
from sealgate.process.channel import ChannelError
from sealgate.process.lock import HomeInUse

_MORE = """It is asked for twice on a terminal, or read from a pipe as one line, and is in force at once. On a gateway
that is stopped it is in force when that is started. Where there is no operator yet, NAME becomes the first
administrator."""


def add_commands(words: Words[argparse.ArgumentParser]) -> None:
    """Declare both."""
    one = add(words, "passwd", passwd, "Set the passphrase of an operator.", _MORE)
    one.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="the operator (default: the one who asks with --as, else the only administrator, else admin)",
    )
    add(words, "hash-passphrase", hashed, "Make the hash of a passphrase, for an account.")


def hashed(options: argparse.Namespace) -> int:
    """Print the hash."""
    passphrase = _given("nothing was hashed")
    if passphrase is None:
        return 1
    print(hash_passphrase(passphrase))
    return 0


def passwd(options: argparse.Namespace) -> int:
    """Ask for it, and set it: by the gateway if it runs."""
    passphrase = _given("nothing was changed")
    if passphrase is None:
        return 1
    try:
        name, revision = _set(options, passphrase)
    except ConfigurationError as error:
        print("Nothing was changed:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 1
    print(f"The passphrase of {name} is set (revision {revision}).")
    return 0


def _set(options: argparse.Namespace, passphrase: str) -> tuple[str, int]:
    """The operator, and the revision that has it."""
    try:
        answer = ask(options.door, "passwd", {"name": options.name, "passphrase": passphrase})
    except NotRunning:
        options.door.no_operator("setting a passphrase while nothing runs")
        return _set_offline(options, passphrase)
    if "problems" in answer:
        raise ConfigurationError(tuple(Problem(*each) for each in answer["problems"]))
    return answer["name"], answer["revision"]


def _set_offline(options: argparse.Namespace, passphrase: str) -> tuple[str, int]:
    current = stored(options.home).current()
    if current is None:
        raise NotRunning(f"there is no configuration in {options.home} yet; make one with: sealgate init")
    try:
        with offline.at_rest(options.home):
            name = whose(current.configuration, None, options.name)
            configuration = with_passphrase(current.configuration, name, hash_passphrase(passphrase))
            comment = f"passphrase of {name}"
            return name, offline.store(options.home, configuration, "passwd", comment, measure_library()).number
    except (ChannelError, HomeInUse) as error:
        raise Refused(str(error)) from error


def _given(otherwise: str) -> str | None:
    """A new passphrase, typed twice or from a pipe; None if it cannot be one, which is said."""
    try:
        passphrase = _typed() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        passphrase = ""
    except UnicodeError:
        print(f"A passphrase is text in UTF-8: {otherwise}.", file=sys.stderr)
        return None
    if passphrase is None:
        print(f"The two differ: {otherwise}.", file=sys.stderr)
        return None
    if fault := fault_of(passphrase):
        print(f"{fault[:1].upper()}{fault[1:]}: {otherwise}.", file=sys.stderr)
        return None
    return passphrase


def _typed() -> str | None:
    first = getpass.getpass("Passphrase: ")
    return first if getpass.getpass("The same once more: ") == first else None
