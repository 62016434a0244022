"""How a command comes in to a gateway: on which home, and as whom."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sealgate.control.service import SOCKET

AS = "SEALGATE_AS"
PASSPHRASE_FILE = "SEALGATE_PASSPHRASE_FILE"


class NotRunning(Exception):
    """No gateway answers on this home directory."""


class Refused(Exception):
    """The gateway refused, or it was not asked; a sentence."""


@dataclass(frozen=True)
class Door:
    """The home of a gateway, and the operator to come in as; without one, the user who runs the command."""

    home: Path
    name: str | None = None
    passphrase_file: str | None = None

    @cached_property
    def passphrase(self) -> str:
        """The operator's: the first line of the file, or asked for once. `Refused` if there is no way to it."""
        if self.passphrase_file is not None:
            return _first_line(self.passphrase_file)
        if not sys.stdin.isatty():
            raise Refused(
                f"nobody can be asked for the passphrase of {self.name}; put it into a file, or a descriptor as "
                f"/dev/fd/3, and name that with --passphrase-file or in {PASSPHRASE_FILE}"
            )
        try:
            return getpass.getpass(f"Passphrase of {self.name}: ")
        except EOFError:
            raise Refused(f"no passphrase of {self.name} was given") from None

    @property
    def not_running(self) -> NotRunning:
        """Why nothing answers here."""
        if not os.path.exists(self.home / "revisions.db"):
            return NotRunning(
                f"there is no gateway in {self.home}; where is it? --home HOME or SEALGATE_HOME says so, "
                f"and sealgate --home {self.home} init makes one"
            )
        return NotRunning(f"no gateway runs on {self.home}; start it with: sealgate --home {self.home} serve")

    @property
    def socket(self) -> Path:
        """Where it answers."""
        return self.home / SOCKET

    def no_operator(self, what: str) -> None:
        """`Refused` if an operator was named for what is done to the files of the home and not by its gateway."""
        if self.name is not None:
            raise Refused(
                f"{what} takes a user of the machine who may read the files of {self.home}; leave out --as and {AS}"
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The operator to come in as."""
    parser.add_argument(
        "--as",
        dest="operator",
        metavar="NAME",
        default=os.environ.get(AS) or None,
        help=f"ask the gateway as this operator, with a passphrase (default: ${AS}, else as the user of this machine)",
    )
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        default=os.environ.get(PASSPHRASE_FILE) or None,
        help=f"its first line is the passphrase of that operator (default: ${PASSPHRASE_FILE}, else it is asked for)",
    )


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except OSError as error:
        raise Refused(f"cannot read the passphrase from {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused(f"the passphrase in {path} is not text in UTF-8") from error
