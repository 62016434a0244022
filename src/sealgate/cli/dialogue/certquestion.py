"""The questions of `certconfig`: which profile, for which names, from which file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sealgate.cli.dialogue.configfile import FOLDER, located, read_file
from sealgate.cli.dialogue.field import field
from sealgate.cli.dialogue.question import wanted, yes_or_no
from sealgate.cli.dialogue.talk import Answer, Question, Talk
from sealgate.net.tls.request import DAYS

NAME = "Enter a name for this certificate profile:"


async def new_profile(talk: Talk) -> str | None:
    """The name of a profile that is to be filled; None if the one that is there is to stay."""
    name = await talk.ask(profile_name())
    if named(await talk.certificates(), name) is not None:
        question = f'Certificate profile "{name}" already exists. Do you want to overwrite with this new one?'
        if not await talk.ask(yes_or_no(question, False)):
            return None
    return name


def profile_name() -> Question[str]:
    """How a profile is called."""
    return field("certificates.name", None, NAME, needed=True)


def named(profiles: Iterable[Mapping[str, Any]], name: str) -> Answer | None:
    """The profile of that name."""
    return next((dict(each) for each in profiles if each["name"] == name), None)


async def chosen_profile(talk: Talk, text: str) -> Answer | None:
    """A profile that is there; Enter is none."""
    profiles = {each["name"]: each for each in await talk.certificates()}
    any_case = {name.lower(): each for name, each in profiles.items()}

    def read(typed: str) -> Answer | None:
        if not typed:
            return None
        found = profiles.get(typed) or any_case.get(typed.lower())
        if found is None:
            raise ValueError(f"there is no certificate profile {typed!r}; there are {', '.join(profiles) or 'none'}")
        return found

    help_text = "Type the name of a certificate profile in the list. Enter takes none."
    return await talk.ask(Question(text, read, help=help_text, words=tuple(profiles)))


def host(text: str, present: str) -> Question[str]:
    """A name of a host, or of all hosts of a domain; Enter is the present one."""
    hostname = field("gateway.hostname", present, text)

    def read(typed: str) -> str:
        bare = typed.removeprefix("*.")
        if typed:
            hostname.read(bare)
        return typed.lower() or present

    return Question(text, read, present, "Type a host name, or *.domain for all hosts right below it.")


def more_names() -> Question[tuple[str, ...]]:
    """More names that it is to be good for."""
    one = host("", "")
    text = "Enter further names it is to be good for, with commas between them, or Enter for none."
    return Question(
        text,
        lambda typed: tuple(one.read(each.strip()) for each in typed.split(",") if each.strip()),
        help="Type host names, as mail.example.com, smtp.example.com.",
    )


def line(text: str, longest: int) -> Question[str]:
    """A line of text, or none."""

    def read(typed: str) -> str:
        if len(typed) > longest or not typed.isprintable():
            raise ValueError(f"this has to be one line of at most {longest} characters")
        return typed

    return Question(text, read, help=f"Type up to {longest} characters.")


def country() -> Question[str]:
    """Two letters, or none."""

    def read(typed: str) -> str:
        if typed and not (len(typed) == 2 and typed.isascii() and typed.isalpha()):
            raise ValueError(f"{typed!r} is no country; type its two letters, as NL")
        return typed.upper()

    return Question(
        "Enter the country in two letters, or Enter for none.", read, help="Two letters of ISO 3166, as NL."
    )


def days() -> Question[int]:
    """For how long."""

    def read(typed: str) -> int:
        if not typed:
            return DAYS
        if not (typed.isascii() and typed.isdigit() and len(typed) < 6 and 1 <= int(typed) <= 3650):
            raise ValueError(f"{typed!r} is no number of days from 1 to 3650")
        return int(typed)

    return Question("Enter for how many days the self-signed certificate is good.", read, str(DAYS), "1 to 3650 days.")


def file(home: Path, text: str, *, needed: bool = False) -> Question[bytes]:
    """What is in a file; nothing for Enter, unless it is needed."""
    name = wanted(text, "the name of a file")

    def read(typed: str) -> bytes:
        if not typed and not needed:
            return b""
        return read_file(located(home, name.read(typed)))

    return Question(text, read, help=f"Type the name of a file in {home / FOLDER}, or an absolute path.")


def passphrase(needed: bool = False) -> Question[str]:
    """It is not shown, and never kept. One that is `needed` is asked for behind a command in one line as well."""

    def read(typed: str) -> str:
        if needed and not typed:
            raise ValueError("this cannot be left empty; type the pass phrase")
        return typed

    text = "Enter the pass phrase of the private key"
    return Question(f"{text}." if needed else f"{text}, or Enter if it has none:", read, secret=True)
