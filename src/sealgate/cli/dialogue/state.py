"""`status` and `version`."""

from __future__ import annotations

from sealgate.cli.commands import status_lines, version_lines
from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.difference import open_lines
from sealgate.cli.dialogue.talk import Talk


async def status(talk: Talk) -> None:
    """What runs, how much waits, whether changes do, and what is wrong."""
    answer = await talk.control("status")
    talk.say(*status_lines(answer, talk.home))
    if answer["fault"]:
        talk.say(f"Warning: {answer['fault']}")
    for sentence in answer["silent"]:
        talk.say(f"Warning: {sentence}; its queue is not counted")
    talk.say(*open_lines(await talk.shown()))


async def version(talk: Talk) -> None:
    """The gateway's and its TLS library's."""
    talk.say(*version_lines())


STATUS = Command("status", "Show what runs and how much waits.", status)
VERSION = Command("version", "Show the versions of the gateway and its TLS library.", version)
