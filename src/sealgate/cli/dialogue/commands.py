"""Every command of the dialogue."""

from __future__ import annotations

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.committing import CLEAR, COMMIT
from sealgate.cli.dialogue.sslconfig import SSLCONFIG

COMMANDS: tuple[Command, ...] = (CLEAR, COMMIT, SSLCONFIG)
