"""What may be shown of the lines of a client: not its passphrase, wherever a confused client sends it."""

from __future__ import annotations

import re

from sealgate.smtp.command import split_command
from sealgate.smtp.table import COMMANDS

_SECRET = "AUTH ***"
_AUTH = re.compile(rb"\bAUTH\b", re.IGNORECASE)


class Shown:
    """Sees every line, and says how the last one is shown.

    Secret are the responses of AUTH, an AUTH, however misspelt, and what is no command behind one: a client whose
    AUTH is refused may go on with its name and passphrase all the same.
    """

    def __init__(self) -> None:
        self._secret = False

    def see(self, line: bytes, *, response: bool) -> None:
        """The next line; whether it answers a challenge."""
        verb, _ = split_command(line.rstrip(b"\r\n"))
        known = verb in COMMANDS and verb != b"AUTH"
        self._secret = response or (not known and (self._secret or _AUTH.search(line) is not None))

    def text(self, line: bytes) -> str:
        """The line, printable."""
        return _SECRET if self._secret else line.rstrip().decode("latin-1").encode("unicode_escape").decode("ascii")
