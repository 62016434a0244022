"""A new passphrase at the prompt: typed twice, sent to control, which keeps its hash and nothing else."""

from __future__ import annotations

from sealgate.cli.dialogue.talk import Question, Talk
from sealgate.directory.passphrase import fault_of


async def ask_passphrase(talk: Talk) -> dict[str, str]:
    """As the steps of an edit have it (`control/passphrases.py`)."""

    def first(typed: str) -> str:
        if (fault := fault_of(typed)) is not None:
            raise ValueError(fault)
        return typed

    def second(typed: str) -> str:
        if not typed:  # so that behind a command in one line it is asked for as well
            raise ValueError("this cannot be left empty; type the same passphrase again")
        return typed

    while True:
        chosen = await talk.ask(Question("Enter the passphrase.", first, secret=True))
        again = await talk.ask(Question("Enter the same passphrase again.", second, secret=True))
        if chosen == again:
            return {"plain": chosen}
        talk.refuse("The two passphrases differ.")
