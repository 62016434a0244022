"""`handshakes`: why TLS failed, at the prompt."""

from __future__ import annotations

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.talk import Refusal, Talk
from sealgate.cli.handshakes import failed_lines, newest

LAST = 10


async def handshakes(talk: Talk) -> None:
    """The newest that failed, or those of one connection."""
    typed = talk.drop_word() if talk.next_word() is not None else ""
    talk.expect_no_more()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 16):
        raise Refusal(f"{typed!r} is no number of a connection; type the ICID or DCID of a line in the mail log.")
    talk.say(*failed_lines(newest(talk.home, LAST, int(typed) if typed else None)))


HANDSHAKES = Command(
    "handshakes",
    "Say why handshakes failed, and what would mend it.",
    handshakes,
    more="handshakes [ICID|DCID|HCID]\n\nThe newest come first; the number is that of the connection in the mail log.",
)
