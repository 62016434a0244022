"""`saveconfig`, `loadconfig`, `showconfig`: whole configurations."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import choice, wanted, yes_or_no
from sealgate.cli.dialogue.talk import Question, Refusal, Talk
from sealgate.cli.imported import imported_lines
from sealgate.config.asyncos.element import LARGEST
from sealgate.config.document import decoded

FOLDER = "configuration"
"""Below the home: where files with a bare name are written and looked for."""


async def show(talk: Talk) -> None:
    """What is in force, with its secrets masked."""
    talk.say((await talk.control("showconfig"))["text"].rstrip("\n"))


async def save(talk: Talk) -> None:
    """Write what is in force to a file of its own."""
    mask = await talk.ask(
        yes_or_no(
            "Do you want to mask the passphrases and private keys? A masked file cannot be loaded by loadconfig.", True
        )
    )
    stamp = datetime.datetime.now().strftime("%Y%m%dT%H%M%S")
    path = await talk.ask(_target(talk.home, f"{await _hostname(talk)}-{stamp}.toml"))
    talk.expect_no_more()
    pending = (await talk.shown())["pending"]
    _write(talk.home, path, (await talk.control("showconfig", secrets=not mask))["text"])
    talk.say("", f"The configuration was saved in {path}.")
    if pending:
        talk.say("Your uncommitted changes are not in it.")
    if not mask:
        talk.say("It holds private keys: keep it as you keep those.")


async def _hostname(talk: Talk) -> str:
    found: str = (await talk.shown())["hostname"]
    return found


def _target(home: Path, default: str) -> Question[Path]:
    return Question(
        text="Enter the name of the file.",
        read=lambda typed: located(home, typed or default),
        present=default,
        help=f"Type a name, for a file in {home / FOLDER}, or an absolute path. A file that is there is not replaced.",
    )


def located(home: Path, name: str) -> Path:
    """A file by its bare name or absolute path; `ValueError` for anything else."""
    if name.startswith("/"):
        return Path(name)
    if "/" in name or name in (".", "..") or not name.isprintable():
        raise ValueError(f"{name!r} is neither a bare name nor an absolute path")
    return home / FOLDER / name


def _write(home: Path, path: Path, text: str) -> None:
    try:
        if path.parent == home / FOLDER:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _give(home, path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if path.parent == home / FOLDER:
            _give(home, path)
    except OSError as error:
        raise Refusal(f"Nothing was saved: {path}: {error.strerror}.") from error


def _give(home: Path, path: Path) -> None:
    """What root makes below the home belongs to the gateway's user, as everything there."""
    if os.geteuid() == 0:
        owner = home.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


async def load(talk: Talk) -> None:
    """A file, or what is pasted, becomes the candidate."""
    pasted = await talk.ask(choice("Load the configuration:", ["Paste it here", "Load it from a file"], 0)) == 0
    if pasted:
        text = await talk.ask_lines("Paste the configuration now. A line with a dot alone ends it.")
    else:
        text = await talk.ask(_source(talk.home))
    answer = await talk.control("load", text=text)
    if "refused" in answer:
        lines = [f"  {path}: {sentence}" if path else f"  {sentence}" for path, sentence in answer["refused"]]
        raise Refusal("\n".join(["Nothing was loaded:", *lines]))
    if "imported" in answer:
        talk.say("", *imported_lines(answer["imported"]))
    talk.say("", 'Values have been loaded. Be sure to run "commit" to make these settings active.')
    for path, sentence in answer["problems"]:
        talk.say(f"This cannot be committed yet: {path}: {sentence}")


def _source(home: Path) -> Question[str]:
    name = wanted("Enter the name of the file to load:", "the name of a file")

    def read(typed: str) -> str:
        return decoded(read_file(located(home, name.read(typed))))

    return Question(text=name.text, read=read, help=f"Type the name of a file in {home / FOLDER}, or an absolute path.")


def read_file(path: Path) -> bytes:
    """What is in a file; `ValueError` if it cannot be read, or is too large to be meant."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST >> 20} MB, which is too large to be meant")
    return data


SHOWCONFIG = Command("showconfig", "Show the configuration in force; secrets are masked.", show)
SAVECONFIG = Command(
    "saveconfig",
    "Save the configuration in force to a file.",
    save,
    more="saveconfig [Y|N [FILE]]\n\nThe words are whether to mask secrets, and the file.",
)
LOADCONFIG = Command(
    "loadconfig",
    "Load a configuration; commit puts it into force.",
    load,
    more="loadconfig [1 | 2 FILE]\n\n"
    "1 pastes it, 2 reads a file: TOML, or the XML of AsyncOS. Nothing is in force before commit.",
)
